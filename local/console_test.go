package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"account-api/local/running"
)

func TestConsoleOfTheProject(t *testing.T) {
	c := shared(t)
	policy := c.Endpoint().Policy
	page := running.Request(t, http.MethodGet, c.Console)
	for _, want := range []string{c.API, c.Audience, "package " + strings.TrimPrefix(policy, policiesDir+"/")} {
		if !strings.Contains(page.Body, want) {
			t.Errorf("expected the page to show %q", want)
		}
	}
	origin := strings.TrimSuffix(c.Console, "/")
	a := running.Request(t, c.Endpoint().Method, c.API, "Authorization", "Bearer "+c.denied(t), "Origin", origin)
	explained := running.Request(t, http.MethodGet, c.Console+"request?request="+a.Header.Get("X-Amzn-Requestid"))
	for _, want := range []string{"answered with a policy", "deny by ", "decision_id", "403 by policy: "} {
		if !strings.Contains(explained.Body, want) {
			t.Errorf("expected the explanation to say %q, got:\n%s", want, explained.Body)
		}
	}

	t.Run("its presets are answered as it says", func(t *testing.T) {
		options := regexp.MustCompile(`<option value="(\w+)" data-hint="(\d+)([^"]*)"`).FindAllStringSubmatch(page.Body, -1)
		if len(options) < 10 {
			t.Fatalf("expected the presets, got %q", options)
		}
		for _, option := range options {
			t.Run(option[1], func(t *testing.T) {
				header := []string{}
				if authorization := c.prepare(t, option[1]); authorization != "" {
					header = []string{"Authorization", authorization}
				}
				a := running.Request(t, c.Endpoint().Method, c.API, header...)
				want := option[2]
				if got := strconv.Itoa(a.Status); got != want && !(want == "200" && c.Granted(a.Status)) {
					t.Errorf("expected %s%s, got %s %s", want, option[3], got, a.Body)
				}
				by := running.Request(t, http.MethodGet, c.Console+"request?request="+a.Header.Get("X-Amzn-Requestid"))
				if strings.Contains(option[3], "by the gateway") != strings.Contains(by.Body, " by gateway") {
					t.Errorf("expected%s, got:\n%s", option[3], by.Body)
				}
			})
		}
	})
}

// prepare asks the console for the header of a preset, for the caller whom the policy
// allows.
func (c command) prepare(t *testing.T, preset string) string {
	t.Helper()
	form := c.Caller().Form()
	form.Set("preset", preset)
	form.Set("expiry", "60")
	response, err := c.post(t, "prepare", form)
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

// post sends a form as the console's own page does.
func (c command) post(t *testing.T, path string, form url.Values) (*http.Response, error) {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.Console+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", strings.TrimSuffix(c.Console, "/"))
	return http.DefaultClient.Do(request)
}
