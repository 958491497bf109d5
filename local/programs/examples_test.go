package programs

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"account-api/local/running"
)

// examples is a copy of the programs in testdata/examples: public examples, written anew.
func examples(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	if err := writeModule(root, "examples"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"routes", "uppercase", "visits"} { // the program that captures is linked once for all
		if err := os.Symlink(filepath.Join(root, "dist"), filepath.Join(root, name, "dist")); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(root, "dist"), 0o755); err != nil {
		t.Fatal(err)
	}
	return root
}

func TestPublicExamples(t *testing.T) {
	root := examples(t)
	arguments := []string{"-stack", "dev", "-capture", "../cmd/capture", "-issuer", "stack"}

	t.Run("one function behind every path is served", func(t *testing.T) {
		c := built.Start(t, filepath.Join(root, "uppercase"), arguments...)
		at := strings.TrimSuffix(c.API, "/example")
		for _, method := range []string{http.MethodGet, http.MethodDelete} {
			running.Request(t, method, at+"/some/path").Expect(t, http.StatusOK, "SOME/PATH")
		}
		for _, want := range []string{"no answer depends on it: iam:Role (1), iam:RolePolicy (1)", "Active stages pointing to this deployment"} {
			if !strings.Contains(c.Output(), want) {
				t.Errorf("expected %q in the output, got:\n%s", want, c.Output())
			}
		}
	})
	t.Run("what is beside an API is accepted with a notice", func(t *testing.T) {
		c := built.Start(t, filepath.Join(root, "visits"), arguments...)
		answer := regexp.MustCompile(`^(visits-[0-9a-f]{7}) https://sqs\.us-west-2\.amazonaws\.com/123456789012/visits-[0-9a-f]{7} pepper http://127\.0\.0\.1:8000 1 counter-[0-9a-f]{7}:live$`)
		response := running.Request(t, http.MethodGet, c.API)
		found := answer.FindStringSubmatch(response.Body)
		if response.Status != http.StatusOK || found == nil {
			t.Fatalf("expected %s, got %d %s", answer, response.Status, response.Body)
		}
		for _, want := range []string{
			"dynamodb:Table visits: not run here; TABLE in the environment of counter is the made-up name " + found[1],
			"sqs:Queue visits: not run here; QUEUE in the environment of counter is the made-up url https://sqs",
			"cloudwatch:EventRule nightly: not run here; it invokes no function here",
			"lambda:Function counter: runs on this machine's network, without the VPC of vpcConfig",
			"lambda:Function nightly: not run here; the REST API does not call it",
		} {
			if !strings.Contains(c.Output(), want) {
				t.Errorf("expected %q in the output, got:\n%s", want, c.Output())
			}
		}
		if strings.Contains(c.Output(), "pepper") {
			t.Error("expected no secret in the output")
		}
		running.Write(t, filepath.Join(root, "visits", "local.dev.yaml"), "stackReferences: {acme/network/dev: {subnet: subnet-1}}\nhandlers: {out/counter.zip: counter}\n")
		c.Says(t, "SALT contains the secret setting visits:salt, which only the Pulumi CLI can decrypt: write its value into local.dev.yaml", 1)
	})
	t.Run("what is not modelled is refused by name with what to do", func(t *testing.T) {
		fails(t, filepath.Join(root, "routes"), []string{
			"api (aws-apigateway:index:RestAPI): this component declares the API in a plugin, which is not run: declare apigateway.RestApi",
			"partner (aws:apigateway/apiKey:ApiKey): API keys are not checked here: identify callers by the authorizer",
			"partner (aws:apigateway/usagePlan:UsagePlan): usage plans are not counted here: limit requests by MethodSettings",
			"get (aws:apigateway/method:Method), property apiKeyRequired: API keys are not checked here",
			"get (aws:apigateway/integration:Integration), property type: expected AWS_PROXY or MOCK, got HTTP_PROXY: only functions and mocks answer here: call the other server from a function",
		}, arguments...)
	})
}
