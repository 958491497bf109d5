package decision_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"account-api/internal/decision"
	"account-api/internal/ruleset"
)

// orders is a policy of the usual form: one scope is required.
const orders = `package gate

default allow := false

allow if "read:orders" in split(input.scope, " ")

default decision := {"allow": false, "reasons": {"scope \"read:orders\" is required"}}

decision := {"allow": true, "reasons": set()} if allow == true
`

// source is a file system with one policy file.
func source(rego string) fs.FS {
	return fstest.MapFS{"gate/gate.rego": {Data: []byte(rego)}}
}

// denied is what every entrypoint of the tests' policies has besides its rules.
const denied = "\ndefault decision := {\"allow\": false, \"reasons\": {\"by default\"}}\n"

// prepare adds the default to a policy without one.
func prepare(t testing.TB, rego string) *decision.Policy {
	t.Helper()
	if !strings.Contains(rego, "default decision") {
		rego += denied
	}
	policy, err := decision.Prepare(t.Context(), source(rego), "gate/decision")
	if err != nil {
		t.Fatal(err)
	}
	return policy
}

func TestPrepareRefuses(t *testing.T) {
	for _, row := range []struct {
		name, rego, entrypoint string
		want                   []string
	}{
		{"a syntax error, by file and line", "package gate\n\ndecision := {", "gate/decision",
			[]string{"gate/gate.rego:3", "rego_parse_error"}},
		{"Rego v0, by file and line", "package gate\n\ndecision = true { true }", "gate/decision",
			[]string{"gate/gate.rego:3", "`if` keyword is required"}},
		{"an unsafe variable, by file and line", "package gate\n\ndecision := x", "gate/decision",
			[]string{"gate/gate.rego:3", "var x is unsafe"}},
		{"what strict mode refuses, by file and line", "package gate\n\nimport data.other\n\ndecision := 1", "gate/decision",
			[]string{"gate/gate.rego:3", "import data.other unused"}},
		{"every fault and not only the first", "package gate\n\na := x\n\nb := y", "gate/decision",
			[]string{"gate/gate.rego:3", "gate/gate.rego:5"}},
		{"a file without a rule", "package gate", "gate/decision", []string{"gate/gate.rego:1", "data.gate.decision"}},
		{"an entrypoint that no rule defines", "package gate\n\nallow := true", "gate/decision", []string{"gate/gate.rego:1", "data.gate.decision"}},
		{"an entrypoint in another package", "package other\n\ndecision := 1", "gate/decision", []string{"gate/gate.rego:1", "data.gate.decision"}},
		{"an entrypoint without a default", "package gate\n\ndecision := {\"allow\": true, \"reasons\": set()} if input.scope", "gate/decision",
			[]string{"gate/gate.rego:3", "expected a default of data.gate.decision", "add default decision := "}},
		{"a default that is no decision", "package gate\n\ndefault decision := false", "gate/decision",
			[]string{"gate/gate.rego:3", "the default of data.gate.decision: expected an object with allow and reasons, got boolean"}},
		{"a value that is no decision", "package gate\n\ndecision := true if input.scope" + denied, "gate/decision",
			[]string{"gate/gate.rego:3", "a value of data.gate.decision: expected an object with allow and reasons, got boolean"}},
		{"a reason that is a number", "package gate\n\ndecision := {\"allow\": true, \"reasons\": {7}} if input.scope" + denied, "gate/decision",
			[]string{"gate/gate.rego:3", "a value of data.gate.decision: expected every reason to be a string, got number"}},
		{"a value that is no decision in an else branch", "package gate\n\ndecision := {\"allow\": true, \"reasons\": []} if input.scope else := {\"allow\": 1, \"reasons\": []} if input.azp" + denied, "gate/decision",
			[]string{"gate/gate.rego:3", "expected allow to be a boolean, got number"}},
		{"a misspelt field of the input", "package gate\n\nallow if input.scopes" + denied, "gate/decision",
			[]string{"gate/gate.rego:3", "undefined ref: input.scopes"}},
		{"a misspelt field, negated", "package gate\n\nallow if not input.scopes" + denied, "gate/decision",
			[]string{"gate/gate.rego:3", "undefined ref: input.scopes"}},
		{"a misspelt field of a variable", "package gate\n\nallow if {\n\tcaller := input\n\tcaller.scopes\n}" + denied, "gate/decision",
			[]string{"gate/gate.rego:5", "scopes"}},
		{"a misspelt field in object.get", "package gate\n\nallow if object.get(input, \"scopes\", \"\") != \"\"" + denied, "gate/decision",
			[]string{"gate/gate.rego:3", "undefined ref: input.scopes"}},
		{"a field of another type", "package gate\n\nallow if input.method == 7" + denied, "gate/decision",
			[]string{"gate/gate.rego:3", "match error"}},
		{"a header", "package gate\n\nallow if input.headers.Authorization" + denied, "gate/decision",
			[]string{"gate/gate.rego:3", "undefined ref: input.headers"}},
		{"names of nothing, together", "package gate\n\nallow if not data.gate.blocked", "gate/decision",
			[]string{"gate/gate.rego:3", "data.gate.blocked", "gate/gate.rego:1", "data.gate.decision"}},
		{"an entrypoint that is a package", "package gate\n\ndecision := 1", "gate", []string{`"gate"`}},
		{"an empty entrypoint", "package gate\n\ndecision := 1", "", []string{`""`}},
		{"an entrypoint that is not a path", "package gate\n\ndecision := 1", "%zz", []string{`"%zz"`}},
	} {
		t.Run(row.name, func(t *testing.T) {
			policy, err := decision.Prepare(t.Context(), source(row.rego), row.entrypoint)
			if err == nil || policy != nil {
				t.Fatalf("got policy %v and error %v, want an error only", policy, err)
			}
			for _, want := range row.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not name %s", err, want)
				}
			}
		})
	}
}

// OPA's type checker knows neither what a function is given nor the keys of object.get.
func TestPrepareFindsFieldsThatTheTypeCheckerMisses(t *testing.T) {
	for name, row := range map[string]struct{ rego, want string }{
		"through an argument":                     {"f(request) if request.scop == \"x\"\n\nallow if f(input)", "gate.rego:3: .*undefined ref: input.scop, want one of azp, "},
		"negated, through an argument":            {"f(request) if not request.scop\n\nallow if f(input)", "gate.rego:3: .*input.scop"},
		"through the second argument":             {"f(_, request) if request.scop\n\nallow if f(1, input)", "gate.rego:3: .*input.scop"},
		"through two functions":                   {"f(a) if g(a)\n\ng(b) if b.scop\n\nallow if f(input)", "gate.rego:5: .*input.scop"},
		"through an argument that is a part":      {"f(claims) if claims.org\n\nallow if f(input.claims)", "gate.rego:3: .*input.claims.org, want one of org_id\n\tstack live does not pass this claim on: pulumi config set --path 'claims\\[1\\]' org --stack live"},
		"through a variable in a function":        {"f(request) if {\n\tclaims := request.claims\n\tclaims.org\n}\n\nallow if f(input)", "gate.rego:5: .*input.claims.org"},
		"through a variable that is given":        {"f(request) if request.scop\n\nallow if {\n\tcaller := input\n\tf(caller)\n}", "gate.rego:3: .*input.scop"},
		"in an else branch":                       {"f(request) := 1 if false else := 2 if request.scop\n\nallow if f(input)", "gate.rego:3: .*input.scop"},
		"in a comprehension in a function":        {"f(request) := {1 | request.scop}\n\nallow if f(input)", "gate.rego:3: .*input.scop"},
		"in object.get":                           {"allow if object.get(input, \"scop\", \"\") != \"\"", "gate.rego:3: .*input.scop"},
		"in object.get of a variable":             {"allow if {\n\tcaller := input\n\tobject.get(caller, \"scop\", \"\") != \"\"\n}", "gate.rego:5: .*input.scop"},
		"in object.get of a path":                 {"allow if object.get(input, [\"claims\", \"org\"], \"\") != \"\"", "gate.rego:3: .*input.claims.org"},
		"in object.get of the claims":             {"allow if object.get(input.claims, \"org\", \"\") != \"\"", "gate.rego:3: .*input.claims.org"},
		"in object.get in a function":             {"f(request) := object.get(request, \"scop\", \"\")\n\nallow if f(input)", "gate.rego:3: .*input.scop"},
		"in a variable":                           {"allow if {\n\tcaller := input\n\tcaller.scop\n}", "gate.rego:5: .*scop"},
		"and not a field that is there":           {"f(request) if request.scope\n\nallow if f(input)", ""},
		"and not a claim that is there":           {"f(request) if object.get(request, [\"claims\", \"org_id\"], \"\")\n\nallow if f(input)", ""},
		"and no parameter or part of the query":   {"f(request) if {\n\trequest.parameters.scop\n\trequest.query.scop[0].scop\n}\n\nallow if f(input)", ""},
		"and no argument that differs by call":    {"f(request) if request.scop\n\nallow if f(input)\n\nallow if f({\"scop\": 1})", ""},
		"and no part that differs by call":        {"f(part) if part.scop\n\nallow if f(input)\n\nallow if f(input.query)", ""},
		"and no function in place of another":     {"f(x) if x.y\n\ng(request) if request.scop\n\nh if f({\"y\": 1})\n\nallow if {\n\tg(input)\n\th with f as g\n}", ""},
		"and no input that the policy has chosen": {"f(request) if request.scop\n\nallow if f(input) with input as {\"scop\": 1}", ""},
		"and no object of the policy":             {"f(limits) if object.get(limits, \"scop\", 1)\n\nallow if f({\"a\": 1})", ""},
		"and no variable for a name":              {"f(request, name) if request[name]\n\nallow if f(input, \"scop\")", ""},
	} {
		stack := decision.Stack{Name: "live", Claims: []string{"org_id"}}
		_, err := decision.PrepareFor(t.Context(), source("package gate\n\n"+row.rego+"\n"+denied), "gate/decision", stack)
		if row.want == "" && err != nil || row.want != "" && (err == nil || !regexp.MustCompile(row.want).MatchString(err.Error())) {
			t.Errorf("%s: got %v, want %q", name, err, row.want)
		}
	}
}

func TestPrepareRefusesFilesWithoutPolicy(t *testing.T) {
	shared := &fstest.MapFile{Data: []byte("package shared\n\nweb := \"web\"\n")}
	const want = "policies/gate: expected at least one .rego file, with a rule at data.gate.decision, got none: add policies/gate/gate.rego"
	for name, files := range map[string]fs.FS{
		"nothing at all":              fstest.MapFS{},
		"other files only":            fstest.MapFS{"gate/readme.md": {Data: []byte("package gate")}},
		"shared files only":           fstest.MapFS{"shared/web.rego": shared},
		"a document and shared files": fstest.MapFS{"gate/data.json": {Data: []byte("{}")}, "shared/web.rego": shared},
	} {
		if _, err := decision.Prepare(t.Context(), files, "gate/decision"); err == nil || err.Error() != want {
			t.Errorf("%s: got error %v, want %s", name, err, want)
		}
	}
}

// OPA's compiler ends at the first unsafe variable or unknown function, before it knows types.
func TestPrepareReportsFaultsOfEveryStage(t *testing.T) {
	faulty := fstest.MapFS{
		"gate/gate.rego": {Data: []byte(`package gate

import data.unused

decision := {"allow": true, "reasons": set()} if allow

allow if {
	input.scopes == "x"
	not data.shared.blocked[input.azp]
}

allow if time.now_ns() > input.time

allow if y == 1

allow if {
	z := 1
	input.claims.tier == "gold"
}

allow if input.method == 7

f(x) := input.headers if x == 1 else := input.body

g[x] := y if input.bodies

allow if f(1) == g[2]
`)},
		"shared/shared.rego": {Data: []byte("package shared\n\nlist := {\"a\"}\n")},
	}
	want := []string{
		`gate.rego:3: .*import data.unused unused`,
		`gate.rego:5: .*expected a default of data.gate.decision`,
		`gate.rego:8: .*undefined ref: input.scopes`,
		`gate.rego:9: .*expected a rule at data.shared.blocked`,
		`gate.rego:12: .*undefined function time.now_ns`,
		`gate.rego:14: .*var y is unsafe`,
		`gate.rego:17: .*assigned var z unused`,
		`gate.rego:18: .*undefined ref: input.claims`,
		`gate.rego:21: .*match error`,
		`gate.rego:23: .*undefined ref: input.headers`,
		`gate.rego:23: .*undefined ref: input.body`,
		`gate.rego:25: .*var x is unsafe`,
		`gate.rego:25: .*var y is unsafe`,
	}
	check := func(want []string) {
		t.Helper()
		_, err := decision.PrepareFor(t.Context(), faulty, "gate/decision", decision.Stack{Name: "live"})
		lines := regexp.MustCompile(`(?m)^policies/.*$`).FindAllString(fmt.Sprint(err), -1)
		for i, line := range want {
			if i >= len(lines) || !regexp.MustCompile("^policies/.*"+line).MatchString(lines[i]) {
				t.Fatalf("got %v\nfault %d should be %s", err, i, line)
			}
		}
		if len(lines) != len(want) {
			t.Errorf("got %v\nwant %d faults", err, len(want))
		}
	}
	check(want)

	// Of a package with a file that does not parse nothing else is known.
	faulty["shared/broken.rego"] = &fstest.MapFile{Data: []byte("package shared\n\nmore := {\n")}
	faulty["other/broken.rego"] = &fstest.MapFile{Data: []byte("package other\n\nmore := [\n")}
	faulty["gate/list.yaml"] = &fstest.MapFile{Data: []byte("a: 1")}
	check(append(slices.DeleteFunc(want, func(line string) bool { return strings.Contains(line, "data.shared.blocked") }),
		`other/broken.rego:4: .*unexpected eof token`, `shared/broken.rego:4: .*unexpected eof token`, `gate/list.yaml: expected a data document to be named`))
}

// Such a file would change what another package decides.
func TestPrepareRefusesAFileOfAnotherDirectorysPackage(t *testing.T) {
	for name, row := range map[string]struct{ file, text, want string }{
		"a rule of the handler in the shared directory": {"shared/more.rego", "package gate\n\nallow if input.azp\n", "policies/shared/more.rego:1: .*expected package shared or one below it, as the directory is named, got package gate"},
		"a shared rule in the handler's directory":      {"gate/more.rego", "package shared\n\nlist contains 1\n", "policies/gate/more.rego:1: .*expected package gate or one below it"},
		"a package whose name begins alike":             {"gate/more.rego", "package gates\n\nlist contains 1\n", "policies/gate/more.rego:1: .*expected package gate"},
		"a package below that of the directory":         {"gate/more.rego", "package gate.deep\n\nlist contains 1\n", ""},
	} {
		files := fstest.MapFS{"gate/gate.rego": {Data: []byte(orders)}, row.file: {Data: []byte(row.text)}}
		_, err := decision.Prepare(t.Context(), files, "gate/decision")
		if row.want == "" && err != nil || row.want != "" && (err == nil || !regexp.MustCompile(row.want).MatchString(err.Error())) {
			t.Errorf("%s: got %v, want %q", name, err, row.want)
		}
	}
}

// A link would be left out by go:embed, or refused, by where it is.
func TestPrepareRefusesASymbolicLink(t *testing.T) {
	root := t.TempDir()
	for name, content := range map[string]string{"gate/gate.rego": orders, "lists/data.json": `{"blocked":[]}`} {
		if err := os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"gate/data.json": "../lists/data.json", "gate/lists": "../lists"} {
		path := filepath.Join(root, link)
		if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
		_, err := decision.Prepare(t.Context(), ruleset.Of(os.DirFS(root), "gate"), "gate/decision")
		if err == nil || !strings.Contains(err.Error(), "policies/"+link+": expected a file, got a symbolic link") {
			t.Errorf("%s: got %v", link, err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPrepareReportsFaultsOfEveryFile(t *testing.T) {
	_, err := decision.Prepare(t.Context(), fstest.MapFS{
		"a.rego": {Data: []byte("package a\n\nrule := {")},
		"b.rego": {Data: []byte("package b\n\nrule := [")},
	}, "a/rule")
	for _, want := range []string{"a.rego:3", "b.rego:3"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not name %s", err, want)
		}
	}
}

// A decision depends on its input and on nothing else.
func TestPolicyCannotReachBeyondItsInput(t *testing.T) {
	for name, expression := range map[string]string{
		"http.send":                 `http.send({"method": "get", "url": "http://127.0.0.1"})`,
		"net.lookup_ip_addr":        `net.lookup_ip_addr("localhost")`,
		"opa.runtime":               `opa.runtime()`,
		"rand.intn":                 `rand.intn("seed", 2)`,
		"uuid.rfc4122":              `uuid.rfc4122("seed")`,
		"time.now_ns":               `time.now_ns()`,
		"trace":                     `trace("x")`,
		"a deprecated function":     `all([true])`,
		"io.jwt.verify_rs256":       `io.jwt.verify_rs256("x", "y")`,
		"a certificate's validity":  `crypto.x509.parse_and_verify_certificates("x")`,
		"io.jwt.decode_verify":      `io.jwt.decode_verify("x", {})`,
		"json.verify_schema":        `json.verify_schema({"$ref": "http://127.0.0.1"})`,
		"a function of a later OPA": `later.function(1)`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := decision.Prepare(t.Context(), source("package gate\n\ndecision := "+expression), "gate/decision")
			if err == nil || !strings.Contains(err.Error(), "gate/gate.rego:3") || !strings.Contains(err.Error(), "undefined function") ||
				!strings.Contains(err.Error(), "internal/decision/capabilities.json") {
				t.Errorf("got error %v, want an undefined function at gate/gate.rego:3, and where the others are listed", err)
			}
		})
	}
}

func TestRevisionIsThatOfTheSource(t *testing.T) {
	const (
		one = "package gate\n\ndefault decision := {\"allow\": true, \"reasons\": set()}\n"
		two = "package gate\n\ndefault decision := {\"allow\": false, \"reasons\": set()}\n"
	)
	revision := func(files fstest.MapFS) string {
		policy, err := decision.Prepare(t.Context(), files, "gate/decision")
		if err != nil {
			t.Fatal(err)
		}
		return policy.Revision()
	}
	base := revision(fstest.MapFS{"gate/gate.rego": {Data: []byte(one)}})

	// printf 'package gate\n\ndefault decision := {"allow": true, "reasons": set()}\n' > gate/gate.rego; sha256sum gate/gate.rego | sha256sum
	if want := "05b851ddfa07dc5df4de16d4f56081f742ade0f73b4c63886531ca994e682c89"; base != want {
		t.Errorf("revision is %s, but sha256sum says %s", base, want)
	}
	if again := revision(fstest.MapFS{"gate/gate.rego": {Data: []byte(one)}, "gate/readme.md": {}}); again != base {
		t.Error("a file that is not a policy changed the revision")
	}
	for name, files := range map[string]fstest.MapFS{
		"another rule":      {"gate/gate.rego": {Data: []byte(two)}},
		"another file name": {"gate/door.rego": {Data: []byte(one)}},
		"a data document":   {"gate/gate.rego": {Data: []byte(one)}, "gate/data.json": {Data: []byte("{}")}},
		"another file":      {"gate/gate.rego": {Data: []byte(one)}, "gate/more.rego": {Data: []byte("package gate")}},
	} {
		if revision(files) == base {
			t.Errorf("%s did not change the revision", name)
		}
	}
}
