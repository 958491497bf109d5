package main

import (
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"account-api/policies"
)

// Whatever the event, the answer is one of the three that API Gateway can relay, and it
// is 200 only if another JSON parser finds the scope in the right place too.
func FuzzInvoke(f *testing.F) {
	for _, seed := range []string{
		event(scope(f, "get:profile")), event(scope(f, "update:profile")), event(`null`), event(`"get:profile"`),
		event(`{"scope":["get:profile"]}`), event(`{"scope":"a","scope":"get:profile"}`), event(`{"Scope":"get:profile"}`),
		event(`{"scope":"get\u003aprofile"}`), event(`{"scope":"\ud800 get:profile"}`), event("{\"scope\":\"\xff get:profile\"}"),
		`{}`, `null`, `[]`, ``, `{"requestContext":`, "\ufeff{}", `{"requestContext":{"requestId":"\u0000"}}`,
	} {
		f.Add([]byte(seed))
	}
	h, err := newHandler(f.Context(), config{policy: policies.Profile, logger: slog.New(slog.DiscardHandler), now: time.Now})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		switch got := invoke(t, h, string(payload)); got {
		case forbidden, failure:
		case ok:
			if !hasScope(payload) {
				t.Errorf("allowed %q", payload)
			}
		default:
			t.Errorf("got the answer %s", got)
		}
	})
}

func hasScope(payload []byte) bool {
	var value any
	if json.Unmarshal(payload, &value) != nil {
		return false
	}
	for _, name := range []string{"requestContext", "authorizer", "scope"} {
		object, _ := value.(map[string]any)
		value = object[name]
	}
	text, _ := value.(string)
	return slices.Contains(strings.Split(text, " "), "get:profile")
}
