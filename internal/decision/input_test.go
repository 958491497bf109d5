package decision_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"account-api/internal/decision"
)

// The policy sees an input as its JSON is: a log line of it can be replayed.
func TestAPolicySeesTheInputAsItsJSONIs(t *testing.T) {
	policy := prepare(t, `package gate

decision := {"allow": false, "reasons": {concat("=", [name, value]) | some name, value in input}}
`)
	for name, input := range map[string]decision.Input{
		"every field": {Principal: "p", Scope: "s", Permissions: "q", AuthorizedParty: "a"},
		"two fields":  {Scope: "s", AuthorizedParty: "a"},
		"no field":    {},
	} {
		t.Run(name, func(t *testing.T) {
			encoded, err := json.Marshal(input)
			if err != nil {
				t.Fatal(err)
			}
			var members map[string]string
			if err := json.Unmarshal(encoded, &members); err != nil {
				t.Fatal(err)
			}
			decided, err := policy.Decide(t.Context(), input)
			if err != nil {
				t.Fatal(err)
			}
			seen := map[string]string{}
			for _, reason := range decided.Reasons {
				member, value, _ := strings.Cut(reason, "=")
				seen[member] = value
			}
			if !reflect.DeepEqual(seen, members) {
				t.Errorf("the policy sees %v, the JSON is %s", seen, encoded)
			}
		})
	}
}
