package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// eventually repeats a request until its answer is the wanted one. Compilers share the
// machine with other tests, so it waits long, and no longer than it has to.
func (r *command) eventually(t *testing.T, token string, status int, body string) {
	t.Helper()
	var a answer
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if a = get(t, r.api, token); a.status == status && a.body == body {
			return
		}
	}
	t.Fatalf("expected %d %s after the change, got %d %s:\n%s", status, body, a.status, a.body, r.out)
}

// says waits until the terminal says it, count times in all.
func (r *command) says(t *testing.T, text string, count int) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if strings.Count(r.out.String(), text) >= count {
			return
		}
	}
	t.Fatalf("expected the terminal to say %q %d times, got:\n%s", text, count, r.out)
}

var consoleAddress = regexp.MustCompile(`(?m)^  console +(\S+)/\n`)

func (r *command) console(t *testing.T) string {
	t.Helper()
	found := consoleAddress.FindStringSubmatch(r.out.String())
	if found == nil {
		t.Fatalf("expected the address of the console, got:\n%s", r.out)
	}
	return found[1]
}

func forbiddenFor(scope string) string {
	return strings.Replace(forbiddenBody, "get:profile", scope, 1)
}

// traffic sends requests from several clients until it is stopped, and counts answers
// that are not among those expected.
type traffic struct {
	stop     chan struct{}
	clients  sync.WaitGroup
	requests atomic.Int64
	mu       sync.Mutex
	failures []string
}

// Each of the clients pauses after an answer, so that the compiler gets its turn.
const (
	clients = 4
	pause   = 5 * time.Millisecond
)

func (r *command) traffic(t *testing.T, token string, expected ...string) *traffic {
	t.Helper()
	f := &traffic{stop: make(chan struct{})}
	for range clients {
		f.clients.Go(func() {
			for {
				select {
				case <-f.stop:
					return
				case <-time.After(pause):
				}
				f.send(r.api, token, expected)
			}
		})
	}
	return f
}

func (f *traffic) send(url, token string, expected []string) {
	defer f.requests.Add(1)
	fail := func(format string, args ...any) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.failures = append(f.failures, fmt.Sprintf(format, args...))
	}
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		fail("%v", err)
		return
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		fail("%v", err)
		return
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		fail("%v", err)
		return
	}
	got := fmt.Sprint(response.StatusCode, " ", string(body))
	for _, want := range expected {
		if got == want {
			return
		}
	}
	fail("got %s", got)
}

// end stops the clients, once there were as many requests as that.
func (f *traffic) end(t *testing.T, atLeast int64) {
	t.Helper()
	for deadline := time.Now().Add(patience); f.requests.Load() < atLeast && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	close(f.stop)
	f.clients.Wait()
	if n := f.requests.Load(); n < atLeast {
		t.Errorf("expected at least %d requests, got %d", atLeast, n)
	}
	if len(f.failures) > 0 {
		t.Errorf("expected no request to fail, %d of %d did, the first one: %s", len(f.failures), f.requests.Load(), f.failures[0])
	}
}

func TestReload(t *testing.T) {
	root := copyProject(t)
	r := runStack(t, root, "-config", "allowedOrigin=*")
	policy := filepath.Join(root, "policies", "profile", "profile.rego")
	handler := filepath.Join(root, "handlers", "profile", "main.go")
	token := r.token(t, "get:profile")
	expect(t, get(t, r.api, token), http.StatusOK, profileBody)

	t.Run("another rule decides the next request, and none is dropped meanwhile", func(t *testing.T) {
		flood := r.traffic(t, token, "200 "+profileBody, "403 "+forbiddenFor("update:profile"))
		edit(t, policy, "get:profile", "update:profile")
		r.eventually(t, token, http.StatusForbidden, forbiddenFor("update:profile"))
		edit(t, policy, "update:profile", "get:profile")
		r.eventually(t, token, http.StatusOK, profileBody)
		flood.end(t, 200)
	})

	t.Run("Rego that does not parse is shown, and the rule before decides", func(t *testing.T) {
		edit(t, policy, "default allow", "default default allow")
		r.says(t, "Not reloaded: the version before keeps serving.", 1)
		r.says(t, "profile.rego:", 1)
		expect(t, get(t, r.api, token), http.StatusOK, profileBody)
		if page := request(t, http.MethodGet, r.console(t)+"/"); !strings.Contains(page.body, "Not reloaded") || !strings.Contains(page.body, "profile.rego:") {
			t.Errorf("expected the console to show the error, got:\n%s", page.body)
		}
		edit(t, policy, "default default allow", "default allow")
		r.says(t, "No change in what serves", 1) // it is what serves already
		if page := request(t, http.MethodGet, r.console(t)+"/"); strings.Contains(page.body, "Not reloaded") {
			t.Errorf("expected the console to be clear again, got:\n%s", page.body)
		}
	})

	t.Run("a rule that contradicts itself is shown, and the rule before decides", func(t *testing.T) {
		const twice = "default allow := false\n\nallow := true\n\nallow := 1"
		edit(t, policy, "default allow := false", twice)
		r.says(t, "Not reloaded: the version before keeps serving.", 2)
		expect(t, get(t, r.api, token), http.StatusOK, profileBody)
		edit(t, policy, twice, "default allow := false")
		r.says(t, "No change in what serves", 2)
	})

	t.Run("Go that does not compile is shown, and the next good save serves", func(t *testing.T) {
		edit(t, handler, "func main() {", "func main() {\n\tundefinedThing()")
		r.says(t, "undefined: undefinedThing", 1)
		expect(t, get(t, r.api, token), http.StatusOK, profileBody)
		edit(t, handler, "\tundefinedThing()", "")
		profile := filepath.Join(root, "handlers", "profile", "handler.go")
		edit(t, profile, "Daniël", "Daniela")
		r.eventually(t, token, http.StatusOK, `{"name":"Daniela"}`)
		edit(t, profile, "Daniela", "Daniël")
		r.eventually(t, token, http.StatusOK, profileBody)
	})

	t.Run("another declaration is another gateway, and no request is dropped meanwhile", func(t *testing.T) {
		flood := r.traffic(t, token, "200 "+profileBody)
		edit(t, filepath.Join(root, "infra", "cors.go"), `"7200"`, `"600"`)
		for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
			a := request(t, http.MethodOptions, r.api)
			if a.header.Get("Access-Control-Max-Age") == "600" {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("expected another answer to the preflight, got %v:\n%s", a.header, r.out)
			}
		}
		flood.end(t, 200)
	})

	t.Run("a stack file that is wrong is shown, and its correction serves", func(t *testing.T) {
		file := filepath.Join(root, "Pulumi.dev.yaml")
		edit(t, file, "https://api.example.com/account", "")
		r.says(t, "audience", 1)
		expect(t, get(t, r.api, token), http.StatusOK, profileBody)
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		corrected := strings.Replace(string(content), "audience:", "audience: https://other.example.com/account", 1)
		if err := os.WriteFile(file, []byte(corrected), 0o644); err != nil {
			t.Fatal(err)
		}
		r.eventually(t, token, http.StatusUnauthorized, unauthorizedBody)
	})

	t.Run("and no token has reached the terminal", func(t *testing.T) {
		if strings.Contains(r.out.String(), strings.Split(token, ".")[1]) {
			t.Error("expected no token in the output")
		}
	})
}

func TestConsoleOfTheStack(t *testing.T) {
	r := runStack(t, "..")
	console := r.console(t)
	page := request(t, http.MethodGet, console+"/")
	for _, want := range []string{r.api, "get:profile", "https://api.example.com/account", "package profile"} {
		if !strings.Contains(page.body, want) {
			t.Errorf("expected the page to show %q", want)
		}
	}
	a := request(t, http.MethodGet, r.api, "Authorization", "Bearer "+r.token(t, "update:profile"), "Origin", console)
	explained := request(t, http.MethodGet, console+"/explanation?request="+a.header.Get("X-Amzn-Requestid"))
	for _, want := range []string{"answered with a policy", "deny by profile/decision", "decision_id", "403 by integration account-api-dev-profile"} {
		if !strings.Contains(explained.body, want) {
			t.Errorf("expected the explanation to say %q, got:\n%s", want, explained.body)
		}
	}

	t.Run("its presets are answered as it says", func(t *testing.T) {
		options := regexp.MustCompile(`<option value="(\w+)" data-hint="(\d+)([^"]*)"`).FindAllStringSubmatch(page.body, -1)
		if len(options) < 10 {
			t.Fatalf("expected the presets, got %q", options)
		}
		for _, option := range options {
			t.Run(option[1], func(t *testing.T) {
				authorization := prepare(t, console, option[1])
				a := request(t, http.MethodGet, r.api)
				if authorization != "" {
					a = request(t, http.MethodGet, r.api, "Authorization", authorization)
				}
				want := option[2]
				if got := strconv.Itoa(a.status); got != want {
					t.Errorf("expected %s%s, got %s %s", want, option[3], got, a.body)
				}
				by := request(t, http.MethodGet, console+"/explanation?request="+a.header.Get("X-Amzn-Requestid"))
				if strings.Contains(option[3], "by the gateway") != strings.Contains(by.body, " by gateway") {
					t.Errorf("expected%s, got:\n%s", option[3], by.body)
				}
			})
		}
	})
}

// prepare asks the console for the header of a preset.
func prepare(t *testing.T, console, preset string) string {
	t.Helper()
	form := url.Values{"preset": {preset}, "expiry": {"60"}, "scope": {"get:profile"}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, console+"/prepare", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", console)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var prepared struct {
		Authorization string `json:"authorization"`
	}
	if err := json.NewDecoder(response.Body).Decode(&prepared); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("expected a header, got %d, %v", response.StatusCode, err)
	}
	return prepared.Authorization
}
