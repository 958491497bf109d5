package endpoint

import (
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"
)

// Whatever the event, the answer is one of the four that API Gateway can relay, and it
// is 200 only if another JSON parser finds the scope in the right place too.
func FuzzInvoke(f *testing.F) {
	for _, seed := range []string{
		event(scope(f, "read:orders")), event(scope(f, "write:orders")), event(`null`), event(`"read:orders"`),
		event(`{"scope":["read:orders"]}`), event(`{"scope":"a","scope":"read:orders"}`), event(`{"Scope":"read:orders"}`),
		event(`{"scope":"read\u003aorders"}`), event(`{"scope":"\ud800 read:orders"}`), event("{\"scope\":\"\xff read:orders\"}"),
		`{"resource":"/{a}","pathParameters":{"a":"%zz"}}`, `{"resource":"/{a+}/b"}`, event(`{"claims":"{}"}`),
		`{}`, `null`, `[]`, ``, `{"requestContext":`, "\ufeff{}", `{"requestContext":{"requestId":"\u0000"}}`,
	} {
		f.Add([]byte(seed))
	}
	c, e := configuration(io.Discard)
	h, err := New(f.Context(), c, e)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		switch got := invoke(t, h, string(payload)); got {
		case forbidden, failure, badPath:
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
	return slices.Contains(strings.Split(text, " "), "read:orders")
}

// Whatever the event, its content is read or refused in words of our own.
func FuzzContent(f *testing.F) {
	for _, seed := range []string{
		event(`null`), `{"body":"a","pathParameters":{"account":"7"}}`, `{"body":"AP8=","isBase64Encoded":true}`, `{"body":7}`, `{"body":"\ud800"}`, ``, `null`,
		`{"pathParameters":{"account":"%2F"}}`, `{"pathParameters":{"account":"%zz"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		request, _, err := readEvent(payload)
		if err != nil {
			return
		}
		got, err := request.Content()
		if err == nil {
			return
		}
		if got.Path != nil || got.Query != nil || got.Body != nil {
			t.Errorf("got %+v next to the error %v", got, err)
		}
		if message, ours := strings.CutPrefix(err.Error(), "read content: "); !ours || !slices.ContainsFunc(
			[]string{"malformed JSON at byte ", "unusable JSON (", "expected a body in base64"},
			func(start string) bool { return strings.HasPrefix(message, start) }) {
			t.Errorf("got the error %v", err)
		}
	})
}
