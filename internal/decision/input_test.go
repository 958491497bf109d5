package decision_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"account-api/internal/decision"
)

// The policy sees an input as its JSON is: a log line of it can be replayed.
func TestAPolicySeesTheInputAsItsJSONIs(t *testing.T) {
	policy := prepare(t, `package gate

decision := {"allow": false, "reasons": {json.marshal(input)}}
`)
	for name, input := range map[string]decision.Input{
		"every field": {
			Method: "GET", Path: []string{"orders", "a/b"}, Resource: "/orders/{order}", Parameters: map[string]string{"order": "a/b"},
			Query: map[string][]string{"page": {"1", "2"}, "all": {""}}, Time: 1718635961123000000,
			Principal: "p", Scope: "s", Permissions: "q", AuthorizedParty: "a", Issuer: "i",
			Claims: decision.Claims(`{"org":{"id":12345678901234567890.10},"roles":["a",null,true]}`),
		},
		"two fields": {Scope: "s", AuthorizedParty: "a"},
		"no claims":  {Claims: decision.Claims(`{}`)},
		"no field":   {},
	} {
		t.Run(name, func(t *testing.T) {
			encoded, err := json.Marshal(input)
			if err != nil {
				t.Fatal(err)
			}
			decided, err := policy.Decide(t.Context(), input)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := decode(t, decided.Reasons[0]), decode(t, string(encoded)); !reflect.DeepEqual(got, want) {
				t.Errorf("the policy sees %v, the JSON is %v", got, want)
			}
			var again decision.Input
			if err := json.Unmarshal(encoded, &again); err != nil || !reflect.DeepEqual(again, input) {
				t.Errorf("the JSON %s is read as %+v, %v", encoded, again, err)
			}
		})
	}
}

// decode keeps numbers digit for digit.
func decode(t *testing.T, text string) (value any) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestFieldsAreThoseOfTheInput(t *testing.T) {
	var want []string
	for field := range reflect.TypeFor[decision.Input]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		want = append(want, name)
	}
	var got []string
	for _, field := range decision.Fields {
		got = append(got, field.Name)
	}
	if !slices.Equal(got, want) {
		t.Errorf("Fields are %q, the members of Input %q", got, want)
	}
}

func TestDecideRefusesClaimsThatAreNoObject(t *testing.T) {
	policy := prepare(t, orders)
	for _, claims := range []string{`[]`, `"5ecr3t"`, `{"5ecr3t"`, `null`, `{"a":"5ecr3t"}}`, `{}{}`} {
		got, err := policy.Decide(t.Context(), decision.Input{Scope: "read:orders", Claims: decision.Claims(claims)})
		if err == nil || got.Allow || !strings.Contains(err.Error(), "expected a JSON object") || strings.Contains(err.Error(), "5ecr3t") {
			t.Errorf("%s: got %+v, %v", claims, got, err)
		}
	}
}

// Without a list of claims any may be read: a handler does not know the settings.
func TestPrepareForKnowsTheClaims(t *testing.T) {
	const rego = "package gate\n\nallow if \"admin\" in input.claims[\"https://example.com/roles\"]\n" + denied
	for name, row := range map[string]struct {
		stack decision.Stack
		want  string
	}{
		"not known":                 {decision.Stack{}, ""},
		"listed":                    {decision.Stack{Claims: []string{"org_id", "https://example.com/roles"}}, ""},
		"listed for a stack":        {decision.Stack{Name: "live", Claims: []string{"https://example.com/roles"}}, ""},
		"others":                    {decision.Stack{Claims: []string{"org_id"}}, "no stack passes this claim on: pulumi config set --path 'claims[N]' https://example.com/roles --stack STACK, where N is the number of claims that the stack has"},
		"none":                      {decision.Stack{Claims: []string{}}, "no stack passes this claim on: pulumi config set --path 'claims[0]' https://example.com/roles --stack STACK"},
		"close to it":               {decision.Stack{Claims: []string{"org_id", "https://example.com/role"}}, "no stack passes this claim on: did you mean https://example.com/role? If not, pulumi config set --path 'claims[N]' "},
		"close to it of a stack":    {decision.Stack{Name: "live", Claims: []string{"https://example.com/role"}}, "stack live does not pass this claim on: did you mean https://example.com/role? If not, pulumi config set --path 'claims[1]' https://example.com/roles --stack live"},
		"a key of it":               {decision.Stack{Name: "live", Claims: []string{"https://example.com/roles.list"}}, "https://example.com/roles.list would be a claim with a dot in its name, not a key of https://example.com/roles: pulumi config set --path 'claims[1]' https://example.com/roles --stack live"},
		"others of a stack":         {decision.Stack{Name: "live", Claims: []string{"org_id"}}, "'claims[1]' https://example.com/roles --stack live"},
		"none of a stack":           {decision.Stack{Name: "live", Claims: []string{}}, "'claims[0]' https://example.com/roles --stack live"},
		"not listed for this stack": {decision.Stack{Name: "live"}, "'claims[0]' https://example.com/roles --stack live"},
	} {
		_, err := decision.PrepareFor(t.Context(), source(rego), "gate/decision", row.stack)
		if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want) || !strings.Contains(err.Error(), "gate/gate.rego:3")) {
			t.Errorf("claims that are %s: got %v, want %q", name, err, row.want)
		}
	}
}

// No error: another rule may do without the field, and another stack may have it.
func TestNoticesNameFieldsThatNoRequestOfTheStackHas(t *testing.T) {
	absent := []decision.Absent{{Field: "permissions", Why: "its tokens have none"}, {Field: "issuer", Why: "it trusts one"}}
	const notice = "policies/gate reads input.%s, which no request to stack live has: %s; "
	for rule, want := range map[string][]string{
		`allow if input.permissions == "see"`:                               {fmt.Sprintf(notice, "permissions", "its tokens have none")},
		`allow if not input.permissions`:                                    {fmt.Sprintf(notice, "permissions", "its tokens have none")},
		"allow if input.scope == \"see\"\n\nallow if input.issuer == \"i\"": {fmt.Sprintf(notice, "issuer", "it trusts one")},
		`allow if input.scope == "see"`:                                     nil,
		`allow if count(input) > 3`:                                         nil, // it reads none by name
	} {
		policy, err := decision.PrepareFor(t.Context(), source("package gate\n\n"+rule+"\n\ndecision := {\"allow\": true, \"reasons\": set()} if allow\n"+denied), "gate/decision", decision.Stack{Name: "live", Absent: absent})
		if err != nil {
			t.Fatal(err)
		}
		got := policy.Notices()
		if !slices.EqualFunc(got, want, strings.HasPrefix) {
			t.Errorf("%s: got %q, want %q", rule, got, want)
		}
	}
}
