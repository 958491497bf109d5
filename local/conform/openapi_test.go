package main

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"account-api/local/running"
)

// agreesWithOpenAPI asks every operation of docs/openapi.json without a token and with
// each token, and expects a status that the document declares.
func agreesWithOpenAPI(t *testing.T, stack *running.Stack, tokens ...string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Paths map[string]map[string]struct {
			Security  []any
			Responses map[string]any
		}
	}
	if err := json.Unmarshal(text, &document); err != nil || len(document.Paths) == 0 {
		t.Fatalf("expected paths, got %v", err)
	}
	target, err := parseTarget(stack.API)
	if err != nil {
		t.Fatal(err)
	}
	c := &caller{client: newClient(), target: target}
	// The URL is that of an endpoint. What stands before the declared path is the stage's.
	parameter := regexp.MustCompile(`\\\{[^}]+\}`)
	base := ""
	for path := range document.Paths {
		endpoint := regexp.MustCompile("^(.*)" + parameter.ReplaceAllString(regexp.QuoteMeta(path), "[^/]+") + "$")
		if found := endpoint.FindStringSubmatch(target.url.Path); found != nil && path != "/" {
			base = found[1]
		}
	}
	operations := 0
	for path, methods := range document.Paths {
		for verb, operation := range methods {
			verb = strings.ToUpper(verb)
			if verb != http.MethodOptions {
				operations++
			}
			ask := request{method: verb, path: base + regexp.MustCompile(`\{[^}]+\}`).ReplaceAllString(path, "conform")}
			expect := func(kind string, r request) int {
				a, err := c.send(t.Context(), r)
				if err != nil {
					t.Fatalf("%s %s with %s: %v", verb, path, kind, err)
				}
				status := strconv.Itoa(a.StatusCode)
				if operation.Responses[status] == nil && operation.Responses[status[:1]+"XX"] == nil {
					t.Errorf("%s %s with %s: expected a status that docs/openapi.json declares, got %s: run make docs", verb, path, kind, status)
				}
				return a.StatusCode
			}
			if status := expect("no token", ask); (status == 401) != (len(operation.Security) > 0) {
				t.Errorf("%s %s without a token: expected 401 where the document demands one, got %d", verb, path, status)
			}
			for _, token := range tokens {
				expect("a token", ask.with("Authorization", "Bearer "+token))
			}
		}
	}
	if operations != len(stack.Endpoints) {
		t.Errorf("expected docs/openapi.json to have the %d endpoints that are served, got %d: run make docs", len(stack.Endpoints), operations)
	}
}
