package gateway

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

func TestReadOutputIsStrict(t *testing.T) {
	const members = "principalId, context"
	for text, want := range map[string]string{
		`{}`: "", ` { } `: "", `{"principalId":"a"}`: "", `{"principal\u0049d":"a"}`: "", ` {"context" : null } `: "", `{"context":{"":""}}`: "",
		``: "a JSON object", ` `: "a JSON object", `null`: "a JSON object", `1`: "a JSON object", `"a"`: "a JSON object", `[]`: "a JSON object", `[{}]`: "a JSON object",
		`{`: "each once", `}`: "a JSON object", `{"context"}`: "each once", `{"context":}`: "each once", `{"principalId":"a",}`: "each once", `{context:1}`: "each once",
		`{}}`: "each once", `{} {}`: "each once", `{}x`: "each once", "{\"\xff\":1}": "each once", "{\"principalId\":\"\n\"}": "each once",
		`{"principalId":"a","principalId":"b"}`: "each once", `{"principalId":"a","principal\u0049d":"b"}`: "each once",
		`{"context":{"secret":"a","secret":"b"}}`: "each once", `{"context":{"secret":tru}}`: "each once", `{"context":{"secret":01}}`: "each once",
		`{"secret":1}`: "none of principalId", `{"principalID":"secret"}`: "none of principalId",
		`{"principalId":{"secret":1}}`: "principalId has an unusable value", `{"context":"secret"}`: "context has an unusable value",
		`{"context":{"secret":["secret"]}}`: "context: a value is an object or a list",
	} {
		var output struct {
			Principal string            `json:"principalId"`
			Context   map[string]scalar `json:"context"`
		}
		err := readOutput([]byte(text), &output, members)
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%s: got %v, want an error with %q", text, err, want)
		}
	}
}

func TestScalars(t *testing.T) {
	for _, row := range []struct {
		value, want string
		present, ok bool
	}{
		{`""`, "", true, true}, {`"a"`, "a", true, true}, {`"\u00fc\n"`, "ü\n", true, true},
		{`12`, "12", true, true}, {`1e3`, "1e3", true, true}, {`true`, "true", true, true}, {`false`, "false", true, true},
		{`null`, "", false, true}, {`{}`, "", false, false}, {`["a"]`, "", false, false}, {"\"\xff\"", "", false, false},
	} {
		var got scalar
		err := json.Unmarshal([]byte(row.value), &got)
		if (err == nil) != row.ok || row.ok && (got.text != row.want || got.present != row.present) {
			t.Errorf("%q: got %+v, %v", row.value, got, err)
		}
	}
}
