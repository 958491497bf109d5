package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"io/fs"
	"path"
	"strings"
	"text/template"

	"account-api/internal/decision"
)

//go:embed policies.md.tmpl
var page string

// example is a policy for the page. Its files are in a directory of its name in testdata.
type example struct {
	Directory, Title, Text string
	Files                  []file
}

type file struct{ Name, Language, Content string }

var examples = []example{
	{Directory: "own", Title: "The caller's own record only", Text: "The path has a parameter. With several trusted issuers, compare `issuer` too: a principal is unique per issuer."},
	{Directory: "role", Title: "A role in a namespaced claim", Text: "The file of every stack that deploys the rule has `claims: [https://example.com/roles]`. Then `make docs` tells the `opa` command.\nFor a stack without it, `make test`, `pulumi preview` and `make run` refuse the policy."},
	{Directory: "blocked", Title: "A block list", Text: "The list is a data document next to the rule. An edit of it is an edit of the policy: reviewed, tested and shipped alike."},
	{Directory: "hours", Title: "Office hours", Text: "`input.time` is when API Gateway received the request, so the decision can be made again later."},
	{Directory: "granted", Title: "A scope or a permission", Text: "Two rules of one name: either is enough. Where the provider has no permissions, only the first ever holds."},
}

// exampleClaims are the claims that the examples' stack passes on.
var exampleClaims = []string{"https://example.com/roles"}

// sample is the input that the page shows.
var sample = decision.Input{
	Method: "GET", Path: []string{"accounts", "auth0|1", "profile"}, Resource: "/accounts/{account}/profile",
	Parameters: map[string]string{"account": "auth0|1"}, Query: map[string][]string{"fields": {"name", "mail"}},
	Time:      1781697600000000000,
	Principal: "auth0|1", Scope: "openid read:reports", Permissions: "read:reports", AuthorizedParty: "web-app",
	Issuer: "https://TENANT.eu.auth0.com/", Claims: decision.Claims(`{"https://example.com/roles":["support"]}`),
}

// policiesPage writes the page about policies. Testdata has the examples.
func policiesPage(testdata fs.FS) ([]byte, error) {
	input, err := json.MarshalIndent(sample, "", "  ")
	if err != nil {
		return nil, err
	}
	var filled []example
	for _, e := range examples {
		entries, err := fs.ReadDir(testdata, e.Directory)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			name := path.Join(e.Directory, entry.Name())
			content, err := fs.ReadFile(testdata, name)
			if err != nil {
				return nil, err
			}
			if !strings.HasSuffix(name, "_test.rego") {
				e.Files = append(e.Files, file{"policies/" + name, strings.TrimPrefix(path.Ext(name), "."), string(content)})
			}
		}
		filled = append(filled, e)
	}
	var text bytes.Buffer
	err = template.Must(template.New("").Parse(page)).Execute(&text, map[string]any{
		"Fields": decision.Fields, "Input": string(input), "Examples": filled,
	})
	return text.Bytes(), err
}
