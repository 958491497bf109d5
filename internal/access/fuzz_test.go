package access_test

import (
	"strings"
	"testing"

	"account-api/internal/access"
	"account-api/internal/decision"
)

// A log is what functions print. No line of it may end the comparison.
func FuzzReadLog(f *testing.F) {
	for _, log := range []string{
		`{"type":"openpolicyagent.org/decision_logs","decision_id":"1","path":"orders/decision","input":{"scope":"read"},"erased":["/input/azp"],"result":{"allow":true}}`,
		"START\n{}\n", `{"decision_id":1}`, `{"type":"openpolicyagent.org/decision_logs","decision_id":"1","result":null}`, `{"type":"openpolicyagent.org/decision_logs","decision_id":"1","input":[],"result":{}}`, "",
	} {
		f.Add(log)
	}
	f.Cleanup(access.SetMostCallers(200))
	f.Fuzz(func(t *testing.T, log string) {
		records, err := decision.ReadLog(strings.NewReader(log))
		if (len(records) == 0) != (err != nil) {
			t.Errorf("got %d records and %v", len(records), err)
		}
		if err == nil {
			base := tree(`allow if input.azp == "web"`)
			if _, err := access.Compare(t.Context(), base, tree(`allow if input.claims.x == "web"`), records); err != nil {
				t.Error(err)
			}
		}
	})
}

// A policy is text from a pull request. Whatever it is, the comparison ends with a report.
func FuzzCompare(f *testing.F) {
	for _, rego := range []string{
		`allow if "read" in split(input.scope, " ")`, `allow if input[_][_] == "x"`, `allow if split("a", " ")[0] == "a"`,
		`allow if {"a": x} = input.claims; x`, `allow if glob.match("a*", [], input.azp)`, "f(x, x)\n\nallow if f(input, input)",
		`allow if some x, y in input.claims[_]; x == y`, `allow if object.get(input, ["query", "x", 0], 1) == 1`, "a[input.azp].b[c] := 1 if some c in input.path\n\nallow if a.x.b",
		"allow if input.query[x] with input as {\"query\": {\"x\": 1}}", `allow if input.scope[0]`, `allow if input.time == 12e400`, "package orders\n\ndecision := input",
	} {
		f.Add(rego)
	}
	f.Cleanup(access.SetMostCallers(200))
	f.Fuzz(func(t *testing.T, rego string) {
		report, err := access.Compare(t.Context(), tree(`allow if input.azp == "web"`), tree(rego), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, write := range []func(access.Report, *strings.Builder) error{
			func(r access.Report, to *strings.Builder) error { return r.WriteText(to, access.Terms{}) },
			func(r access.Report, to *strings.Builder) error { return r.WriteMarkdown(to, access.Terms{}) },
			func(r access.Report, to *strings.Builder) error { return r.WriteJSON(to, access.Terms{}) },
		} {
			if err := write(report, &strings.Builder{}); err != nil {
				t.Error(err)
			}
		}
	})
}
