package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// executable is the function as it is deployed, but for this machine.
var executable string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	directory, err := os.MkdirTemp("", "profile")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(directory)
	executable = filepath.Join(directory, "bootstrap")
	build := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", executable, ".")
	if output, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, output)
		return 1
	}
	return m.Run()
}

// runtimeAPI is as much of Lambda's Runtime API as one function needs: it hands out
// events and collects what is posted back.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
type runtimeAPI struct {
	events  chan string
	answers chan answer
}

type answer struct{ path, body string }

func (api *runtimeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/invocation/next") {
		select {
		case payload := <-api.events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "invocation-1")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(time.Minute).UnixMilli(), 10))
			io.WriteString(w, payload)
		case <-r.Context().Done(): // the process has ended
		}
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		body = []byte(err.Error())
	}
	w.WriteHeader(http.StatusAccepted)
	api.answers <- answer{path: r.URL.Path, body: string(body)}
}

func TestExecutable(t *testing.T) {
	api := &runtimeAPI{events: make(chan string), answers: make(chan answer, 1)}
	server := httptest.NewServer(api)
	defer server.Close()

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var log bytes.Buffer
	process := exec.CommandContext(ctx, executable)
	process.Env = []string{
		"AWS_LAMBDA_RUNTIME_API=" + server.Listener.Addr().String(),
		"AWS_LAMBDA_FUNCTION_NAME=profile-test",
		"AWS_LAMBDA_FUNCTION_VERSION=7",
		"ALLOWED_ORIGIN=*",
	}
	process.Stderr = &log
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}

	cors := strings.NewReplacer(`"no-store"}`,
		`"no-store","Access-Control-Allow-Origin":"*","Access-Control-Expose-Headers":"x-amzn-RequestId, WWW-Authenticate"}`)
	for _, row := range []struct{ name, event, want string }{
		{"with the scope", event(scope(t, "get:profile")), ok},
		{"without the scope", event(scope(t, "update:profile")), forbidden},
		{"without an authorizer", `{}`, forbidden},
		{"without an event", `null`, failure},
		{"with the scope again", event(scope(t, "get:profile")), ok},
	} {
		select {
		case api.events <- row.event:
		case <-ctx.Done():
			t.Fatalf("%s: the process does not ask for an event", row.name)
		}
		select {
		case got := <-api.answers:
			if want := "/2018-06-01/runtime/invocation/invocation-1/response"; got.path != want {
				t.Errorf("%s: posted to %s, want %s", row.name, got.path, want)
			}
			if want := cors.Replace(row.want); got.body != want {
				t.Errorf("%s:\ngot  %s\nwant %s", row.name, got.body, want)
			}
		case <-ctx.Done():
			t.Fatalf("%s: the process does not answer", row.name)
		}
	}
	if err := process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	process.Wait() // killed, so always an error

	if !strings.Contains(log.String(), `"labels":{"app":"account-api","function":"profile-test","version":"7"}`) {
		t.Errorf("the log lacks its labels:\n%s", &log)
	}
	for _, secret := range []string{bearer, subject} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %q:\n%s", secret, &log)
		}
	}
}

func TestExecutableRefusesABadOrigin(t *testing.T) {
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
}
