package main

import (
	"regexp"
	"strings"
	"testing"

	"account-api/local/console"
	"account-api/local/example"
	"account-api/local/issuer"
)

var bearer = regexp.MustCompile(`Bearer eyJ[^']+`)

func TestCommands(t *testing.T) {
	i, err := issuer.New(issuer.Options{URL: "http://127.0.0.1:8081/", Audience: "https://seats.test/", Scopes: []string{"read:seats", "book:seats"}})
	if err != nil {
		t.Fatal(err)
	}
	const url = "http://127.0.0.1:8080/test/seats"
	guarded := console.Endpoint{Method: "GET", URL: url, Header: "Authorization", Policy: "policies/seats"}
	known := guarded
	known.Allowed, known.Denied = &example.Caller{Scope: "read:seats", Permissions: "see:rows"}, &example.Caller{}
	unknown := guarded
	unknown.Problem = "The reason."
	plain := console.Endpoint{Method: "POST", URL: url, Header: "Authorization"}
	for name, row := range map[string]struct {
		endpoint console.Endpoint
		issuer   *issuer.Issuer
		want     []string
		never    string
	}{
		"with example callers": {known, i, []string{
			"No token, 401:\n\n  curl -i " + url + "\n",
			"A token without scopes and permissions, which policies/seats denies, 403:\n\n  curl -i -H 'Authorization: Bearer T' " + url + "\n",
			"A token with the scope read:seats and the permission see:rows, which policies/seats allows:\n\n  curl -i -H 'Authorization: Bearer T' " + url + "\n",
			"-d audience=https://seats.test/ --data-urlencode permissions=see:rows --data-urlencode scope=read:seats\n",
		}, "every scope"},
		"if no allowed caller is known": {unknown, i, []string{
			"The reason.\n",
			"A token with every scope (read:seats, book:seats):\n\n  curl -i -H 'Authorization: Bearer T' " + url + "\n",
		}, "denies"},
		"without a policy": {plain, i, []string{
			"No token, 401:\n\n  curl -i -X POST " + url + "\n",
			"  curl -i -X POST -H 'Authorization: Bearer T' " + url + "\n",
		}, "policies"},
		"with the stack's own issuer": {known, nil, []string{
			"With a token of that issuer for https://seats.test/:\n\n  curl -i -H \"Authorization: Bearer $TOKEN\" " + url + "\n",
			"policies/seats allows a token with the scope read:seats and the permission see:rows.\n",
		}, "oauth"},
		"without an authorizer": {console.Endpoint{Method: "GET", URL: url}, nil, []string{
			"No token is needed:\n\n  curl -i " + url + "\n",
		}, "401"},
	} {
		t.Run(name, func(t *testing.T) {
			s := console.Stack{Endpoints: []console.Endpoint{row.endpoint}, Issuer: row.issuer,
				IssuerURL: "http://127.0.0.1:8081/", Audience: "https://seats.test/", Scopes: []string{"read:seats", "book:seats"}}
			var b strings.Builder
			if err := writeCommands(&b, s); err != nil {
				t.Fatal(err)
			}
			got := bearer.ReplaceAllString(b.String(), "Bearer T")
			for _, want := range row.want {
				if !strings.Contains(got, want) {
					t.Errorf("expected %q, got:\n%s", want, got)
				}
			}
			if strings.Contains(got, row.never) {
				t.Errorf("expected nothing of %q, got:\n%s", row.never, got)
			}
		})
	}
}

func TestQuoted(t *testing.T) {
	for text, want := range map[string]string{
		"":                  "''",
		"read:seats":        "read:seats",
		"a b":               "'a b'",
		"$HOME":             "'$HOME'",
		"it's":              `'it'\''s'`,
		"http://h/?a=1&b=2": "'http://h/?a=1&b=2'",
	} {
		if got := quoted(text); got != want {
			t.Errorf("expected %s, got %s", want, got)
		}
	}
}
