package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"account-api/local/issuer"
	"account-api/local/running"
)

// program is this command, built once.
var program string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "local-test-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		program = filepath.Join(dir, "local")
		if output, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "%s%v\n", output, err)
			return 1
		}
		return m.Run()
	}())
}

// patience is how long anything may take before a test gives up: a fresh machine
// compiles the Pulumi SDK first.
const patience = 15 * time.Minute

// command is this program, running as a process of its own.
type command struct {
	cmd       *exec.Cmd
	api       string // URL of GET /profile
	issuerURL string
	out       *running.Transcript
	exited    chan struct{}
	err       error // of the command, once exited is closed
}

// launch starts the command without waiting for anything.
func launch(t *testing.T, root string, arguments ...string) *command {
	t.Helper()
	r := &command{out: &running.Transcript{}, exited: make(chan struct{})}
	r.cmd = exec.Command(program, append([]string{"-root", root, "-port", "0", "-issuer-port", "0", "-console-port", "0"}, arguments...)...)
	r.cmd.Stdout, r.cmd.Stderr = r.out, r.out
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		r.err = r.cmd.Wait()
		close(r.exited)
	}()
	t.Cleanup(func() { r.stop(t, syscall.SIGTERM) })
	return r
}

var addresses = regexp.MustCompile(`(?m)^  API +(\S+)\n  issuer +(\S+)\n`)

// runStack starts the command and waits until it serves.
func runStack(t *testing.T, root string, arguments ...string) *command {
	t.Helper()
	r := launch(t, root, arguments...)
	deadline := time.After(patience)
	for {
		if found := addresses.FindStringSubmatch(r.out.String()); found != nil {
			r.api, r.issuerURL = found[1], found[2]
			return r
		}
		select {
		case <-r.exited:
			t.Fatalf("expected the stack to start, got %v:\n%s", r.err, r.out)
		case <-deadline:
			t.Fatalf("expected the stack to start within %v, got:\n%s", patience, r.out)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop ends the command with a signal and waits for it.
func (r *command) stop(t *testing.T, signal syscall.Signal) {
	t.Helper()
	select {
	case <-r.exited:
		return
	default:
	}
	if err := r.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
	select {
	case <-r.exited:
	case <-time.After(time.Minute):
		r.cmd.Process.Kill()
		t.Errorf("expected the command to end on %v, got none of it in a minute:\n%s", signal, r.out)
	}
}

type answer struct {
	status int
	header http.Header
	body   string
}

func request(t *testing.T, method, url string, header ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(body)}
}

func get(t *testing.T, url, token string) answer {
	t.Helper()
	if token == "" {
		return request(t, http.MethodGet, url)
	}
	return request(t, http.MethodGet, url, "Authorization", "Bearer "+token)
}

func (r *command) token(t *testing.T, scope string) string {
	t.Helper()
	form := fmt.Sprintf("grant_type=client_credentials&client_id=%s&client_secret=%s&audience=https://api.example.com/account&scope=%s",
		issuer.DefaultClientID, issuer.DefaultClientSecret, scope)
	response, err := http.Post(r.issuerURL+"oauth/token", "application/x-www-form-urlencoded", strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var granted struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&granted); err != nil || granted.AccessToken == "" {
		t.Fatalf("expected a token for %q, got status %d, %v", scope, response.StatusCode, err)
	}
	return granted.AccessToken
}

// The answers that clients rely on.
const (
	profileBody      = `{"name":"Daniël"}`
	unauthorizedBody = `{"message":"Unauthorized"}`
	forbiddenBody    = `{"message":"Error: Forbidden","info":"scope \"get:profile\" is required"}`
	unknownBody      = `{"message":"Missing Authentication Token"}`
)

func expect(t *testing.T, a answer, status int, body string) {
	t.Helper()
	if a.status != status || a.body != body {
		t.Errorf("expected %d %s, got %d %s", status, body, a.status, a.body)
	}
}

func TestWalk(t *testing.T) {
	for _, stack := range []string{"dev", "prod"} {
		t.Run(stack, func(t *testing.T) {
			r := runStack(t, "..", "-stack", stack)
			if want := "/" + stack + "/profile"; !strings.HasSuffix(r.api, want) {
				t.Fatalf("expected the API at %s, got %s", want, r.api)
			}

			t.Run("without a token 401, and a page on another origin may read it", func(t *testing.T) {
				a := get(t, r.api, "")
				expect(t, a, http.StatusUnauthorized, unauthorizedBody)
				if a.header.Get("WWW-Authenticate") != "Bearer" || a.header.Get("Access-Control-Allow-Origin") != "*" {
					t.Errorf("expected a challenge and CORS headers, got %v", a.header)
				}
			})
			t.Run("with the scope 200", func(t *testing.T) {
				a := get(t, r.api, r.token(t, "get:profile"))
				expect(t, a, http.StatusOK, profileBody)
				if a.header.Get("Content-Type") != "application/json" || a.header.Get("Access-Control-Allow-Origin") != "*" {
					t.Errorf("expected JSON with CORS headers, got %v", a.header)
				}
			})
			t.Run("with two scopes 200", func(t *testing.T) {
				expect(t, get(t, r.api, r.token(t, "update:profile+get:profile")), http.StatusOK, profileBody)
			})
			t.Run("without the scope 403", func(t *testing.T) {
				expect(t, get(t, r.api, r.token(t, "update:profile")), http.StatusForbidden, forbiddenBody)
			})
			t.Run("a preflight needs no token and names Authorization", func(t *testing.T) {
				a := request(t, http.MethodOptions, r.api, "Origin", "http://page.example",
					"Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "authorization")
				if a.status != http.StatusNoContent || !strings.Contains(a.header.Get("Access-Control-Allow-Headers"), "Authorization") ||
					a.header.Get("Access-Control-Allow-Methods") != "GET" || a.header.Get("Access-Control-Allow-Origin") != "*" {
					t.Errorf("expected 204 that allows GET with Authorization, got %d %v", a.status, a.header)
				}
			})
			t.Run("an unknown path or verb 403", func(t *testing.T) {
				expect(t, get(t, r.api+"/x", ""), http.StatusForbidden, unknownBody)
				expect(t, request(t, http.MethodDelete, r.api), http.StatusForbidden, unknownBody)
			})
			t.Run("malformed values 401", func(t *testing.T) {
				good := r.token(t, "get:profile")
				for _, value := range []string{
					"", "Bearer", "Bearer ", good, "bearer " + good, "Bearer  " + good, "Bearer " + good + "=",
					"Bearer a.b.c", "Bearer " + good + ", Bearer " + good, "Basic " + good,
				} {
					expect(t, request(t, http.MethodGet, r.api, "Authorization", value), http.StatusUnauthorized, unauthorizedBody)
				}
			})
			t.Run("a line per request says who answered, and no token", func(t *testing.T) {
				token := r.token(t, "get:profile")
				get(t, r.api, token)
				if out := r.out.String(); !strings.Contains(out, "200 by integration account-api-"+stack+"-profile") ||
					!strings.Contains(out, "401 by gateway") || strings.Contains(out, strings.Split(token, ".")[1]) {
					t.Errorf("expected lines by the gateway and the function without tokens, got:\n%s", out)
				}
			})
		})
	}
}

func TestRotation(t *testing.T) {
	r := runStack(t, "..")
	before := r.token(t, "get:profile")
	expect(t, get(t, r.api, before), http.StatusOK, profileBody)
	if a := request(t, http.MethodPost, r.issuerURL+"rotate"); a.status != http.StatusOK {
		t.Fatalf("expected keys to rotate, got %d %s", a.status, a.body)
	}
	after := r.token(t, "get:profile")
	if strings.Split(before, ".")[0] == strings.Split(after, ".")[0] {
		t.Fatal("expected another key ID after the rotation")
	}
	expect(t, get(t, r.api, after), http.StatusOK, profileBody)
	expect(t, get(t, r.api, before), http.StatusOK, profileBody) // still published
}

// idp is an identity provider that a test controls, with a stack that trusts it.
type idp struct {
	*issuer.Issuer
	server *http.Server
	addr   string
}

func (p *idp) start(t *testing.T) {
	t.Helper()
	var l net.Listener
	var err error
	if l, err = net.Listen("tcp4", p.addr); err != nil {
		t.Fatal(err)
	}
	p.addr = l.Addr().String()
	p.server = &http.Server{Handler: p}
	go p.server.Serve(l)
	t.Cleanup(func() { p.server.Close() })
}

func newIDP(t *testing.T) *idp {
	t.Helper()
	// The port is known only once something listens; the provider itself starts later.
	probe, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &idp{addr: probe.Addr().String()}
	probe.Close()
	p.Issuer, err = issuer.New(issuer.Options{
		URL: "http://" + p.addr + "/", Audience: "https://api.example.com/account", Scopes: []string{"get:profile"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *idp) mint(t *testing.T, request issuer.TokenRequest) string {
	t.Helper()
	token, err := p.Token(request)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestProviderOfTheStack(t *testing.T) {
	p := newIDP(t)
	r := runStack(t, "..", "-issuer", "stack", "-config", "issuer=http://"+p.addr+"/")
	good := p.mint(t, issuer.TokenRequest{})

	t.Run("a provider that is down at the start is 401, not 500", func(t *testing.T) {
		expect(t, get(t, r.api, good), http.StatusUnauthorized, unauthorizedBody)
	})
	p.start(t)
	t.Run("and is asked again once it is up", func(t *testing.T) {
		// The authorizer backs off for some seconds after a failed fetch.
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
			if a := get(t, r.api, good); a.status == http.StatusOK || time.Now().After(deadline) {
				expect(t, a, http.StatusOK, profileBody)
				break
			}
		}
	})
	t.Run("expired, tampered and foreign tokens are 401", func(t *testing.T) {
		stranger := newIDP(t)
		last := good[len(good)-2]
		flipped := map[bool]string{true: "B", false: "A"}[last == 'A']
		for name, token := range map[string]string{
			"expired":                 p.mint(t, issuer.TokenRequest{TTL: -time.Hour}),
			"for another API":         p.mint(t, issuer.TokenRequest{Audience: "https://other.example.com"}),
			"tampered with":           good[:len(good)-2] + flipped + good[len(good)-1:],
			"another issuer's":        stranger.mint(t, issuer.TokenRequest{}),
			"signed with an old name": strings.Split(good, ".")[0] + "." + strings.SplitN(stranger.mint(t, issuer.TokenRequest{}), ".", 2)[1],
		} {
			t.Run(name, func(t *testing.T) { expect(t, get(t, r.api, token), http.StatusUnauthorized, unauthorizedBody) })
		}
		t.Run("and the good one still is 200", func(t *testing.T) { expect(t, get(t, r.api, good), http.StatusOK, profileBody) })
	})
	t.Run("a provider that goes down costs known keys nothing", func(t *testing.T) {
		p.server.Close()
		expect(t, get(t, r.api, p.mint(t, issuer.TokenRequest{})), http.StatusOK, profileBody)
	})
}

func TestConcurrentRequests(t *testing.T) {
	r := runStack(t, "..")
	tokens := map[string]answer{
		"":                           {status: http.StatusUnauthorized, body: unauthorizedBody},
		r.token(t, "get:profile"):    {status: http.StatusOK, body: profileBody},
		r.token(t, "update:profile"): {status: http.StatusForbidden, body: forbiddenBody},
	}
	var wait sync.WaitGroup
	for range 40 {
		for token, want := range tokens {
			wait.Go(func() { expect(t, get(t, r.api, token), want.status, want.body) })
		}
	}
	wait.Wait()
}

// processes maps every process to its parent, as ps tells it.
func processes(t *testing.T) map[int]int {
	t.Helper()
	list, err := exec.Command("ps", "-A", "-o", "pid=,ppid=").Output()
	if err != nil {
		t.Fatalf("list processes: %v", err)
	}
	parents := map[int]int{}
	for lines := bufio.NewScanner(bytes.NewReader(list)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		pid, err1 := strconv.Atoi(fields[0])
		parent, err2 := strconv.Atoi(fields[1])
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		parents[pid] = parent
	}
	return parents
}

func TestStopLeavesNothingRunning(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL} {
		t.Run(signal.String(), func(t *testing.T) {
			r := runStack(t, "..")
			expect(t, get(t, r.api, r.token(t, "get:profile")), http.StatusOK, profileBody)
			var children []int
			for pid, parent := range processes(t) {
				if parent == r.cmd.Process.Pid {
					children = append(children, pid)
				}
			}
			if len(children) < 2 {
				t.Fatalf("expected a process for each function, got %v", children)
			}
			r.stop(t, signal)
			if signal != syscall.SIGKILL && r.err != nil {
				t.Errorf("expected a stop to be no failure, got %v:\n%s", r.err, r.out)
			}
			for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
				left := processes(t)
				alive := 0
				for _, child := range children {
					if _, found := left[child]; found {
						alive++
					}
				}
				if alive == 0 {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("expected no process to be left, got %d of %v", alive, children)
				}
			}
			if _, err := http.Get(r.api); err == nil {
				t.Error("expected the port to be free again")
			}
		})
	}
}

// fails runs the command and expects it to end by itself, with an error that says so.
func fails(t *testing.T, root string, says []string, arguments ...string) {
	t.Helper()
	r := launch(t, root, arguments...)
	select {
	case <-r.exited:
	case <-time.After(patience):
		t.Fatalf("expected the command to fail, got:\n%s", r.out)
	}
	out := r.out.String()
	var exit *exec.ExitError
	if !errors.As(r.err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("expected exit status 1, got %v", r.err)
	}
	for _, want := range says {
		if !strings.Contains(out, want) {
			t.Errorf("expected the error to say %q, got:\n%s", want, out)
		}
	}
	if n := strings.Count(out, "error:"); n != 1 {
		t.Errorf("expected one error, got %d:\n%s", n, out)
	}
}

func TestMistakesAreExplained(t *testing.T) {
	busy := httptest.NewServer(http.NotFoundHandler())
	defer busy.Close()
	_, port, err := net.SplitHostPort(busy.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Run("the API's port is taken", func(t *testing.T) {
		fails(t, "..", []string{"port " + port + " is taken", "make run PORT="}, "-port", port)
	})
	t.Run("the issuer's port is taken", func(t *testing.T) {
		fails(t, "..", []string{"port " + port + " is taken", "make run ISSUER_PORT="}, "-issuer-port", port)
	})
	t.Run("the console's port is taken", func(t *testing.T) {
		fails(t, "..", []string{"port " + port + " is taken", "make run CONSOLE_PORT="}, "-console-port", port)
	})
	t.Run("there is no such stack", func(t *testing.T) {
		fails(t, "..", []string{`stack "nowhere"`, "dev, prod"}, "-stack", "nowhere")
	})
	t.Run("the stack's configuration is wrong", func(t *testing.T) {
		fails(t, "..", []string{"authorizerTtl", "set 3600"}, "-config", "authorizerTtl=9999")
	})
	t.Run("the stack's own issuer is wrong", func(t *testing.T) {
		fails(t, "..", []string{`set "https://t.eu.auth0.com/"`}, "-issuer", "stack", "-config", "issuer=https://t.eu.auth0.com")
	})
	t.Run("an unknown kind of issuer", func(t *testing.T) {
		fails(t, "..", []string{`expected "local" or "stack"`}, "-issuer", "auth0")
	})
}

// copyProject copies the source tree, so that a test may edit it.
func copyProject(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	err := filepath.WalkDir("..", func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := entry.Name(); entry.IsDir() && (name == ".git" || name == "dist") {
			return filepath.SkipDir
		}
		to := filepath.Join(root, strings.TrimPrefix(path, ".."))
		if entry.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, content, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func edit(t *testing.T, file, from, to string) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(content, []byte(from)) {
		t.Fatalf("expected %q in %s", from, file)
	}
	if err := os.WriteFile(file, bytes.ReplaceAll(content, []byte(from), []byte(to)), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestEditingTheProject(t *testing.T) {
	root := copyProject(t)
	policy := filepath.Join(root, "policies", "profile", "profile.rego")

	t.Run("another rule, another answer, and nothing else was edited", func(t *testing.T) {
		edit(t, policy, "get:profile", "update:profile")
		r := runStack(t, root)
		expect(t, get(t, r.api, r.token(t, "update:profile")), http.StatusOK, profileBody)
		expect(t, get(t, r.api, r.token(t, "get:profile")), http.StatusForbidden, strings.Replace(forbiddenBody, "get:profile", "update:profile", 1))
	})
	t.Run("a rule that is no Rego is 500 and never 200", func(t *testing.T) {
		edit(t, policy, "default allow", "defau1t allow")
		r := runStack(t, root, "-v")
		expect(t, get(t, r.api, r.token(t, "update:profile")), http.StatusInternalServerError, `{"message":"Internal server error"}`)
		if out := r.out.String(); !strings.Contains(out, "profile.rego") {
			t.Errorf("expected the log to name the file, got:\n%s", out)
		}
	})
	t.Run("Go that does not compile is one error with the compiler's lines", func(t *testing.T) {
		edit(t, filepath.Join(root, "handlers", "profile", "main.go"), "func main() {", "func main() { undefinedThing()")
		fails(t, root, []string{"undefined: undefinedThing", "cannot build"})
	})
}

func TestStopWhileStarting(t *testing.T) {
	r := launch(t, copyProject(t)) // has to compile, so it is not up at once
	for deadline := time.Now().Add(patience); !strings.Contains(r.out.String(), "ompiling"); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("expected it to compile")
		}
	}
	r.stop(t, syscall.SIGINT)
	if r.err != nil {
		t.Errorf("expected a stop to be no failure, got %v:\n%s", r.err, r.out)
	}
}
