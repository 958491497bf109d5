package infra

import (
	"os"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func TestEndpointNames(t *testing.T) {
	for route, want := range map[string]struct{ name, source string }{
		"profile":                    {"GET-profile", "GET/profile"},
		"accounts/profile":           {"GET-accounts-profile", "GET/accounts/profile"},
		"accounts/{account}/profile": {"GET-accounts-account-profile", "GET/accounts/*/profile"},
		"files/{path+}":              {"GET-files-path", "GET/files/*"},
	} {
		e := endpoint{method: "GET", path: route}
		if e.name() != want.name || e.source() != want.source {
			t.Errorf("%s: expected %v, got %s, %s", route, want, e.name(), e.source())
		}
	}
}

func TestEndpointsAreRefusedWithTheirCorrection(t *testing.T) {
	needy := func(*stack) (needs, error) { return needs{}, nil }
	items := endpoint{method: "GET", path: "items", handler: "handlers/items"}
	for name, row := range map[string]struct {
		endpoint endpoint
		says     string
	}{
		"every method":                        {endpoint{method: "ANY", path: "x", handler: "handlers/x"}, "expected one method of DELETE, GET, HEAD, PATCH, POST, PUT"},
		"the preflight's method":              {endpoint{method: "OPTIONS", path: "x", handler: "handlers/x"}, "write one entry for each"},
		"a method in lower case":              {endpoint{method: "get", path: "x", handler: "handlers/x"}, "expected one method of"},
		"a path that begins with a slash":     {endpoint{method: "GET", path: "/x", handler: "handlers/x"}, "without a slash at its ends"},
		"a path that ends in a slash":         {endpoint{method: "GET", path: "x/", handler: "handlers/x"}, "without a slash at its ends"},
		"no path":                             {endpoint{method: "GET", handler: "handlers/x"}, "expected a path"},
		"a path with a space":                 {endpoint{method: "GET", path: "a b", handler: "handlers/x"}, "expected a path"},
		"a parameter within a part":           {endpoint{method: "GET", path: "x{y}", handler: "handlers/x"}, "expected a path"},
		"a greedy parameter before a part":    {endpoint{method: "GET", path: "{x+}/y", handler: "handlers/x"}, "expected a path"},
		"the same endpoint again":             {endpoint{method: "GET", path: "items", handler: "handlers/items"}, "its name GET-items is that of endpoint GET items"},
		"an endpoint of the same name":        {endpoint{method: "GET", path: "{items}", handler: "handlers/items"}, "give it another path"},
		"a function of the same name":         {endpoint{method: "GET", path: "x", handler: "other/items"}, "rename one"},
		"a handler that ends in authorizer":   {endpoint{method: "GET", path: "x", handler: "handlers/x/authorizer"}, "rename it"},
		"too much memory":                     {endpoint{method: "GET", path: "x", handler: "handlers/x", memory: 20000}, "set 10240"},
		"a timeout beyond API Gateway's":      {endpoint{method: "GET", path: "x", handler: "handlers/x", timeout: 30}, "set 29"},
		"memory for a shared function":        {endpoint{method: "PUT", path: "items", handler: "handlers/items", memory: 256}, "endpoint GET items declares; move them there"},
		"needs of a shared function":          {endpoint{method: "PUT", path: "items", handler: "handlers/items", needs: needy}, "move them there"},
		"a timeout for a shared function":     {endpoint{method: "PUT", path: "items", handler: "handlers/items", timeout: 5}, "move them there"},
		"one more method of a shared handler": {endpoint{method: "PUT", path: "items", handler: "handlers/items"}, ""},
		"a greedy parameter at the end":       {endpoint{method: "GET", path: "x/{y+}", handler: "handlers/x"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			wrong := faults{}
			checkEndpoints([]endpoint{items, row.endpoint}, wrong)
			err := wrong.error("test")
			if (err == nil) != (row.says == "") || err != nil && !strings.Contains(err.Error(), row.says) {
				t.Errorf("expected %q, got %v", row.says, err)
			}
		})
	}
}

func TestReservedVariables(t *testing.T) {
	for name, reserved := range map[string]bool{
		"ALLOWED_ORIGIN": true, "EXPLAIN_DENIALS": true, "GOMAXPROCS": true, "AWS_REGION": true, "AWS_LAMBDA_RUNTIME_API": true,
		"_HANDLER": true, "LAMBDA_TASK_ROOT": true, "ORDERS_TABLE": false, "AWS_USE_FIPS_ENDPOINT": false, "GOMEMLIMIT": false,
	} {
		if err := checkVariables(pulumi.StringMap{name: pulumi.String("x")}); (err != nil) != reserved {
			t.Errorf("%s: expected it to be reserved to be %v, got %v", name, reserved, err)
		}
	}
}

// The WAF association is declared by hand, so it has to name the provider that the
// SDK's own resources do.
func TestProviderVersion(t *testing.T) {
	module, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if want := "github.com/pulumi/pulumi-aws/sdk/v6 v" + awsProvider + "\n"; !strings.Contains(string(module), want) {
		t.Errorf("expected go.mod to require %s", want)
	}
}
