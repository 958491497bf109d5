package main

import (
	"encoding/json"
	"strings"
	"testing"

	"account-api/internal/refusal"
	"account-api/internal/token/corpus"
	"account-api/internal/token/tokentest"
)

// eventRows are about the event around the token. None of them may cause a fetch.
func eventRows() []row {
	good := tokentest.Valid()
	valid := bearing(good)
	with := func(field, value string) string {
		e := map[string]json.RawMessage{}
		if err := json.Unmarshal([]byte(valid), &e); err != nil {
			panic(err)
		}
		if e[field] = json.RawMessage(value); value == "" {
			delete(e, field)
		}
		return marshal(e)
	}
	method := func(arn string) string { return with("methodArn", `"`+arn+`"`) }
	long := corpus.Claims(corpus.Also("x", tokentest.Quote(strings.Repeat("x", 16<<10))))

	var rows []row
	for _, r := range []struct {
		name, event string
		want        refusal.Reason
	}{
		{"type REQUEST", with("type", `"REQUEST"`), refusal.InvalidEvent},
		{"type missing", with("type", ""), refusal.InvalidEvent},
		{"type empty", with("type", `""`), refusal.InvalidEvent},
		{"type in lower case", with("type", `"token"`), refusal.InvalidEvent},
		{"type null", with("type", "null"), refusal.InvalidEvent},
		{"token missing", with("authorizationToken", ""), refusal.MissingToken},
		{"token empty", tokenEvent(""), refusal.MissingToken},
		{"token null", with("authorizationToken", "null"), refusal.MissingToken},
		{"token a number", with("authorizationToken", "5"), refusal.InvalidEvent},
		{"token an object", with("authorizationToken", "{}"), refusal.InvalidEvent},
		{"no bearer value", tokenEvent("boarer 1234"), refusal.MalformedToken},
		{"no token", tokenEvent("Bearer 1234"), refusal.MalformedToken},
		{"lower case", tokenEvent("bearer " + good), refusal.MalformedToken},
		{"upper case", tokenEvent("BEARER " + good), refusal.MalformedToken},
		{"two spaces", tokenEvent("Bearer  " + good), refusal.MalformedToken},
		{"a tab", tokenEvent("Bearer\t" + good), refusal.MalformedToken},
		{"a space before", tokenEvent(" Bearer " + good), refusal.MalformedToken},
		{"a space behind", tokenEvent("Bearer " + good + " "), refusal.MalformedToken},
		{"a line feed behind", tokenEvent("Bearer " + good + "\n"), refusal.MalformedToken},
		{"a carriage return and line feed behind", tokenEvent("Bearer " + good + "\r\n"), refusal.MalformedToken},
		{"only the scheme", tokenEvent("Bearer"), refusal.MalformedToken},
		{"only the scheme and a space", tokenEvent("Bearer "), refusal.MalformedToken},
		{"two credentials", tokenEvent("Bearer " + good + ", Bearer " + good), refusal.MalformedToken},
		{"scheme Basic", tokenEvent("Basic " + good), refusal.MalformedToken},
		{"scheme DPoP", tokenEvent("DPoP " + good), refusal.MalformedToken},
		{"scheme Token", tokenEvent("Token " + good), refusal.MalformedToken},
		{"no scheme", tokenEvent(good), refusal.MalformedToken},
		{"a good token of 16 KiB", bearing(long), refusal.MalformedToken},
		{"a megabyte of letters without a scheme", tokenEvent(strings.Repeat("A", 1<<20)), refusal.MalformedToken},
		{"method ARN missing", with("methodArn", ""), refusal.InvalidEvent},
		{"method ARN null", with("methodArn", "null"), refusal.InvalidEvent},
		{"method ARN empty", method(""), refusal.InvalidEvent},
		{"another service's ARN", method("arn:aws:lambda:eu-central-1:123456789012:function:f"), refusal.InvalidEvent},
		{"an API without stage and method", method("arn:aws:execute-api:eu-central-1:123456789012:abcdef123"), refusal.InvalidEvent},
		{"a star in the path", method(arn + "/*"), refusal.InvalidEvent},
		{"a question mark in the path", method(arn + "/?"), refusal.InvalidEvent},
		{"a variable in the path", method(arn + "/${aws:username}"), refusal.InvalidEvent},
		{"a star for the verb", method(strings.Replace(arn, "GET", "*", 1)), refusal.InvalidEvent},
		{"a star for the stage", method(strings.Replace(arn, "prod", "*", 1)), refusal.InvalidEvent},
		{"a method ARN of 513 characters", method(arn + strings.Repeat("x", 513-len(arn))), refusal.InvalidEvent},
		{"the token twice, the good one last", strings.Replace(valid, "{", `{"authorizationToken":"Bearer a.b.c",`, 1), refusal.InvalidEvent},
		{"the token twice, the good one first", strings.TrimSuffix(valid, "}") + `,"authorizationToken":"Bearer a.b.c"}`, refusal.InvalidEvent},
		{"a name in another case is not the name", strings.Replace(valid, "authorizationToken", "AuthorizationToken", 1), refusal.MissingToken},
		{"no JSON", "Bearer", refusal.InvalidEvent},
		{"nothing", "", refusal.InvalidEvent},
		{"null", "null", refusal.InvalidEvent},
		{"an array", "[]", refusal.InvalidEvent},
		{"an empty object", "{}", refusal.InvalidEvent},
		{"invalid UTF-8", strings.Replace(valid, "TOKEN", "TOKEN\xff", 1), refusal.InvalidEvent},
		{"something behind the event", valid + "{}", refusal.InvalidEvent},
		{"an event that ends early", valid[:len(valid)-1], refusal.InvalidEvent},
	} {
		rows = append(rows, refusing("event: "+r.name, r.event, r.want, 0))
	}

	allowing := func(name, event, resource string) row {
		return row{name, func(t *testing.T, a authorizer) {
			a.meets(t, event, accepted, strings.Replace(machine(), arn, resource, 1))
		}}
	}
	longest := arn + strings.Repeat("x", 512-len(arn))
	root := "arn:aws:execute-api:eu-central-1:123456789012:abcdef123/prod/POST/"
	rows = append(rows,
		allowing("event: a valid event", valid, arn),
		allowing("event: a method ARN of 512 characters", method(longest), longest),
		allowing("event: keys that API Gateway may add", with("foo", `{"bar":[1]}`), arn),
		allowing("event: the root's method ARN, which ends in a slash", method(root), root))
	for _, partition := range []string{"aws-cn", "aws-us-gov"} {
		echoed := strings.Replace(arn, "arn:aws:", "arn:"+partition+":", 1)
		rows = append(rows, allowing("event: partition "+partition, method(echoed), echoed))
	}
	return rows
}

// TestSentences fixes what an operator reads about the usual first mistakes.
func TestSentences(t *testing.T) {
	for event, want := range map[string]string{
		strings.Replace(bearing("a.b.c"), "TOKEN", "REQUEST", 1): `Authorizer must be of type "TOKEN"`,
		tokenEvent(""):            `Authorization header with "Bearer TOKEN" must be provided`,
		tokenEvent("boarer 1234"): "Invalid bearer token",
	} {
		a := newAuthorizer(t)
		if _, err := a.Invoke(t.Context(), []byte(event)); err != errUnauthorized {
			t.Errorf("expected exactly Unauthorized, got %v", err)
		}
		if got := a.last(t).Detail; got != want {
			t.Errorf("expected the detail %q, got %q", want, got)
		}
	}
}
