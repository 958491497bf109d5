package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What it takes to add PUT /profile: one entry, one Rego package with its tests, and one
// handler, which is a main function. A further path to a handler that is there takes the
// entry only.
const (
	endpointEntry = `
	{
		method:      "PUT",
		path:        "profile",
		handler:     "handlers/update",
		description: "Updates the caller's profile if the policy allows it",
	},
	{
		method:  "GET",
		path:    "accounts/{account}/profile",
		handler: "handlers/profile", // shared: its function, and its description, are there already
	},`

	updatePolicy = `# METADATA
# title: Access to the update of a profile
# scope: package
# schemas:
#   - input:
#       type: object
#       additionalProperties: false
#       properties:
#         principal: {type: string}
#         scope: {type: string}
package update

# METADATA
# title: May the caller update a profile?
# scope: document
default allow := false

allow if {
	is_string(input.scope)
	"update:profile" in split(input.scope, " ")
}

# METADATA
# title: The decision, and why
# entrypoint: true
default decision := {"allow": false, "reasons": {` + "`scope \"update:profile\" is required`" + `}}

decision := {"allow": true, "reasons": set()} if allow == true
`

	updatePolicyTest = `package update_test

import data.update

test_the_scope_grants if {
	update.decision.allow with input as {"scope": "get:profile update:profile"}
}

test_another_scope_does_not if {
	update.decision.reasons == {` + "`scope \"update:profile\" is required`" + `} with input as {"scope": "get:profile"}
}
`

	updateHandler = `// Command update is the Lambda function behind PUT /profile.
package main

import (
	"context"

	"account-api/internal/endpoint"
	"account-api/policies"
)

func main() {
	endpoint.Serve(endpoint.Config{
		Policy:     policies.For("update"),
		Entrypoint: "update/decision",
		Answer: func(context.Context, endpoint.Request) ([]byte, error) {
			return []byte(` + "`" + updatedBody + "`" + `), nil
		},
	})
}
`
)

// The answers of the added endpoint.
const (
	updatedBody         = `{"updated":true}`
	updateForbiddenBody = `{"message":"Error: Forbidden","info":"scope \"update:profile\" is required"}`
)

// addEndpoint adds PUT /profile to a copy of the project.
func addEndpoint(t *testing.T, root string) {
	t.Helper()
	last := `"Answers with the caller's profile if the policy allows it",
	},`
	edit(t, filepath.Join(root, "infra", "endpoints.go"), last, last+endpointEntry)

	policies := filepath.Join(root, "policies")
	write(t, filepath.Join(policies, "update", "update.rego"), updatePolicy)
	write(t, filepath.Join(policies, "update", "update_test.rego"), updatePolicyTest)

	write(t, filepath.Join(root, "handlers", "update", "main.go"), updateHandler)
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestAddingAnEndpoint(t *testing.T) {
	root := copyProject(t)
	addEndpoint(t, root)

	t.Run("its Rego tests pass with all others", func(t *testing.T) {
		opa := exec.Command("go", "tool", "opa", "test", "policies/profile", "policies/update", "--fail-on-empty")
		opa.Dir = root
		if output, err := opa.CombinedOutput(); err != nil {
			t.Errorf("%v:\n%s", err, output)
		}
	})
	for name, arguments := range map[string][]string{
		"asking the authorizer every time": nil,
		// With a cached answer, the policy has to cover the other method of the path too.
		"reusing the authorizer's answer": {"-config", "authorizerTtl=300"},
	} {
		t.Run(name, func(t *testing.T) {
			r := runStack(t, root, arguments...)
			put := func(token string) answer {
				return request(t, http.MethodPut, r.api, "Authorization", "Bearer "+token)
			}
			both, reads, updates := r.token(t, "get:profile+update:profile"), r.token(t, "get:profile"), r.token(t, "update:profile")
			expect(t, get(t, r.api, both), http.StatusOK, profileBody)
			expect(t, put(both), http.StatusOK, updatedBody)
			expect(t, put(updates), http.StatusOK, updatedBody)
			expect(t, get(t, r.api, updates), http.StatusForbidden, forbiddenBody)
			expect(t, get(t, r.api, reads), http.StatusOK, profileBody)
			expect(t, put(reads), http.StatusForbidden, updateForbiddenBody)
			nested := strings.TrimSuffix(r.api, "profile") + "accounts/7/profile"
			expect(t, get(t, nested, both), http.StatusOK, profileBody)
			expect(t, get(t, nested, updates), http.StatusForbidden, forbiddenBody)
			expect(t, get(t, nested, ""), http.StatusUnauthorized, unauthorizedBody)
			expect(t, request(t, http.MethodPut, r.api), http.StatusUnauthorized, unauthorizedBody)
			expect(t, request(t, http.MethodDelete, r.api), http.StatusForbidden, unknownBody)

			preflight := request(t, http.MethodOptions, r.api, "Origin", "http://page.example", "Access-Control-Request-Method", "PUT")
			if allowed := preflight.header.Get("Access-Control-Allow-Methods"); allowed != "GET,PUT" {
				t.Errorf("expected the preflight to allow GET,PUT, got %q", allowed)
			}
		})
	}
}
