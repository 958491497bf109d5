package access_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"account-api/internal/access"
)

// orders is a policy in which allow and what stands beside it is given.
func orders(rego string) string {
	if strings.HasPrefix(rego, "package") {
		return rego
	}
	return "package orders\n\n" + rego + `

default decision := {"allow": false, "reasons": {"a permit is required"}}

decision := {"allow": true, "reasons": set()} if allow == true
`
}

// tree is policies/ with a policy orders and other files, each as "name: content".
func tree(rego string, others ...string) fstest.MapFS {
	files := fstest.MapFS{}
	if rego != "" {
		files["orders/orders.rego"] = &fstest.MapFile{Data: []byte(orders(rego))}
	}
	for _, file := range others {
		name, content, _ := strings.Cut(file, ": ")
		files[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return files
}

// show is a change in brief.
func show(c access.Change) string {
	text := fmt.Sprintf("%s %s: %d>%d", c.Kind, c.Smallest[0].Words, c.Before.Status, c.After.Status)
	if c.Contrast != nil {
		text += " not with " + c.Contrast.With
	}
	return text
}

func compared(t *testing.T, base, head fstest.MapFS) access.Endpoint {
	t.Helper()
	report, err := access.Compare(t.Context(), base, head, nil)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(report.Endpoints, func(e access.Endpoint) bool { return e.Name == "orders" })
	return report.Endpoints[i]
}

func TestCompare(t *testing.T) {
	const (
		read   = `allow if "read" in split(input.scope, " ")`
		orRead = "allow if \"read\" in split(input.scope, \" \")\n\n"
		shared = "package shared\n\nblocked contains \"crawler\"\n\nhas(list, wanted) if wanted in split(list, \" \")\n"
	)
	for _, row := range []struct {
		name       string
		base, head string
		want       []string // changes, in order
		complete   bool
	}{
		{"a rule narrowed to two scopes", read, "allow if {\n\t\"read\" in split(input.scope, \" \")\n\t\"write\" in split(input.scope, \" \")\n}",
			[]string{"revoked scope `read`: 200>403"}, true},
		{"a rule widened by a scope", read, orRead + `allow if "admin" in split(input.scope, " ")`,
			[]string{"gained scope `admin`: 403>200"}, true},
		{"a refactoring without effect", read, "granted contains s if some s in split(input.scope, \" \")\n\nallow if granted[\"read\"]",
			nil, true},
		{"contains in place of equality", `allow if input.azp == "web"`, `allow if contains(input.azp, "web")`,
			[]string{"gained azp `webx`: 403>200"}, false},
		{"a flipped default", read + "\n\ndefault allow := false", read + "\n\ndefault allow := true",
			[]string{"gained anybody: 403>200"}, true},
		{"a permission in place of a scope", read, orRead + `allow if "read" in split(input.permissions, " ")`,
			[]string{"gained permissions `read`: 403>200"}, true},
		{"two values of one rule", read, orRead + "allow := false if input.azp == \"web\"",
			[]string{"error scope `read`, azp `web`: 200>500"}, true},
		// What is absent is in no list, but neither is it not: the negation is undefined.
		{"a client that is blocked", read, "allow if {\n\t\"read\" in split(input.scope, \" \")\n\tnot input.azp in {\"crawler\", \"spider\"}\n}",
			[]string{"revoked scope `read`: 200>403 not with azp `other`"}, true},
		{"a client that is not blocked any more", "allow if {\n\tinput.azp\n\tnot input.azp in {\"crawler\", \"spider\"}\n}", "allow if {\n\tinput.azp\n\tnot input.azp in {\"spider\"}\n}",
			[]string{"gained azp `crawler`: 403>200"}, true},
		{"the own record only, loosened", `allow if input.azp == input.principal`, `allow if startswith(input.azp, input.principal)`,
			[]string{"gained azp `otherx`: 403>200 not with principal `another`"}, false},
		{"a misspelt field under a negation", "allow if {\n\t\"read\" in split(input.scope, \" \")\n\tnot blocked\n}\n\nblocked if input.azp == \"crawler\"",
			"allow if {\n\t\"read\" in split(input.scope, \" \")\n\tnot blocked\n}\n\nblocked if input.permissions == \"crawler\"",
			[]string{"gained scope `read`, azp `crawler`: 403>200 not with permissions `crawler`",
				"revoked scope `read`, permissions `crawler`: 200>403"}, true},
		{"lower case", `allow if input.azp == "web"`, `allow if lower(input.azp) == "web"`,
			[]string{"gained azp `WEB`: 403>200"}, false},
		{"a count of scopes", read, orRead + `allow if count(split(input.scope, " ")) > 4`,
			[]string{"gained scope `other other1 other2 other3 other4`: 403>200"}, false},
		{"the first scope only", read, `allow if split(input.scope, " ")[0] == "read"`,
			[]string{"revoked scope `\" read\"`: 200>403"}, false},
		{"a list of scopes in one order", read, orRead + `allow if split(input.scope, " ") == ["a", "b", "a"]`,
			[]string{"gained scope `a b a`: 403>200"}, false},
		{"an empty scope", read, orRead + `allow if "" in split(input.scope, " ")`,
			[]string{"gained scope `\" \"`: 403>200"}, false},
		{"a helper moved to shared", "allow if has(input.scope, \"read\")\n\nhas(list, wanted) if wanted in split(list, \" \")", "import data.shared\n\nallow if shared.has(input.scope, \"read\")",
			nil, true},
		{"another reason only", `default decision := {"allow": false, "reasons": {"no"}}`, `default decision := {"allow": false, "reasons": {"never"}}`,
			[]string{"reason anybody: 403>403"}, true},
		{"a longer list of roles", "roles := {\"web\": [\"read\"]}\n\nallow if \"read\" in roles[input.azp]", "roles := {\"web\": [\"read\"], \"app\": [\"read\"]}\n\nallow if \"read\" in roles[input.azp]",
			[]string{"gained azp `app`: 403>200"}, true},
		{"a text that is computed", read, orRead + `allow if concat(":", ["read", "all"]) in split(input.scope, " ")`,
			[]string{"gained scope `read:all`: 403>200"}, false},
		{"a list that is computed", read, orRead + `allow if input.azp in split("web,app", ",")`,
			[]string{"gained azp `app`: 403>200"}, false},
		{"a policy that does not parse", read, "allow if {",
			[]string{"error anybody: 403>500", "error scope `read`: 200>500"}, true},
		{"another name of the decision", read, "package orders\n\nverdict := {\"allow\": true, \"reasons\": set()}\n",
			[]string{"error anybody: 403>500", "error scope `read`: 200>500"}, true},
		{"a policy that parses again", "allow if {", read,
			[]string{"gained scope `read`: 500>200", "reason anybody: 500>403"}, true},
		{"a new endpoint", "", read, []string{"gained scope `read`: 0>200"}, true},
		{"a removed endpoint", read, "", []string{"revoked scope `read`: 200>0"}, true},
		{"the same", read, read, nil, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			base, head := row.base, row.head
			if strings.HasPrefix(base, "default decision") {
				base, head = "package orders\n\n"+base, "package orders\n\n"+head
			}
			got := compared(t, tree(base, "shared/shared.rego: "+shared), tree(head, "shared/shared.rego: "+shared))
			var changes []string
			for _, c := range got.Changes {
				changes = append(changes, show(c))
			}
			if !slices.Equal(changes, row.want) {
				t.Errorf("changes: got %q, want %q", changes, row.want)
			}
			if got.Complete != row.complete {
				t.Errorf("complete: got %t, outside %q, left out %q", got.Complete, got.Outside, got.LeftOut)
			}
		})
	}
}

func TestCompareReadsTheRequestClaimsAndData(t *testing.T) {
	const (
		blocks  = "import data.shared\n\nallow if {\n\tinput.azp\n\tnot input.azp in shared.blocked\n}"
		crawler = `shared/data.json: {"blocked": ["crawler"]}`
	)
	for _, row := range []struct {
		name       string
		base, head fstest.MapFS
		want       []string
		complete   bool
	}{
		{"a client less in a data document", tree(blocks, `shared/data.json: {"blocked": ["crawler", "spider"]}`), tree(blocks, crawler),
			[]string{"gained azp `spider`: 403>200"}, true},
		{"the same list in YAML", tree(blocks, crawler), tree(blocks, "shared/data.yaml: blocked: [crawler]"), nil, true},
		{"a table of roles in a data document", tree("allow if \"read\" in data.orders.roles[input.azp]", `orders/data.json: {"roles": {"web": ["read"]}}`), tree("allow if \"read\" in data.orders.roles[input.azp]", `orders/data.json: {"roles": {"web": ["read"], "app": ["read", "write"]}}`),
			[]string{"gained azp `app`: 403>200"}, true},
		{"the own record only, loosened", tree("allow if input.parameters.account == input.principal"), tree("allow if startswith(input.parameters.account, input.principal)"),
			[]string{"gained parameters.account `otherx`: 403>200 not with principal `another`"}, false},
		{"the own record or any for support", tree("allow if input.parameters.account == input.principal"), tree("allow if input.parameters.account == input.principal\n\nallow if input.azp == \"support\""),
			[]string{"gained azp `support`: 403>200"}, true},
		{"a query parameter that overrides", tree(`allow if "read" in split(input.scope, " ")`), tree("allow if \"read\" in split(input.scope, \" \")\n\nallow if \"yes\" in input.query.debug"),
			[]string{"gained query.debug `[\"yes\"]`: 403>200"}, true},
		{"an empty value of a query parameter", tree(`allow if "" in input.query.debug`), tree(`allow if "yes" in input.query.debug`),
			[]string{"gained query.debug `[\"yes\"]`: 403>200", "revoked query.debug `[\"\"]`: 200>403"}, true},
		{"a role in a claim", tree(`allow if "admin" in input.claims["https://orders/roles"]`), tree("allow if \"admin\" in input.claims[\"https://orders/roles\"]\n\nallow if \"clerk\" in input.claims[\"https://orders/roles\"]"),
			[]string{"gained claims.https://orders/roles `[\"clerk\"]`: 403>200"}, false},
		{"a member of a claim", tree(`allow if input.claims.org.name == "a"`), tree(`allow if input.claims.org.name in {"a", "b"}`),
			[]string{"gained claims.org `{\"name\":\"b\"}`: 403>200"}, false},
		{"a level of a claim", tree(`allow if input.claims.level == 3`), tree("allow if {\n\tis_number(input.claims.level)\n\tinput.claims.level >= 3\n}"),
			[]string{"gained claims.level `4`: 403>200"}, false},
		{"a number as text", tree(`allow if to_number(input.parameters.n) == 5`), tree(`allow if to_number(input.parameters.n) <= 5`),
			[]string{"gained parameters.n `4`: 403>200"}, false},
		{"longer office hours", tree("allow if {\n\t[hour, _, _] := time.clock(input.time)\n\thour >= 9\n\thour < 17\n}"), tree("allow if {\n\t[hour, _, _] := time.clock(input.time)\n\thour >= 9\n\thour <= 17\n}"),
			[]string{"gained time `Wed 2026-01-07T17:00:00Z`: 403>200"}, false},
		{"a domain of an e-mail address", tree("allow if false"), tree(`allow if split(input.claims.email, "@")[1] == "example.org"`),
			[]string{"error claims.email `true`: 403>500", "gained claims.email `other@example.org`: 403>200"}, false},
		{"a group by its name", tree("allow if false"), tree("allow if {\n\tsome group in input.claims.groups\n\tgroup.name == \"ops\"\n}"),
			[]string{"gained claims.groups `[{\"name\":\"ops\"}]`: 403>200"}, false},
		{"a role in the organization that is asked for", tree("allow if false"), tree(`allow if input.claims.roles[input.parameters.org] == "admin"`),
			[]string{"gained claims.roles `{\"admin\":\"admin\"}`, parameters.org `admin`: 403>200"}, false},
		{"a page beyond a number", tree("allow if false"), tree("allow if {\n\tinput.query.page\n\tregex.match(`^[0-9]+$`, input.query.page[0])\n\tto_number(input.query.page[0]) > 100\n}"),
			[]string{"gained query.page `[\"101\"]`: 403>200"}, false},
		{"a long name", tree("allow if false"), tree(`allow if count(input.azp) > 30`),
			[]string{"gained azp `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx`: 403>200"}, false},
		{"from a date on", tree("allow if false"), tree(`allow if input.time > time.parse_rfc3339_ns("2027-01-01T00:00:00Z")`),
			[]string{"gained time `Fri 2027-01-01T00:00:00.000000001Z`: 403>200"}, false},
		{"from a year on", tree("allow if false"), tree(`allow if time.date(input.time)[0] > 2030`),
			[]string{"gained time `Tue 2031-01-07T12:00:00Z`: 403>200"}, false},
		{"a part of a text at any place", tree("allow if false"), tree(`allow if indexof(input.azp, "adm") >= 0`),
			[]string{"gained azp `adm`: 403>200"}, false},
		{"a claim that is null", tree("allow if false"), tree(`allow if is_null(input.claims.x)`),
			[]string{"gained claims.x `null`: 403>200"}, false},
		{"keys of an object that are computed", tree("allow if false"), tree("roles := {strings.reverse(\"bew\"): true}\n\nallow if roles[input.azp]"),
			nil, false},
		{"another verb", tree(`allow if input.method == "GET"`), tree(`allow if input.method in {"GET", "DELETE"}`),
			[]string{"gained method `DELETE`: 403>200"}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := compared(t, row.base, row.head)
			var changes []string
			for _, c := range got.Changes {
				changes = append(changes, show(c))
			}
			if !slices.Equal(changes, row.want) {
				t.Errorf("changes: got %q, want %q", changes, row.want)
			}
			if got.Complete != row.complete {
				t.Errorf("complete: got %t, outside %q, left out %q", got.Complete, got.Outside, got.LeftOut)
			}
		})
	}
}

// Sixteen scopes have 65,536 combinations. The largest are not tried, and the report says so.
func TestCompareSaysWhatItLeavesOut(t *testing.T) {
	const most = 6 // at once, of 16 scopes and another
	defer access.SetMostCallers(20_000)()
	got := compared(t, tree(many(16, false)), tree(many(16, false)+"allow if input.azp == \"web\""))
	want := fmt.Sprintf("scope with more than %d of its values at once", most)
	if got.Complete || !slices.Contains(got.LeftOut, want) || len(got.Changes) == 0 || show(got.Changes[0]) != "gained azp `web`: 403>200 not with azp `other`" && show(got.Changes[0]) != "gained azp `web`: 403>200" {
		t.Errorf("got complete %t, left out %q, changes %+v; want %q", got.Complete, got.LeftOut, got.Changes, want)
	}
	var clients strings.Builder
	for i := range 60 {
		fmt.Fprintf(&clients, "allow if input.azp == \"client%d\"\n\n", i)
	}
	got = compared(t, tree(clients.String()), tree(clients.String()+"allow if input.azp == \"web\""))
	if !got.Complete || len(got.LeftOut) != 1 || !strings.Contains(got.LeftOut[0], "near misses of azp") {
		t.Errorf("with many near misses: got complete %t, left out %q", got.Complete, got.LeftOut)
	}
	defer access.SetMostCallers(50)()
	got = compared(t, tree(many(6, true)), tree(many(8, true)))
	if got.Complete || got.Callers != 50 || len(got.LeftOut) != 1 || !strings.Contains(got.LeftOut[0], "callers, the largest") {
		t.Errorf("got complete %t, %d callers, left out %q", got.Complete, got.Callers, got.LeftOut)
	}
}

// A shared package and its users are compared together, and an endpoint that uses nothing of
// a change is the same.
func TestCompareEachEndpointThatChanges(t *testing.T) {
	const refunds = "refunds/refunds.rego: package refunds\n\nimport data.shared\n\ndefault decision := {\"allow\": false, \"reasons\": {\"no\"}}\n\ndecision := {\"allow\": true, \"reasons\": set()} if shared.web(input)\n"
	shared := func(client string) string {
		return "shared/shared.rego: package shared\n\nweb(caller) if caller.azp == \"" + client + "\"\n"
	}
	report, err := access.Compare(t.Context(),
		tree(`allow if "read" in split(input.scope, " ")`, refunds, shared("web")),
		tree(`allow if "read" in split(input.scope, " ")`, refunds, shared("app")), nil)
	if err != nil {
		t.Fatal(err)
	}
	var changes []string
	for _, e := range report.Endpoints {
		for _, c := range e.Changes {
			changes = append(changes, e.Name+": "+show(c))
		}
	}
	if want := []string{"refunds: gained azp `app`: 403>200", "refunds: revoked azp `web`: 200>403"}; !slices.Equal(changes, want) {
		t.Errorf("got %q, want %q", changes, want)
	}
}

func TestChangesOfOneFieldAlone(t *testing.T) {
	for _, row := range []struct{ name, base, head, alone string }{
		{"a client more", "allow if input.azp == \"web\"\n\nallow if input.scope == \"read\"", "allow if input.azp in {\"web\", \"app\"}\n\nallow if input.scope == \"read\"", ""},
		{"a client whatever the scope", "allow if false\n\nallow if {\n\tinput.scope == \"read\"\n\tinput.azp == \"none\"\n}", "allow if input.azp == \"app\"\n\nallow if {\n\tinput.scope == \"read\"\n\tinput.azp == \"none\"\n}", "azp"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := compared(t, tree(row.base), tree(row.head)).Changes[0].Alone; got != row.alone {
				t.Errorf("got %q, want %q", got, row.alone)
			}
		})
	}
}

func TestTable(t *testing.T) {
	page, err := access.Table(t.Context(), tree("allow if {\n\t\"read\" in split(input.scope, \" \")\n\tnot blocked\n}\n\nblocked if input.azp == \"crawler\"\n\nallow if startswith(input.azp, \"admin\")"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"## policies/orders",
		"| scope `read` | `200` | azp `crawler` |",
		"| azp `admin` | `200` |  |",
		"| anybody | `403 a permit is required` |  |",
		"These are samples.",
		"- `policies/orders/orders.rego:10: startswith(input.azp, \"admin\") (startswith of input)`",
	} {
		if !strings.Contains(page, line+"\n") && !strings.Contains(page, line) {
			t.Errorf("expected %s in\n%s", line, page)
		}
	}
	if _, err := access.Table(t.Context(), tree("allow if {")); err == nil || !strings.Contains(err.Error(), "policies/orders/orders.rego:5") {
		t.Errorf("of a policy that does not compile: got %v", err)
	}
	if _, err := access.Table(t.Context(), fstest.MapFS{"guard/guard.rego": {Data: []byte("package guard\n\nviolations := 1\n")}}); err == nil {
		t.Error("without a policy that decides: expected an error, got none")
	}
}
