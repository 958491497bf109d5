package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"account-api/local/running"
)

// The tests share one browser and one stack, which take seconds to start. Every test
// opens tabs of its own.
var (
	chromium context.Context
	shared   stack
)

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	// chromedp adds a fresh profile, no first run, no sync and, for root, no sandbox.
	var closeBrowser context.CancelFunc
	chromium, closeBrowser = chromedp.NewContext(context.Background(), chromedp.WithAllocatorOptions(
		chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-component-update", true),
		// Only this machine can be reached.
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
	))
	defer closeBrowser()
	if err := chromedp.Do(chromium); errors.Is(err, exec.ErrNotFound) {
		return 0, fmt.Errorf("%w\nThese tests need Chromium or Chrome:\n"+
			"  Debian, Ubuntu: apt-get install chromium\n"+
			"  macOS:          brew install --cask chromium", err)
	} else if err != nil {
		return 0, fmt.Errorf("start Chromium: %w", err)
	}
	if shared, err = start(root); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, shared.Stop()) }()
	return m.Run(), nil
}

// patience is how long one step in a tab may take. Saving a rule compiles a function.
const patience = 2 * time.Minute

// open opens a page in a tab of its own. A tab that stays open keeps its connections,
// and Chromium makes six to a host at most.
func open(t *testing.T, url string) (tab context.Context) {
	t.Helper()
	running.Reads(root)
	tab, closeTab := chromedp.NewContext(chromium)
	t.Cleanup(closeTab)
	// The first use opens the tab, for as long as its context lives: no deadline here.
	if err := chromedp.Do(tab); err != nil {
		t.Fatal(err)
	}
	do(t, tab, chromedp.Navigate(url))
	return tab
}

func do(t *testing.T, tab context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	get(t, tab, chromedp.Steps(steps...))
}

func get[T any](t *testing.T, tab context.Context, action chromedp.Action[T]) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(tab, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// until waits for an expression to be truthy, and returns its value.
func until[T any](expression string) chromedp.Action[T] {
	return chromedp.Poll[T](expression, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(0))
}

func click(selector string) chromedp.Action[chromedp.Void] {
	return chromedp.Click(chromedp.CSS(selector))
}

// site serves an empty page on an origin of its own, and returns that origin.
func site(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<!doctype html><title>a page on another origin</title>")
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// reason returns why a policy denied access. It fails the test unless the body has the
// form of a denial.
func reason(t *testing.T, body string) string {
	t.Helper()
	var denial struct{ Message, Info string }
	if err := json.Unmarshal([]byte(body), &denial); err != nil || denial.Message != "Error: Forbidden" || denial.Info == "" {
		t.Fatalf("expected a denial with its reason, got %s (%v)", body, err)
	}
	return denial.Info
}
