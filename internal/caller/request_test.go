package caller_test

import (
	"encoding/json"
	"testing"

	"account-api/internal/caller"
	"account-api/internal/decision"
)

func TestFindKnowsTheRequest(t *testing.T) {
	account := caller.Request{Method: "PUT", Resource: "/accounts/{account}/notes/{note+}"}
	for _, row := range []struct {
		name, rego      string
		requests        []caller.Request
		allowed, denied string
	}{
		{"own record only", `allow if input.parameters.account == input.principal`, []caller.Request{account},
			`{"parameters":{"account":"example","note":"example"},"principal":"example"}`, `{"parameters":{"account":"example","note":"example"},"principal":"someone"}`},
		{"own record only, by the path", `allow if input.path[1] == input.principal`, nil,
			`{"path":["things","example"],"principal":"example"}`, `{"path":["things","example"],"principal":"someone"}`},
		{"a method", "allow if {\n\tinput.method == \"PUT\"\n\t\"write\" in split(input.scope, \" \")\n}", []caller.Request{account},
			`{"method":"PUT","scope":"write"}`, `{"method":"PUT"}`},
		{"a method that nobody has named", `allow if input.method == "PUT"`, nil, `{"method":"PUT"}`, `null`},
		{"two resources", "allow if {\n\tinput.resource == \"/a\"\n\tinput.scope == \"x\"\n}\n\nallow if input.resource == \"/b\"", nil,
			`{"resource":"/b"}`, `{"resource":"/a"}`},
		{"a role in a claim", `allow if "admin" in input.claims["https://example.com/roles"]`, nil,
			`{"claims":{"https://example.com/roles":["admin"]}}`, `{}`},
		{"a claim within another", `allow if input.claims.org.id == "acme"`, nil, `{"claims":{"org":{"id":"acme"}}}`, `{}`},
		{"a claim that is true", `allow if input.claims.email_verified == true`, nil, `{"claims":{"email_verified":true}}`, `{}`},
		{"two claims", "allow if {\n\tinput.claims.a == \"1\"\n\tinput.claims.b == \"2\"\n}", nil, `{"claims":{"a":"1","b":"2"}}`, `{}`},
		{"an issuer", `allow if input.issuer == "https://issuer.example/"`, nil, `{"issuer":"https://issuer.example/"}`, `{}`},
		{"office hours", "allow if {\n\t[hour, _, _] := time.clock(input.time)\n\thour >= 9\n\thour < 17\n\tnot time.weekday(input.time) in {\"Saturday\", \"Sunday\"}\n\t\"read\" in split(input.scope, \" \")\n}", nil,
			`{"time":1781697600000000000,"scope":"read"}`, `{"time":1781697600000000000}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			found, err := caller.Find(t.Context(), prepare(t, row.rego), row.requests...)
			if err != nil {
				t.Fatal(err)
			}
			for want, got := range map[string]any{row.allowed: found.Allowed, row.denied: found.Denied} {
				if text, err := json.Marshal(got); err != nil || string(text) != want {
					t.Errorf("got %s, %v; want %s", text, err, want)
				}
			}
		})
	}
}

func TestFindKnowsWhatNoRequestOfTheStackHas(t *testing.T) {
	const permission, issuer = `allow if "see" in split(input.permissions, " ")`, `allow if input.issuer == "https://issuer.example/"`
	absent := []decision.Absent{{Field: "permissions"}, {Field: "issuer"}}
	for name, row := range map[string]struct {
		rego    string
		absent  []decision.Absent
		allowed string
	}{
		"permissions":            {permission, nil, `{"permissions":"see"}`},
		"no permissions":         {permission, absent, `null`},
		"a scope in their place": {permission + "\n\nallow if {\n\tinput.scope == \"see\"\n\tinput.azp == \"web\"\n}", absent, `{"scope":"see","azp":"web"}`},
		"one issuer":             {issuer, absent, `null`},
	} {
		found, err := caller.Find(t.Context(), prepareFor(t, row.rego, decision.Stack{Name: "live", Absent: row.absent}))
		if err != nil {
			t.Fatal(err)
		}
		if text, err := json.Marshal(found.Allowed); err != nil || string(text) != row.allowed {
			t.Errorf("%s: got %s, %v; want %s", name, text, err, row.allowed)
		}
	}
}
