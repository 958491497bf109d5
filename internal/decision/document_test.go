package decision_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"account-api/internal/decision"
)

func prepareWithDocuments(t *testing.T, rego string, documents map[string]string) (*decision.Policy, error) {
	t.Helper()
	files := fstest.MapFS{"gate/gate.rego": {Data: []byte("package gate\n\n" + rego + "\n" + denied)}}
	for name, content := range documents {
		files[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return decision.Prepare(t.Context(), files, "gate/decision")
}

// A block list that a handler did not carry would let everybody in.
func TestDecideReadsDataDocuments(t *testing.T) {
	const decided = "\n\ndecision := {\"allow\": true, \"reasons\": set()} if allow"
	for _, row := range []struct {
		name, rego string
		documents  map[string]string
	}{
		{"a list of its own", "allow if not input.azp in data.gate.blocked", map[string]string{"gate/data.json": `{"blocked":["crawler"]}`}},
		{"a shared object", "allow if not data.shared.blocked[input.azp]", map[string]string{"shared/data.json": `{"blocked":{"crawler":true}}`}},
		{"YAML in a directory within", "allow if not data.shared.lists.blocked[input.azp]", map[string]string{"shared/lists/data.yaml": "blocked:\n  crawler: true\n"}},
		{"two documents with keys of one object", "allow if not data.shared.lists.blocked[input.azp]",
			map[string]string{"shared/data.json": `{"lists":{"known":{}}}`, "shared/lists/data.json": `{"blocked":{"crawler":true}}`}},
		{"an import", "import data.shared.blocked\n\nallow if not blocked[input.azp]", map[string]string{"shared/data.json": `{"blocked":{"crawler":true}}`}},
		{"a place in a list", `allow if data.gate.blocked[0] != input.azp`, map[string]string{"gate/data.json": `{"blocked":["crawler"]}`}},
	} {
		t.Run(row.name, func(t *testing.T) {
			policy, err := prepareWithDocuments(t, row.rego+decided, row.documents)
			if err != nil {
				t.Fatal(err)
			}
			for client, want := range map[string]bool{"crawler": false, "web": true} {
				if got, err := policy.Decide(t.Context(), decision.Input{AuthorizedParty: client}); err != nil || got.Allow != want {
					t.Errorf("%s: got %+v, %v; want allow %t", client, got, err, want)
				}
			}
		})
	}
}

// aliases is a small document that stands for 10^9 texts.
func aliases() string {
	var document strings.Builder
	document.WriteString("a: &a [x, x, x, x, x, x, x, x, x, x]\n")
	for c := 'b'; c < 'j'; c++ {
		fmt.Fprintf(&document, "%c: &%[1]c [%s]\n", c, strings.TrimSuffix(strings.Repeat("*"+string(c-1)+", ", 10), ", "))
	}
	return document.String()
}

func TestPrepareAcceptsKeysOfSeveralObjects(t *testing.T) {
	_, err := prepareWithDocuments(t, "", map[string]string{"shared/data.json": `{"a":{"b":1,"c":["b","b",{"b":"a"}]},"b":{"b":{"b":[]}},"c":"b","d":["d"]}`})
	if err != nil {
		t.Error(err)
	}
}

func TestPrepareRefusesDataDocuments(t *testing.T) {
	for _, row := range []struct {
		name, rego string
		documents  map[string]string
		want       string
	}{
		{"a key that no document has", "allow if not data.shared.banned[input.azp]", map[string]string{"shared/data.json": `{"blocked":{}}`},
			"gate/gate.rego:3: rego_compile_error: expected a rule at data.shared.banned, got none"},
		{"a constant key that an object has not", "allow if not data.shared.limits.medium", map[string]string{"shared/data.json": `{"limits":{"low":1}}`}, "data.shared.limits.medium, got none"},
		{"a name in a variable", "allow if not data.shared[input.azp]", map[string]string{"shared/data.json": `{"blocked":{}}`}, "expected the name of a rule at input.azp"},
		{"a directory as a value", "allow if {\n\tlists := data.shared\n\tnot lists.banned\n}", map[string]string{"shared/data.json": `{"blocked":{}}`}, "got all of package data.shared"},
		{"a key twice", "allow if not input.azp in data.shared.blocked", map[string]string{"shared/data.json": `{"blocked":["crawler"],"blocked":[]}`}, `policies/shared/data.json: expected an object in JSON or YAML: got the key "blocked" twice`},
		{"a key twice in an object of a list", "", map[string]string{"shared/data.json": `{"a":[1,{"b":{"a":"b"},"c":1,"b":2}]}`}, `got the key "b" twice`},
		{"a key twice in YAML", "", map[string]string{"shared/data.yaml": "lists:\n  blocked: [crawler]\n  blocked: []\n"}, `mapping key "blocked" already defined`},
		{"a key twice behind a byte order mark", "", map[string]string{"shared/data.json": "\ufeff" + `{"blocked":["crawler"],"blocked":[]}`}, `mapping key "blocked" already defined`},
		{"two documents in one file", "", map[string]string{"shared/data.yaml": "blocked: []\n---\nblocked: [crawler]\n"}, "got a second document"},
		{"two objects in one file", "", map[string]string{"shared/data.json": `{"blocked":[]}{"blocked":["crawler"]}`}, "shared/data.json: expected an object in JSON or YAML"},
		{"a number without end", "", map[string]string{"shared/data.json": `{"limits":[{"high":1e1000000000}]}`}, "policies/shared/data.json: limits: high: expected a smaller number"},
		{"aliases of aliases", "", map[string]string{"shared/data.yaml": aliases()}, "excessive aliasing"},
		{"one key in two documents", "", map[string]string{"shared/data.json": `{"lists":{"a":1}}`, "shared/lists/data.yaml": "a: 2"}, "policies/shared/lists/data.yaml: expected other keys than another document has, got data.shared.lists.a in both"},
		{"one key in two documents of a directory", "", map[string]string{"shared/data.json": `{"a":1}`, "shared/data.yaml": "a: 1"}, "policies/shared/data.yaml: "},
		{"a key that is a rule", "blocked contains \"x\"", map[string]string{"gate/data.json": `{"blocked":["crawler"]}`}, "gate/gate.rego:3"},
		{"another name", "", map[string]string{"shared/clients.json": `{}`}, "policies/shared/clients.json: expected a data document to be named data.json or data.yaml"},
		{"a list at the top", "", map[string]string{"shared/data.json": `[]`}, "policies/shared/data.json: expected an object"},
		{"what is no JSON", "", map[string]string{"shared/data.json": `{"a`}, "policies/shared/data.json: expected an object"},
		{"two faults", "", map[string]string{"shared/a.json": `{}`, "shared/data.json": `[]`}, "policies/shared/a.json: expected a data document to be named data.json or data.yaml, got a.json: put its content there\npolicies/shared/data.json: "},
	} {
		t.Run(row.name, func(t *testing.T) {
			if _, err := prepareWithDocuments(t, row.rego, row.documents); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want %s", err, row.want)
			}
		})
	}
}

// The directory of a document is a part of its path below data.
func TestAMissingRuleThatIsInADocumentElsewhere(t *testing.T) {
	for name, row := range map[string]struct {
		refersTo string
		files    map[string]string
		want     string
	}{
		"its key repeats the directory's name": {"data.gate.members", map[string]string{"gate/data.json": `{"gate": {"members": ["a"]}}`},
			"policies/gate/data.json:1 holds the key gate, so it is data.gate.gate.members: remove that outer key, or refer to data.gate.gate.members"},
		"its key is another": {"data.gate.members", map[string]string{"gate/data.yaml": "# people\nlists:\n  guests: []\n  members: [a]\n"},
			"policies/gate/data.yaml:2 holds the key lists, so it is data.gate.lists.members: remove that outer key, or refer to data.gate.lists.members"},
		"a part of the path is missing": {"data.gate.lists.members", map[string]string{"gate/data.json": "{\n  \"other\": 1,\n  \"gate\": {\"lists\": {\"members\": []}}}"},
			"policies/gate/data.json:3 holds the key gate, so it is data.gate.gate.lists: remove that outer key, or refer to data.gate.gate.lists"},
		"the directory is missing in the reference": {"data.members", map[string]string{"gate/data.json": `{"members": ["a"]}`},
			"policies/gate/data.json:1 has it as data.gate.members: refer to that"},
		"it is in a directory below": {"data.gate.members", map[string]string{"gate/deep/data.json": `{"members": ["a"]}`},
			"policies/gate/deep/data.json:1 has it as data.gate.deep.members: refer to that"},
		"it is nowhere": {"data.gate.members", map[string]string{"gate/data.json": `{"guests": ["a"], "gate": ["members"]}`},
			"add it, or a data.json with it, to the policy's own directory or to a shared one"},
		"a rule has the name of a key": {"data.gate.denied", map[string]string{"gate/data.json": "{\n\"denied\": {}}"},
			"conflicting rule for data path gate/denied found: policies/gate/data.json:2 has that key: rename one of them"},
	} {
		t.Run(name, func(t *testing.T) {
			files := fstest.MapFS{"gate/gate.rego": {Data: []byte("package gate\n\ndenied if input.azp in " + row.refersTo + "\n\ndefault decision := {\"allow\": false, \"reasons\": {\"no\"}}\n")}}
			for name, content := range row.files {
				files[name] = &fstest.MapFile{Data: []byte(content)}
			}
			_, err := decision.Prepare(t.Context(), files, "gate/decision")
			if err == nil || !strings.HasPrefix(err.Error(), "policies/gate/gate.rego:3: rego_compile_error: ") || !strings.HasSuffix(err.Error(), row.want) {
				t.Errorf("expected %s, got %v", row.want, err)
			}
		})
	}
}
