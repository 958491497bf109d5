package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"account-api/local/example"
	"account-api/local/issuer"
	"account-api/local/running"
)

// These tests run the project's own stacks. They know neither its name, its settings, its
// endpoints and their answers, nor the rules of its policies: a project changes all of
// these. What they compare is what every endpoint has in common.

const (
	unauthorized = `{"message":"Unauthorized"}`
	unknownPath  = `{"message":"Missing Authentication Token"}`
)

// stacks are the names of the project's stack files.
func stacks(t *testing.T) []string {
	t.Helper()
	ls := exec.Command("sh", "-c", "ls Pulumi.*.yaml") // whose reading of .git and dist the test cache does not note
	ls.Dir = ".."
	output, err := ls.Output()
	if err != nil {
		t.Fatalf("expected the project's stack files, got %v", err)
	}
	files := strings.Fields(string(output))
	for i, file := range files {
		files[i] = strings.TrimSuffix(strings.TrimPrefix(file, "Pulumi."), ".yaml")
	}
	return files
}

// project starts the project's first stack.
func project(t *testing.T, root string, arguments ...string) command {
	t.Helper()
	return command{built.Start(t, root, append([]string{"-stack", stacks(t)[0], "-aws", emptyServer()}, arguments...)...)}
}

// shared is the project's first stack, for tests that change nothing about it.
func shared(t *testing.T) command {
	t.Helper()
	once.Do(func() { sharedStack = built.Keep(t, "..", "-stack", stacks(t)[0], "-aws", emptyServer()) })
	if sharedStack == nil {
		t.Fatal("expected the stack to start")
	}
	return command{sharedStack}
}

var (
	once        sync.Once
	sharedStack *running.Stack
)

// emptyServer is what the handlers reach in place of AWS.
var emptyServer = sync.OnceValue(func() string { return running.EmptyServer().URL })

// granted checks an answer to a caller whom the policy allows.
func (c command) granted(t *testing.T, a running.Answer) {
	t.Helper()
	if !c.Granted(a.Status) || a.Header.Get("Content-Type") != "application/json" {
		t.Errorf("expected the answer to an allowed caller, in JSON, got %d %s: %s", a.Status, a.Header.Get("Content-Type"), a.Body)
	}
}

func TestEveryStackOfTheProject(t *testing.T) {
	for _, stack := range stacks(t) {
		t.Run(stack, func(t *testing.T) {
			c := command{built.Start(t, "..", "-stack", stack, "-aws", emptyServer())}
			method := c.Endpoint().Method
			origin := c.call(t, "").Header.Get("Access-Control-Allow-Origin")
			if origin == "" {
				t.Fatal("expected an origin whose pages may read answers")
			}

			t.Run("without a token 401, with a challenge", func(t *testing.T) {
				a := c.call(t, "")
				a.Expect(t, http.StatusUnauthorized, unauthorized)
				if a.Header.Get("WWW-Authenticate") != "Bearer" {
					t.Errorf("expected a challenge, got %v", a.Header)
				}
			})
			t.Run("a caller whom the policy allows 200, and one whom it denies 403", func(t *testing.T) {
				allowed, denied := c.call(t, c.allowed(t)), c.call(t, c.denied(t))
				c.granted(t, allowed)
				if denied.Status != http.StatusForbidden || denied.Header.Get("Content-Type") != "application/json" {
					t.Errorf("expected 403 and JSON, got %d: %s", denied.Status, denied.Body)
				}
				for _, a := range []running.Answer{allowed, denied} {
					if got := a.Header.Get("Access-Control-Allow-Origin"); got != origin {
						t.Errorf("expected the origin %s of every answer, got %q", origin, got)
					}
				}
			})
			t.Run("a preflight needs no token and names Authorization", func(t *testing.T) {
				a := running.Request(t, http.MethodOptions, c.API, "Origin", "http://page.example",
					"Access-Control-Request-Method", method, "Access-Control-Request-Headers", "authorization")
				if a.Status != http.StatusNoContent || !strings.Contains(a.Header.Get("Access-Control-Allow-Headers"), "Authorization") ||
					!slices.Contains(strings.Split(a.Header.Get("Access-Control-Allow-Methods"), ","), method) ||
					a.Header.Get("Access-Control-Allow-Origin") != origin {
					t.Errorf("expected 204 that allows %s with Authorization, got %d %v", method, a.Status, a.Header)
				}
			})
			t.Run("an unknown path or verb 403", func(t *testing.T) {
				running.Request(t, http.MethodGet, c.API+"/no/such/path").Expect(t, http.StatusForbidden, unknownPath)
				running.Request(t, undeclared(c, c.Endpoint().Path), c.API).Expect(t, http.StatusForbidden, unknownPath)
			})
			t.Run("malformed values 401", func(t *testing.T) {
				good := c.allowed(t)
				for _, value := range []string{
					"", "Bearer", "Bearer ", good, "bearer " + good, "Bearer  " + good, "Bearer " + good + "=",
					"Bearer a.b.c", "Bearer " + good + ", Bearer " + good, "Basic " + good,
				} {
					running.Request(t, method, c.API, "Authorization", value).Expect(t, http.StatusUnauthorized, unauthorized)
				}
			})
			t.Run("a line per request says which hop answered, and no token", func(t *testing.T) {
				token, before := c.allowed(t), len(c.Output()) // which begins with commands that have tokens
				c.call(t, "")
				a := c.call(t, token)
				c.Says(t, "401 by gateway", 1)
				c.Says(t, fmt.Sprint(a.Status, " by integration ", c.Project, "-", stack), 1)
				if strings.Contains(c.Output()[before:], token) {
					t.Error("expected no token of a client in the output")
				}
			})
		})
	}
}

// undeclared is a method that a path does not have.
func undeclared(c command, path string) string {
	for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodPost} {
		taken := false
		for _, e := range c.Endpoints {
			taken = taken || e.Path == path && e.Method == method
		}
		if !taken {
			return method
		}
	}
	return http.MethodGet
}

func TestPrintedCommands(t *testing.T) {
	c := shared(t)
	for _, want := range []string{
		"No token, 401:\n\n  curl http",
		"A" + c.Endpoint().Denied.String()[1:] + ", which " + c.Endpoint().Policy + " denies, 403:\n\n  DENIED=$(curl -s " + c.Issuer + "token ",
		"A" + c.Endpoint().Allowed.String()[1:] + ", which " + c.Endpoint().Policy + " allows:\n\n  ALLOWED=$(curl -s " + c.Issuer + "token ",
	} {
		if !strings.Contains(c.Output(), want) {
			t.Errorf("expected %q, got:\n%s", want, c.Output())
		}
	}
}

func TestRotation(t *testing.T) {
	c := shared(t)
	before := c.allowed(t)
	c.granted(t, c.call(t, before))
	if a := running.Request(t, http.MethodPost, c.Issuer+"rotate"); a.Status != http.StatusOK {
		t.Fatalf("expected keys to rotate, got %d %s", a.Status, a.Body)
	}
	after := c.allowed(t)
	if strings.Split(before, ".")[0] == strings.Split(after, ".")[0] {
		t.Fatal("expected another key ID after the rotation")
	}
	c.granted(t, c.call(t, after))
	c.granted(t, c.call(t, before)) // still published
}

// provider is an identity provider that a test starts and stops.
type provider struct {
	*issuer.Issuer
	server *http.Server
}

// newProvider makes a provider that does not listen yet.
func newProvider(t *testing.T, addr, audience string) *provider {
	t.Helper()
	i, err := issuer.New(issuer.Options{URL: "http://" + addr + "/", Audience: audience})
	if err != nil {
		t.Fatal(err)
	}
	return &provider{Issuer: i, server: &http.Server{Addr: addr, Handler: i}}
}

func (p *provider) listen(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp4", p.server.Addr)
	if err != nil {
		t.Fatal(err)
	}
	go p.server.Serve(l)
	t.Cleanup(func() { p.server.Close() })
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestProviderOfTheStack(t *testing.T) {
	addr := freeAddress(t)
	c := project(t, "..", append(plainTokens, "-issuer", "stack", "-config", "issuer=http://"+addr+"/", "-config", "jwksUri=")...)
	if c.Endpoint().Allowed == nil {
		t.Fatal("expected a caller whom the policy allows")
	}
	request := c.Endpoint().Allowed.Token()
	p := newProvider(t, addr, c.Audience)
	mint := func(p *provider, change func(*issuer.TokenRequest)) string {
		changed := request
		if change != nil {
			change(&changed)
		}
		token, err := p.Token(changed)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	good := mint(p, nil)

	t.Run("a provider that is down at the start is 401, not 500", func(t *testing.T) {
		c.call(t, good).Expect(t, http.StatusUnauthorized, unauthorized)
	})
	p.listen(t)
	t.Run("and is asked again once it is up", func(t *testing.T) {
		// The authorizer backs off for some seconds after a failed fetch.
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
			if a := c.call(t, good); a.Status != http.StatusUnauthorized || time.Now().After(deadline) {
				c.granted(t, a)
				break
			}
		}
	})
	t.Run("expired, tampered and foreign tokens are 401", func(t *testing.T) {
		stranger := newProvider(t, freeAddress(t), c.Audience)
		last := good[len(good)-2]
		flipped := map[bool]string{true: "B", false: "A"}[last == 'A']
		for name, token := range map[string]string{
			"expired":                 mint(p, func(r *issuer.TokenRequest) { r.TTL = -time.Hour }),
			"for another API":         mint(p, func(r *issuer.TokenRequest) { r.Audience = "https://other.test/" }),
			"tampered with":           good[:len(good)-2] + flipped + good[len(good)-1:],
			"another issuer's":        mint(stranger, nil),
			"signed with an old name": strings.Split(good, ".")[0] + "." + strings.SplitN(mint(stranger, nil), ".", 2)[1],
		} {
			t.Run(name, func(t *testing.T) { c.call(t, token).Expect(t, http.StatusUnauthorized, unauthorized) })
		}
		t.Run("and the good one still is 200", func(t *testing.T) { c.granted(t, c.call(t, good)) })
	})
	t.Run("a provider that goes down does not matter while its keys are known", func(t *testing.T) {
		p.server.Close()
		c.granted(t, c.call(t, mint(p, nil)))
	})
}

func TestConcurrentRequests(t *testing.T) {
	c := shared(t)
	is := func(want int) func(int) bool { return func(status int) bool { return status == want } }
	tokens := map[string]func(int) bool{"": is(http.StatusUnauthorized), c.allowed(t): c.Granted, c.denied(t): is(http.StatusForbidden)}
	var wait sync.WaitGroup
	for range 40 {
		for token, want := range tokens {
			wait.Go(func() {
				if a := c.call(t, token); !want(a.Status) {
					t.Errorf("expected the answer to the token %.9s…, got %d %s", token, a.Status, a.Body)
				}
			})
		}
	}
	wait.Wait()
}

// ruleFiles are the Rego files of the policy of an endpoint, without tests.
func ruleFiles(t *testing.T, root string, c command) []string {
	t.Helper()
	dir := filepath.Join(root, c.Endpoint().Policy)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, entry := range entries {
		if name := entry.Name(); strings.HasSuffix(name, ".rego") && !strings.HasSuffix(name, "_test.rego") {
			files = append(files, filepath.Join(dir, name))
		}
	}
	if len(files) == 0 {
		t.Fatalf("expected rules in %s", dir)
	}
	return files
}

// replaceRules replaces the rules of an endpoint's policy, whatever they are, and returns
// how to restore them.
func replaceRules(t *testing.T, root string, c command, rules string) (restore func()) {
	t.Helper()
	files := ruleFiles(t, root, c)
	var originals []string
	for _, file := range files {
		originals = append(originals, running.Read(t, file))
	}
	header := "package " + filepath.Base(c.Endpoint().Policy) + "\n\n"
	for _, file := range files[1:] {
		running.Write(t, file, header)
	}
	running.Write(t, files[0], header+rules)
	return func() {
		for i, file := range files {
			running.Write(t, file, originals[i])
		}
	}
}

// closed denies everybody but those with one scope.
const closed = `default decision := {"allow": false, "reasons": {"closed for a test"}}

decision := {"allow": true, "reasons": set()} if input.scope == "test:rule"
`

func TestReloadOfAPolicy(t *testing.T) {
	root := copyProject(t)
	c := project(t, root)
	token, before := c.allowed(t), len(c.Output()) // which begins with commands that have tokens
	served := c.call(t, token)
	c.granted(t, served)
	call := func() running.Answer { return c.call(t, token) }
	forbidden := `{"message":"Error: Forbidden","info":"closed for a test"}`

	t.Run("another rule decides the next request, and none is dropped meanwhile", func(t *testing.T) {
		flood := running.StartTraffic(t, c.API, "Authorization", "Bearer "+token, fmt.Sprint(served.Status, " ", served.Body), "403 "+forbidden)
		restore := replaceRules(t, root, c, closed)
		c.Eventually(t, call, http.StatusForbidden, forbidden)
		c.Says(t, "A token with the scope test:rule, which "+c.Endpoint().Policy+" allows:", 1)
		c.granted(t, c.call(t, c.token(t, example.Caller{Scope: "test:rule"})))
		restore()
		c.Eventually(t, call, served.Status, served.Body)
		flood.End(t, 200)
	})

	for name, rules := range map[string]string{
		"Rego that does not parse":       "default decision := {\n",
		"a rule that contradicts itself": closed + "\ndecision := 1\n\ndecision := 2\n",
	} {
		t.Run(name+" is shown, and the former rule decides", func(t *testing.T) {
			refused := strings.Count(c.Output(), "Not reloaded: the version before keeps serving.")
			unchanged := strings.Count(c.Output(), "No change in what serves")
			restore := replaceRules(t, root, c, rules)
			c.Says(t, "Not reloaded: the version before keeps serving.", refused+1)
			call().Expect(t, served.Status, served.Body)
			if page := running.Request(t, http.MethodGet, c.Console); !strings.Contains(page.Body, "Not reloaded") {
				t.Errorf("expected the console to show the error, got a page that begins with\n%.2000s", page.Body)
			}
			restore()
			c.Says(t, "No change in what serves", unchanged+1)
		})
	}

	t.Run("a Rego test that fails is shown when it is saved, and with each answer", func(t *testing.T) {
		rules := c.Endpoint().Policy
		name := path.Base(rules)
		file := filepath.Join(root, rules, "saved_test.rego")
		failure := "data." + name + "_test.test_saved: FAIL"
		unchanged := strings.Count(c.Output(), "No change in what serves")
		running.Write(t, file, "package "+name+"_test\n\ntest_saved if false\n")
		c.Says(t, failure, 1)
		c.Says(t, "No change in what serves", unchanged+1)
		call().Expect(t, served.Status, served.Body)
		c.Says(t, failure, 2)
		if page := running.Request(t, http.MethodGet, c.Console); !strings.Contains(page.Body, failure) {
			t.Errorf("expected the console to show the failure, got a page that begins with\n%.2000s", page.Body)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		c.Says(t, rules+": ", 2)
	})

	t.Run("and no token has reached the terminal", func(t *testing.T) {
		if strings.Contains(c.Output()[before:], token) {
			t.Error("expected no token of a client in the output")
		}
	})

	t.Run("at a start, a policy that does not parse is 500 and never 200", func(t *testing.T) {
		if err := c.Stop(); err != nil {
			t.Fatal(err)
		}
		replaceRules(t, root, c, "decision := {\n")
		c := project(t, root)
		c.call(t, c.token(t, example.Caller{})).Expect(t, http.StatusInternalServerError, `{"message":"Internal server error"}`)
		c.Says(t, c.Endpoint().Policy+" does not compile", 1)
	})
}

// newHandler answers callers with one scope, and newRules let them.
const (
	newScope   = "test:endpoint"
	newHandler = `package main

import (
	"context"

	"account-api/internal/endpoint"
	"account-api/policies"
)

func main() {
	endpoint.Serve(endpoint.Config{
		Policy:     policies.For("added"),
		Entrypoint: "added/decision",
		Answer: func(context.Context, endpoint.Request) (endpoint.Reply, error) {
			return endpoint.Reply{Body: []byte(` + "`{\"added\":true}`" + `)}, nil
		},
	})
}
`
	newRules = `package added

default decision := {"allow": false, "reasons": {"not for you"}}

decision := {"allow": true, "reasons": set()} if input.scope == "` + newScope + `"
`
	added     = `{"added":true}`
	notForYou = `{"message":"Error: Forbidden","info":"not for you"}`
)

func TestAddingAnEndpoint(t *testing.T) {
	root := copyProject(t)
	before := shared(t)
	path := before.Endpoint().Path
	method := undeclared(before, path)
	if method == http.MethodGet {
		t.Fatalf("expected a method that %s does not have", path)
	}
	entry := fmt.Sprintf(`
	{method: %q, path: %q, handler: "handlers/added", description: "Added by a test"},
	{method: "GET", path: "added/{id}", handler: "handlers/added", description: "Added by a test"},`, method, strings.TrimPrefix(path, "/"))
	running.Edit(t, filepath.Join(root, "infra", "endpoints.go"), "var endpoints = []endpoint{", "var endpoints = []endpoint{"+entry)
	running.Write(t, filepath.Join(root, "policies", "added", "added.rego"), newRules)
	running.Write(t, filepath.Join(root, "handlers", "added", "main.go"), newHandler)

	for name, arguments := range map[string][]string{
		"asking the authorizer every time": nil,
		// With a cached answer, the policy has to cover the other method of the path too.
		"reusing the authorizer's answer": {"-config", "authorizerTtl=300"},
	} {
		t.Run(name, func(t *testing.T) {
			c := project(t, root, arguments...)
			if c.API[strings.LastIndex(c.API, "/"):] != before.API[strings.LastIndex(before.API, "/"):] {
				t.Errorf("expected the same endpoint to be tried out, got %s", c.API)
			}
			call := func(token string) running.Answer {
				return running.Request(t, method, c.API, "Authorization", "Bearer "+token)
			}
			old, fresh := c.allowed(t), c.token(t, example.Caller{Scope: newScope})
			c.granted(t, c.call(t, old))
			call(fresh).Expect(t, http.StatusOK, added)
			call(old).Expect(t, http.StatusForbidden, notForYou)
			c.granted(t, c.call(t, old))
			running.Request(t, method, c.API).Expect(t, http.StatusUnauthorized, unauthorized)
			nested := strings.TrimSuffix(c.API, path) + "/added/7"
			running.Request(t, http.MethodGet, nested, "Authorization", "Bearer "+fresh).Expect(t, http.StatusOK, added)
			running.Request(t, http.MethodGet, nested).Expect(t, http.StatusUnauthorized, unauthorized)
			if !slices.Contains(c.Scopes, newScope) {
				t.Errorf("expected the issuer to know the scope %s, got %q", newScope, c.Scopes)
			}
			if listed := "  " + method; !strings.Contains(c.Output(), listed) {
				t.Errorf("expected the new endpoint to be listed, got:\n%s", c.Output())
			}
			preflight := running.Request(t, http.MethodOptions, c.API, "Origin", "http://page.example", "Access-Control-Request-Method", method)
			if allowed := preflight.Header.Get("Access-Control-Allow-Methods"); !slices.Contains(strings.Split(allowed, ","), method) {
				t.Errorf("expected the preflight to allow %s, got %q", method, allowed)
			}
		})
	}
}
