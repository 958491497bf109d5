package member_test

import (
	"maps"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"account-api/local/gateway/member"
)

func TestOf(t *testing.T) {
	for text, want := range map[string]map[string]string{
		`{}`: {}, ` { } `: {}, `{"":""}`: {"": `""`}, `{"\u0061":1}`: {"a": "1"}, ` {"a" : [ 1 , 2 ] } `: {"a": "[ 1 , 2 ]"},
		`{"b":"x","c":null,"d":[1,{}],"e":{"f":true}}`: {"b": `"x"`, "c": "null", "d": "[1,{}]", "e": `{"f":true}`},
	} {
		got, err := member.Of([]byte(text))
		if err != nil || !maps.EqualFunc(got, want, func(a jsontext.Value, b string) bool { return string(a) == b }) {
			t.Errorf("%s: got %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{
		``, ` `, `null`, `1`, `"a"`, `[]`, `[{}]`, `{`, `}`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{a:1}`, `{"a":1}}`, `{} {}`, `{"a":1}x`,
		`{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"a":{"b":1,"b":2}}`, "{\"\xff\":1}", `{"a":tru}`, `{"a":01}`, "{\"a\":\"\n\"}",
	} {
		if got, err := member.Of([]byte(text)); err == nil {
			t.Errorf("%q: got %q, want an error", text, got)
		}
	}
}

func TestText(t *testing.T) {
	for _, row := range []struct {
		value, want string
		ok          bool
	}{
		{`""`, "", true}, {`"a"`, "a", true}, {`"\u00fc\n"`, "ü\n", true},
		{`1`, "", false}, {`null`, "", false}, {`true`, "", false}, {`{}`, "", false}, {`["a"]`, "", false},
	} {
		if got, ok := member.Text(jsontext.Value(row.value)); got != row.want || ok != row.ok {
			t.Errorf("%s: got %q, %t; want %q, %t", row.value, got, ok, row.want, row.ok)
		}
	}
}

func TestScalar(t *testing.T) {
	for _, row := range []struct {
		value, want string
		present, ok bool
	}{
		{`"a"`, "a", true, true}, {`""`, "", true, true}, {`12`, "12", true, true}, {`1e3`, "1e3", true, true}, {`true`, "true", true, true},
		{`null`, "", false, true}, {`{}`, "", false, false}, {`["a"]`, "", false, false}, {"\"\xff\"", "", false, false},
	} {
		got, present, err := member.Scalar(jsontext.Value(row.value))
		if got != row.want && row.ok || present != row.present || (err == nil) != row.ok {
			t.Errorf("%q: got %q, %t, %v", row.value, got, present, err)
		}
	}
}

func TestOptional(t *testing.T) {
	if got, err := member.Optional(jsontext.Value(`null`)); got != nil || err != nil {
		t.Errorf("null: got %v, %v", got, err)
	}
	if got, err := member.Optional(jsontext.Value(`{"a":1}`)); len(got) != 1 || err != nil {
		t.Errorf("an object: got %v, %v", got, err)
	}
	if _, err := member.Optional(jsontext.Value(`[]`)); err == nil {
		t.Error("a list: got no error")
	}
}
