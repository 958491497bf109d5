package endpoint

import (
	"reflect"
	"strings"
	"testing"

	"account-api/internal/decision"
	"account-api/internal/endpoint/endpointtest"
)

func TestPolicyInputOfAnEvent(t *testing.T) {
	_, got, err := readEvent([]byte(personal()))
	if err != nil {
		t.Fatal(err)
	}
	want := decision.Input{
		Method:          "GET",
		Path:            []string{"accounts", "auth0|fred", "orders", "20", "7/8"},
		Resource:        "/accounts/{account}/orders/{order+}",
		Parameters:      map[string]string{"account": "auth0|fred", "order": "20/7/8"},
		Query:           map[string][]string{"mail": {"fred@example.com"}, "page": {"2"}},
		Time:            1718635961000000000,
		Principal:       "auth0|fred",
		Scope:           "write:orders",
		AuthorizedParty: "web",
		Claims:          decision.Claims(`{"org":{"ids":["acme-7",471147114711]}}`),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// Nothing that the client may write freely reaches a policy but path and query.
func TestPolicyInputHasNoHeaderAndNoBody(t *testing.T) {
	h, log := newTestHandler(t, withPolicy("package orders\n\ndecision := {\"allow\": false, \"reasons\": {json.marshal(input)}}\n"+byDefault))
	answer := invoke(t, h, strings.Replace(event(scope(t, "read:orders")), `"body":null`, `"body":"b0dy"`, 1))
	for _, secret := range []string{"b0dy", bearer, "Authorization", "192.0.2.1"} {
		if strings.Contains(answer, secret) || strings.Contains(log.String(), secret) {
			t.Errorf("the policy sees %s: %s", secret, answer)
		}
	}
}

func TestPathsThatCannotBeRead(t *testing.T) {
	for _, row := range []struct{ name, event, want string }{
		{"a part that is not percent-encoded", `{"resource":"/{a}","pathParameters":{"a":"%zz"}}`, badPath},
		{"a part that is not UTF-8", `{"resource":"/{a}","pathParameters":{"a":"%ff"}}`, badPath},
		{"a parameter without a value", `{"resource":"/{a}","pathParameters":{"b":"c"}}`, failure},
		{"parameters of another type", `{"resource":"/{a}","pathParameters":{"a":7}}`, failure},
		{"claims that are no object", event(`{"scope":"read:orders","claims":"[]"}`), failure},
		{"claims that are no JSON", event(`{"scope":"read:orders","claims":"{"}`), failure},
	} {
		h, _ := newTestHandler(t, nil)
		if got := invoke(t, h, row.event); got != row.want {
			t.Errorf("%s: got %s, want %s", row.name, got, row.want)
		}
	}
}

// The function's own timeout would end it without a log line.
func TestAPolicyThatExceedsItsBudgetIsNamed(t *testing.T) {
	h, log := newTestHandler(t, withPolicy(`package orders

decision := {"allow": true, "reasons": set()} if {
	parts := split(input.scope, " ")
	count({1 | some a in parts; some b in parts; some c in parts; a == b; b != c; c == "none"}) == 1
}
`+byDefault))
	h.budget /= 50
	if got := invoke(t, h, event(scope(t, strings.Repeat("part ", 2000)))); got != failure {
		t.Errorf("got %s", got)
	}
	if want := "orders/decision exceeded its budget of 20ms"; !strings.Contains(log.String(), want) {
		t.Errorf("the log lacks %s: %s", want, log)
	}
}

// The tests of a handler ask about callers whom its policy reads.
func TestEventOfEndsInTheInput(t *testing.T) {
	want := decision.Input{
		Method: "PUT", Path: []string{"accounts", "a|1"}, Resource: "/accounts/{account}", Parameters: map[string]string{"account": "a|1"},
		Query: map[string][]string{"page": {"1", "2"}}, Time: 1781697600000000000,
		Principal: "p", Scope: "s", Permissions: "q", AuthorizedParty: "a", Issuer: "i", Claims: decision.Claims(`{"b":[1]}`),
	}
	if _, got, err := readEvent([]byte(endpointtest.EventOf(t, want))); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
}
