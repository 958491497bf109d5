package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"account-api/local/gateway"
	"account-api/local/lambda"
	"account-api/local/running"
	"account-api/local/trace"
)

const aToken = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln"

func TestReadTrouble(t *testing.T) {
	root := t.TempDir()
	file := filepath.Join(root, "cmd", "seats", "main.go")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	running.Write(t, file, "package main\n")
	running.Write(t, filepath.Join(root, "go.mod"), "module cinema\n")
	running.Write(t, filepath.Join(root, "panic.go"), "package cinema\n") // that of package runtime is another
	failed := func(document string) lambda.Result {
		return lambda.Result{FunctionError: "Unhandled", Payload: []byte(document)}
	}
	logged := func(status string, lines ...string) lambda.Result {
		return lambda.Result{Payload: []byte(`{"statusCode":` + status + `}`), LogTail: lines}
	}
	stack := strings.ReplaceAll("\ngoroutine 1 [running]:\nlib.recovered()\n\tROOT/cmd/seats/main.go:1 +0x1\npanic({0x1})\n\t/usr/local/go/src/runtime/panic.go:860\n"+
		"main.seat()\n\tROOT/cmd/seats/main.go:7 +0x2\nmain.main()\n\tROOT/cmd/seats/main.go:3\n", "ROOT", root)
	goroutine := "\ngoroutine 19 [running]:\nmain.seat.func1()\n\t" + root + "/cmd/seats/main.go:7 +0x2c\ncreated by main.seat in goroutine 1\n\t" + root + "/cmd/seats/main.go:3 +0x1c"
	line := func(cause, message string) string {
		replaced := strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(cause)
		return `{"level":"ERROR","msg":"no answer","cause":"` + replaced + `","message":"` + message + `"}`
	}
	for name, row := range map[string]struct {
		result  lambda.Result
		message string // "" for no trouble
		at      string
	}{
		"an answer":                         {result: logged("200", line("left over", ""))},
		"an authorizer's refusal":           {result: failed(`{"errorMessage":"Unauthorized","errorType":"errorString"}`)},
		"an error":                          {failed(`{"errorMessage":"no seats","errorType":"errorString"}`), "no seats", ""},
		"a typed error":                     {failed(`{"errorMessage":"no seats","errorType":"PathError"}`), "PathError: no seats", ""},
		"a panic, with the place by module": {failed(`{"errorMessage":"no seats","errorType":"string","stackTrace":[{"path":"runtime/panic.go","line":1},{"path":"cinema/cmd/seats/main.go","line":9}]}`), "string: no seats", "cmd/seats/main.go:9"},
		"a panic in package main":           {failed(`{"errorMessage":"no seats","errorType":"string","stackTrace":[{"path":"runtime/panic.go","line":1},{"path":"seats/main.go","line":9}]}`), "string: no seats", "cmd/seats/main.go:9"},
		"the end of a process":              {failed(`{"errorMessage":"RequestId: 1 Error: Runtime exited","errorType":"Runtime.ExitError"}`), "Runtime.ExitError: RequestId: 1 Error: Runtime exited", ""},
		"a panic in a goroutine": {lambda.Result{FunctionError: "Unhandled", Payload: []byte(`{"errorMessage":"Runtime exited with error: exit status 2","errorType":"Runtime.ExitError"}`),
			LogTail: append([]string{"noise", "panic: no seats"}, strings.Split(goroutine, "\n")...)}, "panic: no seats", "cmd/seats/main.go:7"},
		"a panic in a goroutine, with the place by module": {lambda.Result{FunctionError: "Unhandled", Payload: []byte(`{"errorType":"Runtime.ExitError"}`),
			LogTail: append([]string{"fatal error: all goroutines are asleep"}, strings.Split(strings.ReplaceAll(goroutine, root, "cinema"), "\n")...)}, "fatal error: all goroutines are asleep", "cmd/seats/main.go:7"},
		"a name of AWS's that is not found": {logged("500", line("answer: failed", "GetItem: dial tcp: lookup dynamodb.eu-north-1.amazonaws.com on 127.0.0.53:53: no such host")),
			"GetItem: dial tcp: lookup dynamodb.eu-north-1.amazonaws.com on 127.0.0.53:53: no such host (make run AWS=http://127.0.0.1:8000 lets handlers reach a local server)", ""},
		"another name that is not found": {failed(`{"errorMessage":"lookup db.example: no such host","errorType":"errorString"}`), "lookup db.example: no such host", ""},
		"too little memory":              {lambda.Result{FunctionError: "Unhandled", Payload: []byte(`{"errorType":"Runtime.ExitError"}`), MemoryMB: 129}, "its process took 129 MB and was ended: the function declares a memory of 128 MB", ""},
		"a 500 with a reason":            {logged("500", "noise", line("answer: failed with *errors.errorString", `no table \"a\"`), `{"level":"INFO"}`), `no table "a"`, ""},
		"a 500 without one":              {result: logged("500", "noise")},
		"a 500 of a panic":               {logged("500", line("panic: a string"+stack, "no seats")), "panic: no seats", "cmd/seats/main.go:7"},
		"a message of several lines":     {failed(`{"errorMessage":"a\n\tb","errorType":"errorString"}`), "a b", ""},
		"a message that quotes a token":  {failed(`{"errorMessage":"bad ` + aToken + `!","errorType":"errorString"}`), "bad [token]!", ""},
		"a long message":                 {failed(`{"errorMessage":"` + strings.Repeat("é", 500) + `","errorType":"errorString"}`), strings.Repeat("é", 200) + "…", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := readTrouble(row.result, source{"cmd/seats", 128}, root)
			if got != (trouble{row.message, row.at}) {
				t.Errorf("expected %q at %q, got %+v", row.message, row.at, got)
			}
		})
	}
}

func TestFailuresAreExplainedOnTheirLine(t *testing.T) {
	failed := func(reason string) trace.Trace {
		return trace.Trace{Invocations: []trace.Invocation{{Failure: reason, Place: "main.go:3"}}}
	}
	for name, row := range map[string]struct {
		exchange gateway.Exchange
		trace    trace.Trace
		line     string
	}{
		"of the authorizer": {gateway.Exchange{Status: 500, AnsweredBy: "authorizer"}, failed("no keys"), "500 by authorizer: no keys"},
		"of a function":     {gateway.Exchange{Status: 502, AnsweredBy: "integration seats"}, failed("no seats"), "502 by integration seats: no seats"},
		"of neither":        {gateway.Exchange{Status: 502, AnsweredBy: "gateway", Reason: "no answer"}, failed(""), "502 by gateway: no answer"},
	} {
		e := explain(row.exchange, row.trace, func(string) string { return "" }, "functions.log")
		if got := strings.TrimSpace(e.String()); got != row.line {
			t.Errorf("%s: got %q, want %q", name, got, row.line)
		}
		if last := e.Steps[len(e.Steps)-1]; last != (gateway.Step{Hop: logHop, Detail: "functions.log"}) {
			t.Errorf("%s: expected the last step to name the log, got %v", name, e.Steps)
		}
	}
}

func TestKeysThatCannotBeFetchedHaveACommandThatSaysWhy(t *testing.T) {
	const refused = "the authorizer refused the token"
	for logged, want := range map[string]string{
		"jwks_unavailable": refused + ": make explain STACK=opera </dev/null says why its issuer's keys cannot be fetched",
		"expired":          refused,
	} {
		e := gateway.Exchange{AnsweredBy: "authorizer", Reason: refused, Authorization: &gateway.Authorization{Invocation: &gateway.Invocation{LoggedAsReason: logged}}}
		if got := withoutKeys(e, "opera").Reason; got != want {
			t.Errorf("expected %q, got %q", want, got)
		}
	}
}

func TestALongPathIsCutOnItsLine(t *testing.T) {
	path := "/" + strings.Repeat("a", 9000)
	var b strings.Builder
	newReport(&b, io.Discard, false).exchange(gateway.Exchange{Method: "GET", Path: path, Status: 403, AnsweredBy: "authorizer", Reason: "it denies arn/GET" + path})
	if got := b.String(); strings.Count(got, strings.Repeat("a", 199)+"…") != 2 || len(got) > 600 {
		t.Errorf("expected the path to be cut twice, got %d bytes: %.600s", len(got), got)
	}
}
