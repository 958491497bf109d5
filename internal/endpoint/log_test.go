package endpoint

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/open-policy-agent/opa/v1/rego"
)

// clock returns a now that is at a fixed time first, and a second later at every call.
func clock() func() time.Time {
	at := time.Date(2026, time.November, 22, 10, 0, 0, 0, time.FixedZone("CET", 3600))
	return func() time.Time {
		at = at.Add(time.Second)
		return at
	}
}

func TestDecisionLogLine(t *testing.T) {
	h, log := newTestHandler(t, func(c *Config, e *Environment) {
		e.Now = clock()
		e.Labels = []slog.Attr{slog.String("system", "orders-api"), slog.String("version", "$LATEST")}
	})
	invoke(t, h, event(scope(t, "write:orders")))

	var line map[string]any
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	written, err := time.Parse(time.RFC3339Nano, fmt.Sprint(line["timestamp"]))
	if err != nil || written.Location() != time.UTC {
		t.Errorf("timestamp is %v, want RFC 3339 in UTC", line["timestamp"])
	}
	delete(line, "timestamp")
	want := map[string]any{
		"level":       "INFO",
		"msg":         "Decision Log",
		"type":        "openpolicyagent.org/decision_logs",
		"decision_id": eventID,
		"path":        "orders/decision",
		"input":       map[string]any{"scope": "write:orders"},
		"erased":      []any{"/input/principal"},
		"result":      map[string]any{"allow": false, "reasons": []any{`scope "read:orders" is required`}},
		"revision":    h.policy.Revision(),
		"metrics":     map[string]any{"timer_rego_query_eval_ns": float64(time.Second)},
		"labels":      map[string]any{"system": "orders-api", "version": "$LATEST"},
	}
	if !reflect.DeepEqual(line, want) {
		t.Errorf("got  %v\nwant %v", line, want)
	}
}

func TestDecisionLogSaysWhatItErased(t *testing.T) {
	for _, row := range []struct{ name, authorizer, input, erased string }{
		{"nothing to erase", `{"scope":"read:orders"}`, `{"scope":"read:orders"}`, `[]`},
		{"the principal", `{"principalId":"p","scope":"read:orders"}`, `{"scope":"read:orders"}`, `["/input/principal"]`},
		{"the client", `{"azp":"c","scope":"read:orders"}`, `{"scope":"read:orders"}`, `["/input/azp"]`},
		{"permissions stay", `{"permissions":"a b"}`, `{"permissions":"a b"}`, `[]`},
		{"a scope at the bound", scope(t, strings.Repeat("s", maxLogged)),
			`{"scope":"` + strings.Repeat("s", maxLogged) + `"}`, `["/input/principal"]`},
		{"a scope beyond the bound", scope(t, strings.Repeat("s", maxLogged+1)), `{}`, `["/input/principal","/input/scope"]`},
		{"no caller at all", `null`, `{}`, `[]`},
	} {
		t.Run(row.name, func(t *testing.T) {
			h, log := newTestHandler(t, nil)
			invoke(t, h, event(row.authorizer))
			if want := `"input":` + row.input + `,"erased":` + row.erased + `,`; !strings.Contains(log.String(), want) {
				t.Errorf("got %s\nwant %s", log, want)
			}
		})
	}
}

// A line's input, given to a stock OPA, ends in the line's result.
func TestDecisionLogCanBeReplayed(t *testing.T) {
	h, log := newTestHandler(t, nil)
	for _, claims := range []string{"read:orders", "read:orders write:orders", "write:orders", "", "tab\there \"quoted\" <é>"} {
		log.Reset()
		invoke(t, h, event(scope(t, claims)))
		var line struct {
			Path   string
			Input  any
			Result any
		}
		if err := json.Unmarshal(log.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		results, err := rego.New(
			rego.Query("data."+strings.ReplaceAll(line.Path, "/", ".")),
			rego.Module("orders.rego", orders),
			rego.Input(line.Input),
		).Eval(t.Context())
		if err != nil || len(results) != 1 {
			t.Fatalf("scope %q: got %v, %v", claims, results, err)
		}
		if got := results[0].Expressions[0].Value; !reflect.DeepEqual(got, line.Result) {
			t.Errorf("scope %q: replay ends in %v, the log says %v", claims, got, line.Result)
		}
	}
}
