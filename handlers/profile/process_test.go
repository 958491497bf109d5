package main

import (
	"errors"
	"os/exec"
	"strings"
	"testing"

	"account-api/internal/caller"
	"account-api/internal/decision"
	"account-api/internal/endpoint/endpointtest"
)

// The answers, byte for byte, of a function without ALLOWED_ORIGIN. That of a denial has the
// policy's reasons.
const (
	ok        = `{"statusCode":200,"headers":{"Content-Type":"application/json","Cache-Control":"no-store"},"body":"{\"name\":\"Daniël\"}"}`
	forbidden = `{"statusCode":403,"headers":{"Content-Type":"application/json","Cache-Control":"no-store"},"body":"{\"message\":\"Error: Forbidden\",\"info\":`
	failure   = `{"statusCode":500,"headers":{"Content-Type":"application/json","Cache-Control":"no-store"},"body":"{\"message\":\"Internal server error\"}"}`
)

// callers finds a caller whom the policy allows and one whom it denies, whatever the policy
// is. Nil is one that there is not: a policy may be open to all.
func callers(t testing.TB) (allowed, denied *decision.Input) {
	t.Helper()
	c := profile()
	policy, err := decision.Prepare(t.Context(), c.Policy, c.Entrypoint)
	if err != nil {
		t.Fatal(err)
	}
	found, err := caller.Find(t.Context(), policy)
	if err != nil {
		t.Fatal(err)
	}
	return found.Allowed, found.Denied
}

// hint is the likely cause of an answer that is not the expected one.
func hint(got string) string {
	if strings.HasPrefix(got, `{"statusCode":500`) {
		return "\nIf the answer needs what this test does not provide, such as a table, rewrite or delete this test: docs/dynamodb.md"
	}
	return ""
}

func TestExecutable(t *testing.T) {
	type row struct{ name, event, want string }
	rows := []row{{"no event", `null`, failure}}
	allowed, denied := callers(t)
	if allowed != nil {
		rows = append(rows, row{"a caller who is allowed", endpointtest.EventOf(t, *allowed), ok})
	}
	if denied != nil {
		rows = append(rows, row{"a caller who is not", endpointtest.EventOf(t, *denied), forbidden})
	}
	rows = append(rows, rows...) // the second time, the function is warm
	executable := endpointtest.Build(t)

	t.Run("answers", func(t *testing.T) {
		process := endpointtest.Start(t, executable, nil)
		for _, row := range rows {
			if got := process.Invoke(row.event); !strings.HasPrefix(got, row.want) {
				t.Errorf("%s:\ngot  %s\nwant %s%s", row.name, got, row.want, hint(got))
			}
		}
	})

	t.Run("answers pages of any origin, and logs decisions", func(t *testing.T) {
		process := endpointtest.Start(t, executable, map[string]string{"ALLOWED_ORIGIN": "*"})
		cors := strings.NewReplacer(`"no-store"}`,
			`"no-store","Access-Control-Allow-Origin":"*","Access-Control-Expose-Headers":"x-amzn-RequestId, WWW-Authenticate"}`)
		for _, row := range rows {
			if got, want := process.Invoke(row.event), cors.Replace(row.want); !strings.HasPrefix(got, want) {
				t.Errorf("%s:\ngot  %s\nwant %s%s", row.name, got, want, hint(got))
			}
		}

		log := process.Stop()
		for _, want := range []string{
			`"path":"` + profile().Entrypoint + `"`,
			`"labels":{"function":"` + endpointtest.FunctionName + `","version":"$LATEST"}`,
		} {
			if !strings.Contains(log, want) {
				t.Errorf("the log lacks %s:\n%s", want, log)
			}
		}
		for _, secret := range []string{endpointtest.Bearer, endpointtest.Subject} {
			if strings.Contains(log, secret) {
				t.Errorf("the log holds %q:\n%s", secret, log)
			}
		}
	})

	t.Run("refuses to start with a bad origin", func(t *testing.T) {
		process := exec.CommandContext(t.Context(), executable)
		process.Env = []string{"AWS_LAMBDA_RUNTIME_API=127.0.0.1:1", "ALLOWED_ORIGIN=https://app.example.com/"}
		output, err := process.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 {
			t.Errorf("got %v, want exit code 1", err)
		}
		for _, want := range []string{`"level":"ERROR"`, "ALLOWED_ORIGIN", `https://app.example.com\"`} {
			if !strings.Contains(string(output), want) {
				t.Errorf("the log lacks %s:\n%s", want, output)
			}
		}
	})
}
