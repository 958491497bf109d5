package infra

import (
	"os"
	"path"
	"strings"
	"testing"
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

func TestEndpointsDiffer(t *testing.T) {
	seen := map[string]string{}
	for _, e := range endpoints {
		if other, taken := seen[e.name()]; taken {
			t.Errorf("expected a name of its own for %s %s, which is called as %s is", e.method, e.path, other)
		}
		seen[e.name()] = e.path
		if other, taken := seen[path.Base(e.handler)]; taken && other != e.handler {
			t.Errorf("expected a last part of its own for %s: it names the function", e.handler)
		}
		seen[path.Base(e.handler)] = e.handler
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
