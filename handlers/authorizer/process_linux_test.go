package main

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"account-api/internal/token/tokentest"
	"account-api/local/lambda"
)

// executables are the function as Lambda runs it, built for this machine.
type executables struct {
	directory string
	deployed  string
	// impatient is the same with a minimal key lifetime of a tenth of a second instead of
	// five minutes, so a test need not wait.
	impatient string
}

var built atomic.Pointer[executables] // for TestMain to remove

func TestMain(m *testing.M) {
	status := m.Run()
	if x := built.Load(); x != nil {
		os.RemoveAll(x.directory)
	}
	os.Exit(status)
}

// deployed and impatient are built by the first test that asks for them. The workers of a
// fuzzing run do not ask.
func deployed(t *testing.T) string  { return build(t).deployed }
func impatient(t *testing.T) string { return build(t).impatient }

func build(t *testing.T) executables {
	t.Helper()
	x, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	return x
}

var buildOnce = sync.OnceValues(func() (x executables, err error) {
	if x.directory, err = os.MkdirTemp("", "authorizer"); err != nil {
		return x, err
	}
	x.deployed, x.impatient = filepath.Join(x.directory, "bootstrap"), filepath.Join(x.directory, "impatient")
	built.Store(&x)

	const source, minutes, moment = "../../internal/jwks/freshness.go", "minLifetime = 5 * time.Minute", "minLifetime = 100 * time.Millisecond"
	text, err := os.ReadFile(source)
	if err != nil {
		return x, err
	}
	if strings.Count(string(text), minutes) != 1 {
		return x, fmt.Errorf("expected %q once in %s: name the constant here as it is named there", minutes, source)
	}
	replaced, err := filepath.Abs(source)
	if err != nil {
		return x, err
	}
	replacement, overlay := filepath.Join(x.directory, "freshness.go"), filepath.Join(x.directory, "overlay.json")
	if err := os.WriteFile(replacement, []byte(strings.Replace(string(text), minutes, moment, 1)), 0o600); err != nil {
		return x, err
	}
	if err := os.WriteFile(overlay, []byte(marshal(map[string]any{"Replace": map[string]string{replaced: replacement}})), 0o600); err != nil {
		return x, err
	}
	for executable, flag := range map[string]string{x.deployed: "-buildvcs=false", x.impatient: "-overlay=" + overlay} {
		build := exec.Command("go", "build", "-tags=lambda.norpc", "-ldflags=-s -w", flag, "-o", executable, ".")
		if output, err := build.CombinedOutput(); err != nil {
			return x, fmt.Errorf("build: %w\n%s", err, output)
		}
	}
	return x, nil
})

// process is the function behind Lambda's Runtime API.
type process struct {
	*lambda.Pool
	logs *journal
}

func startProcess(t *testing.T, executable string, environment map[string]string) process {
	t.Helper()
	p := process{logs: &journal{}}
	var err error
	p.Pool, err = lambda.NewPool(lambda.Function{
		Name: "authorizer", ARN: "arn:aws:lambda:eu-central-1:123456789012:function:authorizer", Region: "eu-central-1",
		Executable: executable, Environment: environment, Timeout: 4 * patience, // a busy machine may stop a process for a second
	}, lambda.Options{Log: func(l lambda.Line) { fmt.Fprintln(p.logs, l.Text) }, MaxProcesses: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		p.checkMemory(t)
	})
	return p
}

func variables(url string) map[string]string {
	return map[string]string{"JWKS_URI": url + "/.well-known/jwks.json", "TOKEN_ISSUER": tokentest.Issuer, "AUDIENCE": tokentest.Audience}
}

// maxMemory is what the function may use, in megabytes: half of Lambda's smallest size.
const maxMemory = 64

// checkMemory reads the peak of the resident set in the platform's reports.
func (p process) checkMemory(t *testing.T) {
	reports := 0
	for line := range strings.Lines(p.logs.String()) {
		_, used, found := strings.Cut(line, "Max Memory Used: ")
		if !found {
			continue
		}
		reports++
		used, _, _ = strings.Cut(used, " MB")
		if megabytes, err := strconv.Atoi(used); err != nil || megabytes > maxMemory {
			t.Errorf("expected at most %d MB, got %q", maxMemory, used)
		}
	}
	if reports == 0 {
		t.Error("expected reports of the memory used, got none")
	}
}

// now is an event with a token under kid that is valid at this moment.
func now(kid string) string {
	key := tokentest.K1()
	if kid == "k3" {
		key = tokentest.K3()
	}
	unix := time.Now().Unix()
	payload := tokentest.Payload().With("iat", fmt.Sprint(unix-10)).With("exp", fmt.Sprint(unix+3600))
	return bearing(tokentest.Sign(tokentest.Header(kid).JSON(), payload.JSON(), key))
}

// allows reports whether the process allows the event. Any other answer has to be exactly
// Unauthorized, and not the platform's message about a timeout.
func (p process) allows(t *testing.T, event string) bool {
	t.Helper()
	r, err := p.Invoke(context.Background(), []byte(event))
	if err != nil {
		t.Fatal(err)
	}
	p.logs.holdsNothingOf(t, event)
	if r.FunctionError == "" {
		if string(r.Payload) != machine() {
			t.Errorf("expected the Allow, got %s", r.Payload)
		}
		return true
	}
	if string(r.Payload) != `{"errorMessage":"Unauthorized","errorType":"errorString"}` {
		t.Errorf("expected exactly Unauthorized, got %s", r.Payload)
	}
	return false
}

// eventually calls a condition until it is true. The limit turns a hang into a failure.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for limit := time.Now().Add(time.Minute); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("never happened: %s", what)
		}
	}
}

// shortly answers with a key set that the provider does not want kept.
func shortly(keys ...tokentest.Object) http.HandlerFunc {
	return headed("Cache-Control", "max-age=0", tokentest.JWKS(keys...))
}

// faults are what may be wrong with a provider.
func faults() map[string]http.HandlerFunc {
	var requests atomic.Int64
	return map[string]http.HandlerFunc{
		"is down":                 status(http.StatusServiceUnavailable),
		"hangs up":                breaking(1 << 30),
		"is silent":               silence,
		"sends a byte per second": oneBytePerSecond(tokentest.PublicKeySet()),
		"sends 100 MB":            spaces(100 << 20),
		"sends HTML":              document([]byte("<!doctype html><title>Sign in</title>")),
		"has lost its keys":       shortly(),
		"flaps": func(w http.ResponseWriter, r *http.Request) {
			if requests.Add(1)%2 == 1 {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			shortly(key())(w, r)
		},
	}
}

// TestFaultsWhileServing breaks the provider of a function that has keys and sends unknown key
// IDs meanwhile. Then the provider works again, with another key.
func TestFaultsWhileServing(t *testing.T) {
	t.Parallel()
	for name, fault := range faults() {
		t.Run("the provider "+name, func(t *testing.T) {
			t.Parallel()
			provider := newProvider(t, shortly(key()))
			p := startProcess(t, impatient(t), variables(provider.URL))
			known, rotated := now("k1"), now("k3")
			allow := func() {
				t.Helper()
				if !p.allows(t, known) {
					t.Fatal("expected a token under a known key allowed")
				}
			}
			allow()

			provider.says(fault)
			before := provider.fetches.Load()
			eventually(t, "the keys are fetched again", func() bool { allow(); return provider.fetches.Load() > before })
			for i := range 30 {
				if p.allows(t, now(fmt.Sprint("junk-", i))) {
					t.Error("expected a token under an unknown key refused")
				}
				allow()
			}

			provider.says(shortly(key(), strangeKey()))
			eventually(t, "a token under the new key is allowed", func() bool { allow(); return p.allows(t, rotated) })
			provider.says(shortly(strangeKey()))
			eventually(t, "a token under the withdrawn key is refused", func() bool { return !p.allows(t, known) })
			if !p.allows(t, rotated) {
				t.Error("expected a token under the new key allowed")
			}
			if s := p.Stats(); s.Starts != 1 || s.Crashes+s.Timeouts != 0 {
				t.Errorf("expected one process that lives on, got %+v", s)
			}
		})
	}
}

// TestFaultsAtTheStart starts the function while the provider is broken.
func TestFaultsAtTheStart(t *testing.T) {
	t.Parallel()
	for name, fault := range faults() {
		if name == "flaps" {
			continue // of two tries, in the init phase and the first call, one succeeds
		}
		t.Run("the provider "+name, func(t *testing.T) {
			t.Parallel()
			provider := newProvider(t, fault)
			p := startProcess(t, deployed(t), variables(provider.URL))
			event := now("k1")
			for range 3 {
				if p.allows(t, event) {
					t.Error("expected every token refused without keys")
				}
			}
			provider.says(shortly(key()))
			eventually(t, "the provider is well, and so is the function", func() bool { return p.allows(t, event) })
			if s := p.Stats(); s.Starts != 1 || s.Crashes+s.Timeouts != 0 {
				t.Errorf("expected one process that lives on, got %+v", s)
			}
		})
	}
}

// TestACertificateOfOnesOwn names a private certificate authority by SSL_CERT_FILE.
func TestACertificateOfOnesOwn(t *testing.T) {
	server := httptest.NewUnstartedServer(publishing(key()))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(file, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	variables := variables(server.URL)
	if startProcess(t, deployed(t), variables).allows(t, now("k1")) {
		t.Error("expected a provider refused that nobody vouches for")
	}
	variables["SSL_CERT_FILE"] = file
	if !startProcess(t, deployed(t), variables).allows(t, now("k1")) {
		t.Error("expected the declared certificate trusted")
	}
}

// TestABadEnvironmentEndsTheProcess starts the function without what it needs.
func TestABadEnvironmentEndsTheProcess(t *testing.T) {
	for _, r := range []struct{ name, variable, value string }{
		{"no JWKS_URI", "JWKS_URI", ""},
		{"no TOKEN_ISSUER", "TOKEN_ISSUER", ""},
		{"no AUDIENCE", "AUDIENCE", ""},
		{"an AUDIENCE of spaces", "AUDIENCE", "  "},
		{"keys over http", "JWKS_URI", "http://issuer.example/jwks.json"},
		{"keys with a password", "JWKS_URI", "https://user:hunter22@issuer.example/"},
		{"an unknown POLICY_SCOPE", "POLICY_SCOPE", "all"},
	} {
		t.Run(r.name, func(t *testing.T) {
			variables := variables("https://issuer.example")
			if variables[r.variable] = r.value; r.value == "" {
				delete(variables, r.variable)
			}
			process := exec.Command(deployed(t))
			process.Env = []string{"AWS_LAMBDA_RUNTIME_API=127.0.0.1:1"}
			for name, value := range variables {
				process.Env = append(process.Env, name+"="+value)
			}
			output, err := process.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 1 {
				t.Errorf("expected exit status 1, got %v", err)
			}
			var l line
			if err := json.Unmarshal(output, &l); err != nil || l.Reason != "config_error" || l.Category != "misconfiguration" || !strings.Contains(l.Detail, r.variable) {
				t.Errorf("expected one line that blames %s on the configuration, got %s", r.variable, output)
			}
			if strings.Contains(string(output), "hunter22") {
				t.Errorf("expected no password in the log, got %s", output)
			}
		})
	}
}
