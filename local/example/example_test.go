package example

import (
	"reflect"
	"strings"
	"testing"

	"account-api/local/issuer"
)

func TestCallersInWords(t *testing.T) {
	for want, caller := range map[string]Caller{
		"a token without scopes and permissions":                                            {},
		"a token with the scope read:seats":                                                 {Scope: "read:seats"},
		"a token with the scopes a, b and c":                                                {Scope: "a b c"},
		"a token with the permission p":                                                     {Permissions: "p"},
		`a token with the claims {"org":"o"}`:                                               {Claims: Claims{"org": "o"}},
		"a token with the scope a, the permissions p and q, the subject s and the client c": {"s", "a", "p q", "c", nil},
	} {
		if got := caller.String(); got != want {
			t.Errorf("expected %q, got %q", want, got)
		}
	}
}

func TestTokensOfCallers(t *testing.T) {
	if got := (Caller{}).Token(); got.Scopes == nil || len(got.Scopes) > 0 {
		t.Errorf("expected no scopes, and not nil, which is all, got %#v", got.Scopes)
	}
	want := issuer.TokenRequest{Scopes: []string{"a", "b"}, Permissions: []string{"p"}, Subject: "s", AuthorizedParty: "c", Claims: map[string]any{"org": "o"}}
	if got := (Caller{"s", "a b", "p", "c", Claims{"org": "o"}}).Token(); !reflect.DeepEqual(got, want) {
		t.Errorf("expected %+v, got %+v", want, got)
	}
	for want, caller := range map[string]Caller{
		"scope=":                                {},
		"azp=c&permissions=p+q&scope=a+b&sub=s": {"s", "a b", "p q", "c", nil},
		"claims=%7B%22roles%22%3A%5B%22r%22%5D%7D&scope=": {Claims: Claims{"roles": []any{"r"}}},
	} {
		if got := caller.Form().Encode(); got != want {
			t.Errorf("expected %s, got %s", want, got)
		}
	}
}

func TestRead(t *testing.T) {
	policies, err := Read(strings.NewReader(`[
		{"handler":"seats","entrypoint":"seats/decision","allowed":{"scope":"b","permissions":"p"},"denied":{},"scopes":["b","a"]},
		{"handler":"rows","entrypoint":"rows/decision","method":"PUT","resource":"/rows","allowed":null,"denied":null,"scopes":["b"]},
		{"handler":"broken","error":"broken.rego:3: rego_parse_error"}]`))
	if err != nil {
		t.Fatal(err)
	}
	want := []Policy{
		{Handler: "seats", Entrypoint: "seats/decision", Allowed: &Caller{Scope: "b", Permissions: "p"}, Denied: &Caller{}, Scopes: []string{"b", "a"}},
		{Handler: "rows", Entrypoint: "rows/decision", Method: "PUT", Resource: "/rows", Scopes: []string{"b"}},
		{Handler: "broken", Error: "broken.rego:3: rego_parse_error"},
	}
	if !reflect.DeepEqual(policies, want) {
		t.Errorf("expected %+v, got %+v", want, policies)
	}
	if got, want := Scopes(policies), []string{"a", "b"}; !reflect.DeepEqual(got, want) {
		t.Errorf("expected %q, got %q", want, got)
	}
	if _, err := Read(strings.NewReader("panic:")); err == nil {
		t.Error("expected what is no JSON to be an error")
	}
}
