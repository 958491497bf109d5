package endpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"testing"
)

func answering(answer func(context.Context, Request) (Reply, error)) func(*Config, *Environment) {
	return func(c *Config, _ *Environment) { c.Answer = answer }
}

func TestReply(t *testing.T) {
	for _, row := range []struct {
		name   string
		body   string
		reply  Reply
		err    error
		status int
		want   string // body
		cause  string // in the log, "" for no further line
	}{
		{name: "an object", body: `{"a":"é <\"b\">"}`, status: 200, want: `{"a":"é <\"b\">"}`},
		{name: "an array", body: `[1,null]`, status: 200, want: `[1,null]`},
		{name: "JSON with white space", body: "{ }\n", status: 200, want: "{ }\n"},
		{name: "nothing", status: 500, cause: "expected JSON, got nothing: set Body, or Status"},
		{name: "text", body: subject, status: 500, cause: "expected JSON, got 40 bytes"},
		{name: "two values", body: `{}{}`, status: 500, cause: "expected JSON"},
		{name: "a member twice", body: `{"a":1,"a":2}`, status: 500, cause: "expected JSON"},
		{name: "text that is not UTF-8", body: "\"\xff\"", status: 500, cause: "expected JSON"},
		{name: "an error that quotes a claim", err: errors.New("no account of " + subject), status: 500, cause: "failed with *errors.errorString"},
		{name: "a wrapped error", err: fmt.Errorf("%s: %w", subject, &fs.PathError{Op: "open", Path: bearer, Err: io.EOF}), status: 500,
			cause: "failed with *fmt.wrapError of *fs.PathError of *errors.errorString"},
		{name: "several errors", err: errors.Join(&fs.PathError{}, io.EOF), status: 500,
			cause: "failed with *errors.joinError of [*fs.PathError, *errors.errorString]"},
		{name: "an error next to an answer", body: body, err: io.EOF, status: 500, cause: "failed with"},
		{name: "what the client can mend", err: &ClientError{404, `no "account" 7`}, status: 404, want: `{"message":"no \"account\" 7"}`},
		{name: "likewise, wrapped", err: fmt.Errorf("find: %w", &ClientError{409, "too late"}), status: 409, want: `{"message":"too late"}`},
		{name: "an empty body", reply: Reply{Body: []byte{}}, status: 500, cause: "expected JSON, got 0 bytes"},
		{name: "a status that no client accepts", reply: Reply{Status: 101}, status: 500, cause: "from 200 to 599, got 101"},
		{name: "a body that its status forbids", reply: Reply{Status: 204}, body: body, status: 500, cause: "expected no body with status 204"},
		{name: "a header that ends its line", reply: Reply{Header: http.Header{"X-Note": {"a\r\nSet-Cookie: " + subject}}}, body: body, status: 500, cause: "header X-Note to have printable ASCII only"},
		{name: "a header that is not ASCII", reply: Reply{Header: http.Header{"X-Note": {"Zoë"}}}, body: body, status: 500, cause: "percent-encode it"},
		{name: "a header's name that ends its line", reply: Reply{Header: http.Header{"X\r\n" + subject: {"a"}}}, body: body, status: 500, cause: "names of headers that HTTP allows"},
		{name: "a header of API Gateway's own", reply: Reply{Header: http.Header{"www-authenticate": {"Bearer"}}}, body: body, status: 500, cause: "no header Www-Authenticate"},
		{name: "another origin", reply: Reply{Header: http.Header{"Access-Control-Allow-Origin": {"*"}}}, body: body, status: 500, cause: "no header Access-Control-Allow-Origin"},
		{name: "a client's error below 400", err: &ClientError{302, subject}, status: 500, cause: "from 400 to 499, got 302"},
		{name: "a client's error above 499", err: &ClientError{500, subject}, status: 500, cause: "from 400 to 499, got 500"},
		{name: "a client's error of no status", err: &ClientError{}, status: 500, cause: "from 400 to 499, got 0"},
	} {
		t.Run(row.name, func(t *testing.T) {
			h, log := newTestHandler(t, answering(func(context.Context, Request) (Reply, error) {
				reply := row.reply
				if row.body != "" {
					reply.Body = []byte(row.body)
				}
				return reply, row.err
			}))
			got := invoke(t, h, event(scope(t, "read:orders")))
			var response struct {
				StatusCode int
				Headers    map[string]string
				Body       string
			}
			if err := json.Unmarshal([]byte(got), &response); err != nil {
				t.Fatal(err)
			}
			if row.status == 500 {
				row.want = `{"message":"Internal server error"}`
			}
			if response.StatusCode != row.status || response.Body != row.want || response.Headers["Content-Type"] != "application/json" {
				t.Errorf("got %s\nwant %d %s", got, row.status, row.want)
			}

			lines := strings.SplitAfter(strings.TrimSuffix(log.String(), "\n"), "\n")
			if !strings.Contains(lines[0], `"result":{"allow":true`) {
				t.Errorf("the log lacks the decision:\n%s", log)
			}
			want := 1
			if row.cause != "" {
				want = 2
			}
			if len(lines) != want {
				t.Fatalf("wrote %d log lines, want %d:\n%s", len(lines), want, log)
			}
			if row.cause != "" {
				for _, text := range []string{`"cause":"answer: `, row.cause, `"level":"ERROR"`, `"msg":"no answer"`, `"decision_id":"` + eventID + `"`} {
					if !strings.Contains(lines[1], text) {
						t.Errorf("the log lacks %s:\n%s", text, lines[1])
					}
				}
			}
			for _, secret := range []string{bearer, subject} {
				if strings.Contains(log.String(), secret) {
					t.Errorf("the log holds %q:\n%s", secret, log)
				}
			}
		})
	}
}

func TestReplySurvivesAPanic(t *testing.T) {
	h, log := newTestHandler(t, answering(func(_ context.Context, r Request) (Reply, error) { panic("nothing of " + r.Principal) }))
	if got := invoke(t, h, event(scope(t, "read:orders"))); got != failure {
		t.Errorf("got  %s\nwant %s", got, failure)
	}
	for _, want := range []string{`"msg":"no answer"`, "panic: a string", "reply_test.go:"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, log)
		}
	}
	if strings.Contains(log.String(), subject) {
		t.Errorf("the log quotes the panic's value:\n%s", log)
	}
}

// An answer may have effects, so it is never asked for without the policy's allow.
func TestOnlyTheAllowedAreAnswered(t *testing.T) {
	calls := 0
	answer := answering(func(context.Context, Request) (Reply, error) {
		calls++
		return Reply{Body: []byte(body)}, nil
	})
	h, _ := newTestHandler(t, answer)
	for _, payload := range []string{event(scope(t, "write:orders")), event(`null`), `{}`, `null`, `not JSON`} {
		invoke(t, h, payload)
	}
	for _, rego := range []string{"decision := x", "decision := true", "decision := {\"allow\": true, \"reasons\": set()} if input.absent"} {
		h, _ := newTestHandler(t, func(c *Config, e *Environment) {
			answer(c, e)
			withPolicy("package orders\n\n"+rego+"\n")(c, e)
		})
		invoke(t, h, event(scope(t, "read:orders")))
	}
	if calls != 0 {
		t.Errorf("expected no call, nor one at the start, got %d", calls)
	}
	invoke(t, h, event(scope(t, "read:orders")))
	if calls != 1 {
		t.Errorf("expected one call for one who is allowed, got %d", calls)
	}
}

func TestRequestSaysWhoAndWhich(t *testing.T) {
	for _, row := range []struct{ name, payload, principal, id string }{
		{"a caller", event(scope(t, "read:orders")), subject, eventID},
		{"a caller without a principal", event(`{"scope":"read:orders"}`), "", eventID},
		{"a principal of another type", event(`{"scope":"read:orders","principalId":7}`), "", eventID},
		{"an event without an ID", `{"requestContext":{"authorizer":{"principalId":"p","scope":"read:orders"}}}`, "p", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			var got Request
			h, _ := newTestHandler(t, answering(func(_ context.Context, r Request) (Reply, error) {
				got = r
				return Reply{Body: []byte(body)}, nil
			}))
			if response := invoke(t, h, row.payload); response != ok {
				t.Errorf("got %s", response)
			}
			if got.Principal != row.principal || got.ID != row.id {
				t.Errorf("got the principal %q in request %q, want %q in %q", got.Principal, got.ID, row.principal, row.id)
			}
		})
	}
}
