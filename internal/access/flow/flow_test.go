package flow_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"account-api/internal/access/flow"
	"account-api/internal/decision"
)

func reading(t *testing.T, rego string) flow.Reading {
	t.Helper()
	policy, err := decision.Prepare(t.Context(), fstest.MapFS{
		"orders/orders.rego": {Data: []byte("package orders\n\n" + rego + `

default decision := {"allow": false, "reasons": set()}

decision := {"allow": true, "reasons": reasons} if allow

default allow := false

reasons contains "allowed"
`)},
		"shared/shared.rego": {Data: []byte("package shared\n\nblocked contains \"crawler\"\n\nhas(list, wanted) if wanted in split(list, \" \")\n\nweb(caller) if caller.azp == \"web\"\n")},
	}, "orders/decision")
	if err != nil {
		t.Fatal(err)
	}
	return flow.Read(policy)
}

// granted begins policies that have the scopes as a set.
const granted = "granted contains s if some s in split(input.scope, \" \")\n\n"

// Each shape of [flow.Shapes], as a body, and what is close to it but outside.
func TestShapes(t *testing.T) {
	rows := []struct {
		shape           string
		inside, outside []string
	}{
		{"whether a field is defined",
			[]string{`allow if input.azp`, `allow if not input.azp`, `allow if { x := input; x.azp }`, "import data.shared\n\nallow if shared.web(input)"},
			[]string{`allow if input`, `allow if input[_] == "x"`, `allow if { some k; input[k] == "x" }`, `allow if input[input.azp]`, `allow if count(input) == 1`}},
		{"equality with a constant",
			[]string{`allow if input.azp == "web"`, `allow if input.azp != "web"`, `allow if not input.azp == "web"`, "wanted := \"web\"\n\nallow if input.azp == wanted", `allow if "web" = input.azp`},
			[]string{`allow if input.azp == concat("", ["w", "eb"])`, "wanted := lower(\"WEB\")\n\nallow if input.azp == wanted", "wanted := x if x := sprintf(\"%s\", [\"web\"])\n\nallow if input.azp == wanted",
				`allow if input.azp < "web"`, `allow if $"{input.azp}" == "web"`, `allow if input.azp == $"we{input.principal}"`, "more := \"b\"\n\nallow if input.azp == $\"we{more}\"", `allow if [input.azp, "x"] == ["web", "x"]`, `allow if {"a": input.azp} == {"a": "web"}`}},
		{"membership of a field in constants",
			[]string{`allow if input.azp in {"web", "app"}`, `allow if input.azp in ["web", "app"]`, `allow if not input.azp in data.shared.blocked`, `allow if data.shared.blocked[input.azp]`,
				"roles := {\"web\": [\"read\"]}\n\nallow if \"read\" in roles[input.azp]", "roles[\"web\"] := [\"read\"]\n\nallow if \"read\" in roles[input.azp]", `allow if { some x in {"web"}; x == input.azp }`},
			[]string{`allow if input.azp in {lower("WEB")}`, "roles := {lower(\"WEB\"): true}\n\nallow if roles[input.azp]", `allow if object.get({strings.reverse("bew"): 1}, input.azp, 0) == 1`, "roles[x] := 1 if some x in {lower(\"WEB\")}\n\nallow if roles[input.azp]", "roles[input.azp] := 1\n\nallow if roles.web", `allow if input.azp in split("web app", " ")`}},
		{"equality of two fields",
			[]string{`allow if input.azp == input.principal`, `allow if input.azp != input.principal`},
			[]string{`allow if { input.azp == input.principal; "read" in split(input.azp, " ") }`, `allow if { some s in split(input.scope, " "); s == input.azp }`}},
		{"membership in a split",
			[]string{`allow if "read" in split(input.scope, " ")`, `allow if not "read" in split(input.scope, " ")`, "scopes := split(input.scope, \" \")\n\nallow if \"read\" in scopes",
				"wanted := {\"a\", \"b\"}\n\nallow if { some w in wanted; w in split(input.scope, \" \") }", "import data.shared\n\nallow if shared.has(input.scope, \"read\")", `allow if { input.scope == "a b"; "a" in split(input.scope, " ") }`},
			[]string{`allow if "read" in split(input.scope, ",")`, `allow if "read" in split(input.scope, "")`, `allow if "" in split(input.scope, " ")`, `allow if input.azp in split(input.scope, " ")`,
				`allow if split(input.scope, " ") == ["a", "b", "a"]`, `allow if split(input.scope, " ") != ["a"]`, `allow if "read" in split(input.scope, input.azp)`,
				`allow if lower("READ") in split(input.scope, " ")`, `allow if "a" in split(lower(input.scope), " ")`, "wanted := \"\"\n\nallow if wanted in split(input.scope, \" \")"}},
		{"some part of a split",
			[]string{`allow if { some s in split(input.scope, " "); s in {"a", "b"} }`, `allow if { some s in split(input.scope, " "); s != "a" }`, `allow if split(input.scope, " ")[_] == "a"`, `allow if { some i, s in split(input.scope, " "); s == "a" }`},
			[]string{`allow if { some i, s in split(input.scope, " "); s == "a"; i == 0 }`, `allow if split(input.scope, " ")[0] == "a"`, `allow if { some s in split(input.scope, " "); some t in split(input.scope, " "); s != t }`,
				`allow if { some i; split(input.scope, " ")[i] == "a"; split(input.permissions, " ")[i] == "b" }`, `allow if { some s in split(input.scope, " "); startswith(s, "a") }`, `allow if { some s in split(input.scope, " "); "a" in split(s, ":") }`,
				"first := s if some s in split(input.scope, \" \")\n\nallow if first == \"a\"", `allow if { [x, _] = split(input.scope, " "); x == "a" }`}},
		{"every part of a split",
			[]string{`allow if { every s in split(input.scope, " ") { s in {"a", "b"} } }`},
			[]string{`allow if { every i, s in split(input.scope, " ") { s == "a"; i < 2 } }`, `allow if { every s in split(input.scope, " ") { count(s) > 1 } }`}},
		{"the parts as a set",
			[]string{granted + `allow if "read" in granted`, granted + `allow if granted["read"]`, `allow if "read" in {s | some s in split(input.scope, " ")}`, `allow if "a" in {s | some s in split(input.scope, " "); s != "b"}`, granted + `allow if count([1 | some x in {"a", "b"}; granted[x]]) == 2`, `allow if count({1 | some s in split(input.scope, " "); s != "a"}) == 1`},
			[]string{`allow if "read" in [s | some s in split(input.scope, " ")]`, `allow if count([1 | some s in split(input.scope, " "); s == "a"]) == 2`, granted + `allow if granted[input.azp]`,
				granted + `allow if count([1 | granted[_]]) == 2`, `allow if {s: 1 | some s in split(input.scope, " ")}["a"]`, granted + `allow if { some x in granted; some y in granted; x != y }`, "by[k] contains s if {\n\tsome k in {\"x\", \"y\"}\n\tsome s in split(input.scope, \" \")\n}\n\nallow if {\n\tsome s in by.x\n\ts == input.azp\n}", `allow if count([1 | "a" in split(input.scope, " ")[_]]) == 1`,
				"f(x) := [1 | some _ in split(x, \" \")]\n\nallow if count(f(input.scope)) == 2", `allow if count({i | some i, _ in split(input.scope, " ")}) == 2`, `allow if count([x | some x in {"a", "b"}; some _ in split(input.scope, " ")]) == 4`, `allow if max(split(input.scope, " ")) == "a"`, `allow if "web" in {input.azp}`}},
		{"operations on that set",
			[]string{granted + `allow if count({"a", "b"} - granted) == 0`, granted + `allow if count({"a", "b"} & granted) > 1`, granted + `allow if {"a"} == {"a", "b"} & granted`, granted + `allow if "c" in granted - {"a"}`, granted + `allow if "c" in granted | {"a"}`},
			[]string{granted + `allow if count(granted) == 1`, granted + `allow if granted == {"a"}`, granted + `allow if count(granted - {"a"}) == 0`, granted + "more contains s if some s in split(input.permissions, \" \")\n\nallow if count(granted & more) > 0", granted + `allow if count({lower("A")} - granted) == 0`}},
		{"a list",
			[]string{`allow if "v" in input.query.x`, `allow if { some v in input.query.x; v == "a" }`, `allow if not "v" in input.query["x"]`, `allow if input.parameters.account == input.principal`, `allow if input.method == "GET"`},
			[]string{`allow if input.query.x[0] == "v"`, `allow if input.path[1] == "a"`, `allow if input.path == ["a"]`, `allow if count(input.query) == 0`, `allow if { some k, v in input.query; "a" in v; k != "b" }`, `allow if { q := input.query; "v" in q.x }`,
				`allow if input.principal in input.query.x`, `allow if "admin" in input.claims.roles`, `allow if input.claims.level == 3`, `allow if input.time > 5`, `allow if time.weekday(input.time) == "Monday"`, `allow if "v" in object.get(input.query, "x", [])`}},
		{"object.get",
			[]string{`allow if object.get(input, "azp", "none") == "web"`, "roles := {\"web\": 1}\n\nallow if object.get(roles, input.azp, 0) == 1"},
			[]string{`allow if object.get(input, input.azp, "x") == "x"`, `allow if object.get(input, ["azp"], "none") == "web"`, `allow if object.get(input, "azp", lower("A")) == "web"`}},
		{"types",
			[]string{`allow if is_string(input.azp)`, `allow if not is_array(input.azp)`, `allow if is_array(split(input.scope, " "))`},
			[]string{`allow if is_string(input)`}},
		{"functions",
			[]string{"is_web(x) if x == \"web\"\n\nallow if is_web(input.azp)", "f(x) := x\n\nallow if f(input.azp) == \"web\"", "is(\"web\")\n\nis(\"app\")\n\nallow if is(input.azp)", "f(x) := \"a\" if x == \"web\" else := \"b\"\n\nallow if f(input.azp) == \"a\"",
				"level(x) := 1 if x == \"web\"\n\nlevel(x) := 2 if x == \"app\"\n\nallow if level(input.azp) > 1"},
			[]string{"f(x) := x if x\n\nf(x) := input.principal if x\n\nallow if f(input.azp) == \"web\"", "both(x, x)\n\nallow if { some s in split(input.scope, \" \"); both(input.azp, s) }", "f([x]) if x\n\nallow if f([input.azp])",
				"f(x) := lower(x)\n\nallow if f(input.azp) == \"web\"", "client := input.azp\n\nclient := input.principal\n\nallow if client == \"web\""}},
		{"a reason that quotes the input",
			[]string{"reasons contains sprintf(\"not %s\", [input.azp])\n\nallow := true"},
			[]string{"text := sprintf(\"not %s\", [input.azp])\n\nallow if text == \"not web\"", "text := sprintf(\"not %s\", [input.azp])\n\nallow if startswith(text, \"not web\")", "texts contains sprintf(\"not %s\", [input.azp])\n\nallow if \"not web\" in texts",
				"texts contains sprintf(\"not %s\", [input.azp])\n\nallow if count(texts) == 1\n\nallow if texts[\"not web\"]"}},
		{"functions of what is determined",
			[]string{`allow if lower("A") == "a"`, "n := count({\"a\"}) if input.azp == \"web\"\n\nallow if n > 0"},
			[]string{`allow if count(input.azp) == 3`, `allow if lower(input.azp) == "web"`, `allow if trim(input.azp, " ") == "web"`, `allow if contains(input.azp, "web")`, `allow if input.azp == "web" with input.azp as "web"`}},
	}
	if len(rows) != len(flow.Shapes) {
		t.Errorf("expected a row for each of %d shapes, got %d", len(flow.Shapes), len(rows))
	}
	for i, row := range rows {
		if row.shape != flow.Shapes[i].Name {
			t.Errorf("expected the shape %q, got %q", flow.Shapes[i].Name, row.shape)
		}
		t.Run(row.shape, func(t *testing.T) {
			for _, rego := range row.inside {
				if outside := reading(t, rego).Outside; len(outside) > 0 {
					t.Errorf("expected the shape, got outside: %v of\n%s", outside, rego)
				}
			}
			for _, rego := range row.outside {
				found := reading(t, rego).Outside
				if len(found) == 0 {
					t.Errorf("expected no shape for\n%s", rego)
				}
				for _, e := range found {
					if !strings.HasPrefix(e.Place, "policies/") || e.Text == "" || e.Why == "" {
						t.Errorf("expected a place, an expression and a reason, got %v", e)
					}
				}
			}
		})
	}
}
