package main

import (
	"cmp"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"account-api/internal/decision"
)

// handler is the name of the fixture's handler.
const handler = "desk"

// project is the fixture before an edit.
var project = map[string]string{
	"Pulumi.dev.yaml":           "config:\n  claims: [tier]\n",
	"policies/shared/data.json": `{"blocked": ["crawler"]}`,
	"policies/shared/shared.rego": `package shared

is_web(client) if client in {"web", "app"}
`,
	"policies/shared/shared_test.rego": `package shared_test

import data.shared

test_web if shared.is_web("web")
`,
	rules: decision.WithSchema(`# METADATA
# scope: package
# schemas:
#   - input
package desk

import data.shared

default allow := false

allow if {
	"desk:read" in split(input.scope, " ")
	client := input.azp
	not client in shared.blocked
}

# METADATA
# entrypoint: true
default decision := {"allow": false, "reasons": {"the scope desk:read is required"}}

decision := {"allow": true, "reasons": set()} if allow == true
`, []string{"tier"}),
	tests: `package desk_test

import data.desk

reader := {"scope": "desk:read", "azp": "web"}

test_reader if desk.decision.allow == true with input as reader

test_writer if desk.decision.allow == false with input as {"scope": "desk:write", "azp": "web"}

test_blocked if desk.decision.allow == false with input as {"scope": "desk:read", "azp": "crawler"}

test_nobody if desk.decision.allow == false with input as {}
`,
}

const (
	rules = "policies/desk/desk.rego"
	tests = "policies/desk/desk_test.rego"
	scope = `"desk:read" in split(input.scope, " ")`
)

// outcome is what our commands should say about an edit.
type outcome int

const (
	serves   outcome = iota // it is right, or nothing can tell that it is not
	untested                // a test fails, or a line is not covered
	refused
)

// edit is a change of the fixture.
type edit struct {
	name     string            // a sentence
	from, to string            // in the rules
	files    map[string]string // further files, by path; "" removes one
	link     string            // a symbolic link to the rules, by path
	want     outcome
	message  string // part of what a refusal says
	caller   string // who must not be allowed, as members of the authorizer's context; "" is a caller with another scope
	status   int    // what the handler answers to that caller; 0 is 403, or 500 if refused
	stock    string // why stock opa accepts what is refused, or passes what fails
	stricter string // why stock opa refuses what is accepted
	settings string // why the handler cannot refuse it
}

func (e edit) denied() string {
	return cmp.Or(e.caller, `"principalId":"auth0|2","scope":"desk:write","azp":"web"`)
}

// write makes the project with the edit.
func (e edit) write(root string) error {
	files := map[string]string{}
	for name, content := range project {
		files[name] = content
	}
	if !strings.Contains(files[rules], e.from) {
		return fmt.Errorf("%s: the rules have no %q", e.name, e.from)
	}
	files[rules] = strings.Replace(files[rules], e.from, e.to, 1)
	for name, content := range e.files {
		files[name] = content
	}
	for name, content := range files {
		if content == "" {
			continue
		}
		file := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			return err
		}
	}
	if e.link != "" {
		return os.Symlink(path.Base(rules), filepath.Join(root, filepath.FromSlash(e.link)))
	}
	return nil
}

// The reasons for which stock opa accepts more.
const (
	names      = "To OPA, a name that nothing defines is undefined and no error."
	together   = "OPA loads tests and rules together, a handler has no tests."
	entrypoint = "OPA does not know which rule a handler asks."
	arguments  = "OPA's type checker knows neither what a function is given nor the keys of `object.get`."
	documents  = "OPA loads each file below the directory as data."
	everything = "OPA loads all of `policies/`, a handler only its own directory and `shared`."
	shape      = "OPA accepts each value of a rule."
	coverage   = "Coverage is another run: `opa test --coverage --threshold 100`."
	document   = "`opa check` reads no document, `opa test` does."
	files      = "To OPA, any file may be of any package."
)

const (
	missingDefault = `# METADATA
# entrypoint: true
default decision := {"allow": false, "reasons": {"the scope desk:read is required"}}
`
	crawler = `"principalId":"auth0|2","scope":"desk:read","azp":"crawler"`
)

var edits = []edit{
	// Right.
	{name: "Nothing is edited"},
	{name: "The scope is renamed in the rule and in its tests", from: scope, to: `"desks:see" in split(input.scope, " ")`,
		files: map[string]string{tests: strings.ReplaceAll(project[tests], "desk:read", "desks:see")}},
	{name: "A helper moves to a second file of the directory", from: scope, to: "may_read",
		files: map[string]string{"policies/desk/scope.rego": "package desk\n\nmay_read if " + scope + "\n"}},
	{name: "A helper of the shared directory is used", from: "client := input.azp", to: "client := input.azp\n\tshared.is_web(client)"},
	{name: "A client is added to the block list", files: map[string]string{"policies/shared/data.json": `{"blocked": ["crawler", "web"]}`}, want: untested,
		caller: `"principalId":"auth0|2","scope":"desk:read","azp":"web"`},
	{name: "A regular expression, arithmetic and a template string are used", from: scope,
		to: scope + "\n\tregex.match(`^[a-z]+$`, input.azp)\n\tcount(split(input.scope, \" \")) + 1 > 1\n\t$\"{input.azp}\" != \"\""},
	{name: "A rule reads a claim that the stack passes on", from: "client := input.azp", to: "client := input.azp\n\tobject.get(input, [\"claims\", \"tier\"], \"gold\") == \"gold\""},
	{name: "A file has the line ends of Windows", files: map[string]string{"policies/shared/shared.rego": strings.ReplaceAll(project["policies/shared/shared.rego"], "\n", "\r\n")}},
	{name: "A file begins with a byte order mark", files: map[string]string{"policies/shared/shared.rego": "\ufeff" + project["policies/shared/shared.rego"]}},
	{name: "Reasons are an array", from: `"reasons": {"the scope desk:read is required"}`, to: `"reasons": ["the scope desk:read is required"]`},

	// Wrong, and found by the compiler.
	{name: "A bracket is missing", from: "default allow := false", to: "default allow := {", want: refused, message: "rego_parse_error"},
	{name: "The rule is written in the old language", from: "allow if {", to: "allow {", want: refused, message: "`if` keyword is required"},
	{name: "A variable is misspelt", from: "not client in", to: "not clients in", want: refused, message: "var clients is unsafe"},
	{name: "A variable is assigned and never used", from: "client := input.azp", to: "client := input.azp\n\tother := input.principal", want: refused, message: "assigned var other unused"},
	{name: "An import is never used", from: "import data.shared\n", to: "import data.shared\nimport data.desk.other\n", want: refused, message: "unused"},
	{name: "A field of the input is misspelt", from: "input.scope,", to: "input.scopes,", want: refused, message: "undefined ref: input.scopes"},
	{name: "A misspelt field is negated", from: "client := input.azp", to: "client := input.azp\n\tnot input.claim.tier", want: refused, message: "undefined ref: input.claim"},
	{name: "A field is compared with a value of another type", from: "client := input.azp", to: "client := input.azp\n\tinput.method == 7", want: refused, message: "match error"},
	{name: "A misspelt field is read from a variable", from: "client := input.azp", to: "caller := input\n\tclient := caller.client", want: refused, message: "undefined ref: caller.client"},
	{name: "A misspelt field is read from an argument", from: "\tnot client in shared.blocked\n}", to: "\tnot client in shared.blocked\n\tnot off(input)\n}\n\noff(request) if request.disabled", want: refused, message: "undefined ref: input.disabled", stock: arguments},
	{name: "A misspelt field is read with object.get", from: "client := input.azp", to: "client := object.get(input, \"client\", \"web\")", want: refused, message: "undefined ref: input.client", stock: arguments},
	{name: "A rule reads a claim that no stack passes on", from: "client := input.azp", to: "client := input.azp\n\tinput.claims.level == \"high\"", want: refused, message: "undefined ref: input.claims.level",
		settings: "The handler knows no settings. It is not built with this policy."},
	{name: "A header is read", from: "client := input.azp", to: "client := input.headers.Host", want: refused, message: "undefined ref: input.headers"},
	{name: "The clock is read", from: "client := input.azp", to: "client := input.azp\n\ttime.now_ns() > 0", want: refused, message: "undefined function time.now_ns"},
	{name: "The network is used", from: "client := input.azp", to: "client := http.send({\"method\": \"GET\", \"url\": input.azp}).body", want: refused, message: "undefined function http.send"},
	{name: "A built-in function is misspelt", from: "split(input.scope", to: "splitt(input.scope", want: refused, message: "undefined function splitt"},
	{name: "A helper is used that nobody wrote", from: "not client in shared.blocked", to: "not shared.is_blocked(client)", want: refused, message: "undefined function data.shared.is_blocked"},
	{name: "A list is used that nobody wrote", from: "shared.blocked", to: "shared.banned", want: refused, message: "data.shared.banned", caller: crawler, stock: names},
	{name: "The block list is deleted", files: map[string]string{"policies/shared/data.json": ""}, want: refused, message: "data.shared.blocked", caller: crawler, stock: names},
	{name: "A package is misspelt in an import", from: "import data.shared\n", to: "import data.share as shared\n", want: refused, message: "data.share", caller: crawler, stock: names},
	{name: "A list of another handler is used", from: "not client in shared.blocked", to: "not client in shared.blocked\n\tnot client in data.other.blocked", want: refused, message: "data.other", caller: crawler,
		files: map[string]string{"policies/other/data.json": `{"blocked": ["crawler"]}`}, stock: everything},
	{name: "A document is named after its content", files: map[string]string{"policies/shared/data.json": "", "policies/shared/clients.json": `{"blocked": ["crawler"]}`}, want: refused, message: "expected a data document to be named data.json or data.yaml", caller: crawler, stock: documents},
	{name: "A document has a key twice", files: map[string]string{"policies/shared/data.json": `{"blocked": ["crawler"], "blocked": []}`}, want: refused, message: "data.json", caller: crawler, stock: document},
	{name: "A file of YAML has two documents", files: map[string]string{"policies/shared/data.json": "", "policies/shared/data.yaml": "blocked: []\n---\nblocked: [crawler]\n"}, want: refused, message: "got a second document", caller: crawler, stock: document},
	{name: "Two documents have one key", files: map[string]string{"policies/shared/data.yaml": "blocked: []\n"}, want: refused, message: "data.shared.blocked in both", caller: crawler, stock: document},
	{name: "A document shadows a rule", files: map[string]string{"policies/desk/data.json": `{"allow": true}`}, want: refused, message: "conflicting rule for data path", stock: document},
	{name: "A document shadows the package", files: map[string]string{"policies/shared/data.json": `{"blocked": ["crawler"]}`, "policies/data.json": `{"desk": {"decision": {"allow": true, "reasons": []}}}`}, stricter: "OPA loads the document, which a handler does not carry."},
	{name: "The entrypoint is renamed", from: missingDefault + "\ndecision :=", to: strings.ReplaceAll(missingDefault, "decision", "verdict") + "\nverdict :=", want: refused, message: "expected a rule at data.desk.decision", stock: entrypoint},
	{name: "The package is renamed", from: "package desk\n", to: "package desks\n", want: refused, message: "expected package desk", stock: files},
	{name: "The entrypoint has no default", from: missingDefault, to: "", want: refused, message: "expected a default of data.desk.decision", stock: entrypoint},
	{name: "The default is no decision", from: `default decision := {"allow": false, "reasons": {"the scope desk:read is required"}}`, to: "default decision := {\"allow\": false}", want: refused, message: "the default of data.desk.decision", stock: shape},
	{name: "The decision has two defaults", from: "decision := {\"allow\": true", to: "default decision := {\"allow\": true, \"reasons\": set()}\n\ndecision := {\"allow\": true", want: refused, message: "multiple default rules"},
	{name: "A shared file has a rule of the handler's package", files: map[string]string{"policies/shared/more.rego": "package desk\n\nallow if input.azp == \"web\"\n"}, want: refused, message: "expected package shared", stock: files},
	{name: "A rule is its own condition", from: "default allow := false", to: "default allow := false\n\nallow if decision.allow", want: refused, message: "recursive"},
	{name: "A file is a symbolic link", link: "policies/desk/again.rego", want: refused, message: "got a symbolic link"},

	// Wrong, and found by tests.
	{name: "The condition is deleted", from: scope + "\n", to: "", want: untested, status: 200},
	{name: "The condition is negated", from: scope, to: "not " + scope, want: untested, status: 200},
	{name: "The default is to allow", from: "default allow := false", to: "default allow := true", want: untested, status: 200},
	{name: "A rule that no test evaluates is added", from: "default allow := false", to: "default allow := false\n\nallow if input.permissions == \"desk:read\"", want: untested, stock: coverage},
	{name: "A test fails", files: map[string]string{"policies/desk/more_test.rego": "package desk_test\n\ntest_more if false\n"}, want: untested},
	{name: "A test adds to a list of the rules", from: "not client in shared.blocked", to: "not client in shared.blocked\n\tnot client in blocked",
		files: map[string]string{"policies/desk/lists.rego": "package desk\n\nblocked contains \"robot\"\n", "policies/desk/more_test.rego": "package desk\n\nblocked contains \"bot\"\n\ntest_bot if not allow with input as {\"scope\": \"desk:read\", \"azp\": \"bot\"}\n"},
		want:  untested, status: 200, caller: `"principalId":"auth0|2","scope":"desk:read","azp":"bot"`, stock: together},
	{name: "A test does not parse", files: map[string]string{"policies/desk/more_test.rego": "package desk_test\n\ntest_more if {\n"}, want: untested},
	{name: "A test has a default for the decision", files: map[string]string{"policies/desk/more_test.rego": "package desk\n\ndefault decision := {\"allow\": true, \"reasons\": set()}\n"}, want: untested},

	// Wrong when it decides.
	{name: "Two rules decide differently", from: "decision := {\"allow\": true", to: "decision := {\"allow\": false, \"reasons\": set()} if input.scope\n\ndecision := {\"allow\": true", want: untested},
	{name: "Allow is a string", from: `{"allow": true, "reasons": set()}`, to: `{"allow": "true", "reasons": set()}`, want: refused, message: "expected allow to be a boolean, got string", stock: shape},
	{name: "A reason is a number", from: `"reasons": set()}`, to: `"reasons": {7}}`, want: refused, message: "expected every reason to be a string, got number", stock: shape},
	{name: "A reason is computed, and a number", from: `"reasons": set()}`, to: `"reasons": {count(input.scope)}}`},
}
