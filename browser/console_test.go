package browser

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

var clickSend = click("#send [type=submit]")

func script(statement string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](statement)
}

func text(t *testing.T, tab context.Context, selector string) string {
	t.Helper()
	return strings.TrimSpace(get(t, tab, chromedp.TextContent(chromedp.CSS(selector))))
}

// answer waits for what the console shows of the answer to the request that a step sends.
func answer(t *testing.T, tab context.Context, send chromedp.Action[chromedp.Void]) (code, body string) {
	t.Helper()
	do(t, tab, script(`document.querySelector("#result").replaceChildren()`), send)
	code = get(t, tab, until[string](`document.querySelector("#result .code")?.textContent`))
	return code, get(t, tab, chromedp.TextContent(chromedp.CSS("#result .body")))
}

// expectGranted waits for the endpoint's own answer to the request that a step sends.
func expectGranted(t *testing.T, tab context.Context, send chromedp.Action[chromedp.Void]) {
	t.Helper()
	if code, body := answer(t, tab, send); code != "200" || body == "" {
		t.Errorf("expected the console to show 200 and a body, got %s %s", code, body)
	}
}

// expectDenied clicks on Send and expects a denial. It returns the reason.
func expectDenied(t *testing.T, tab context.Context) string {
	t.Helper()
	code, body := answer(t, tab, clickSend)
	if code != "403" {
		t.Fatalf("expected the console to show 403, got %s %s", code, body)
	}
	return reason(t, body)
}

// expectExplained expects words in the explanation of the last answer.
func expectExplained(t *testing.T, tab context.Context, words ...string) {
	t.Helper()
	explanation := get(t, tab, until[string](`document.querySelector("#result .explanation")?.textContent.trim()`))
	for _, word := range words {
		if !strings.Contains(explanation, word) {
			t.Errorf("expected the explanation to say %q, got %s", word, strings.Join(strings.Fields(explanation), " "))
		}
	}
}

func TestConsoleSendsRequests(t *testing.T) {
	endpoint, err := url.Parse(shared.url())
	if err != nil {
		t.Fatal(err)
	}
	tab := open(t, shared.Console)

	t.Run("a good token is 200, explained and listed", func(t *testing.T) {
		expectGranted(t, tab, clickSend)
		expectExplained(t, tab, "route", "authorizer", "integration")
		get(t, tab, until[bool](fmt.Sprintf(`["200", %q].every(word => document.querySelector("#exchanges summary")?.textContent.includes(word))`, endpoint.Path)))
	})
	t.Run("keys are rotated and revoked, and new tokens are good", func(t *testing.T) {
		for _, action := range []string{"/rotate", "/revoke"} {
			do(t, tab, script(`document.querySelector("#said").replaceChildren()`), click("[data-post='"+action+"']"))
			get(t, tab, until[string](`document.querySelector("#said").textContent.trim()`))
			expectGranted(t, tab, clickSend)
		}
	})
	t.Run("every preset is answered as its hint says", func(t *testing.T) {
		presets := get(t, tab, chromedp.Evaluate[int](`document.querySelectorAll("#preset option").length`))
		if presets < 8 {
			t.Fatalf("expected presets, got %d", presets)
		}
		denials := 0
		for range presets - 1 {
			do(t, tab, chromedp.Focus(chromedp.CSS("#preset")), chromedp.KeyEvent(kb.ArrowDown))
			hint, _, _ := strings.Cut(text(t, tab, "#preset-hint"), ":")
			code, body := answer(t, tab, clickSend)
			if !strings.Contains(hint, code) {
				t.Errorf("expected what the hint %q says, got %s", hint, code)
			}
			if code == "403" {
				denials++
				expectExplained(t, tab, reason(t, body))
			}
		}
		if denials == 0 {
			t.Error("expected a preset that the policy denies")
		}
	})
	t.Run("no token is shown where it was not asked for", func(t *testing.T) {
		leaks := get(t, tab, chromedp.Evaluate[int](`[...document.querySelectorAll("#exchanges, #status, #result .explanation")].filter(e => /eyJ/.test(e.textContent)).length`))
		if leaks > 0 {
			t.Errorf("expected no token in what the console explains, got %d", leaks)
		}
	})
}

// scopeClaim matches the claim in a decoded token, or the end of one without it.
var scopeClaim = regexp.MustCompile(`"scope": "(.*)"|$`)

func TestConsoleMakesTokensWithTheCheckedScopes(t *testing.T) {
	tab := open(t, shared.Console)
	checked := chromedp.Evaluate[string](`[...document.querySelectorAll("#send [name=scope]:checked")].map(box => box.value).join(" ")`)
	before := get(t, tab, checked)
	for _, box := range get(t, tab, chromedp.Nodes(chromedp.CSSAll("#send [type=checkbox][name=scope]"), chromedp.AtLeast(0))) {
		do(t, tab, chromedp.MouseClickNode(box))
		want := get(t, tab, checked)
		if want == before {
			t.Errorf("expected a click to change the scopes %q", before)
		}
		before = want
		answer(t, tab, clickSend)
		if got := scopeClaim.FindStringSubmatch(text(t, tab, "#result .claims"))[1]; got != want {
			t.Errorf("expected a token with the scopes %q, got %q", want, got)
		}
	}
}

func TestConsoleExplainsWhatABrowserBlocks(t *testing.T) {
	tab := open(t, shared.Console)
	do(t, tab, script(`document.querySelector("#url").value += "/no/such/path"`))
	if code, _ := answer(t, tab, clickSend); code != "blocked" {
		t.Errorf("expected the browser to block an unknown path with a token, got %s", code)
	}
	expectExplained(t, tab, "preflight", "403")
}

func TestConsoleShowsOtherClients(t *testing.T) {
	tab := open(t, shared.Console)
	response, err := http.Get(shared.url() + "/from-elsewhere")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	get(t, tab, until[bool](`document.querySelector("#exchanges").textContent.includes("from-elsewhere")`))
	do(t, tab, click("#exchanges summary"))
	get(t, tab, until[bool](`document.querySelector("#exchanges details").open`))
}

func TestConsoleByKeyboard(t *testing.T) {
	tab := open(t, shared.Console)
	for presses := 1; ; presses++ {
		if presses > 60 {
			t.Fatal("expected Tab to lead to Send")
		}
		do(t, tab, chromedp.KeyEvent(kb.Tab))
		if !get(t, tab, chromedp.Evaluate[bool](`(() => {
			const box = document.activeElement.getBoundingClientRect();
			return document.activeElement !== document.body && box.width > 0 && box.bottom > 0 && box.top < innerHeight;
		})()`)) {
			t.Errorf("expected what Tab leads to to be on the screen, after %d presses", presses)
		}
		if get(t, tab, chromedp.Evaluate[bool](`document.activeElement.matches("#send [type=submit]")`)) {
			break
		}
	}
	expectGranted(t, tab, chromedp.KeyEvent(kb.Enter))
}

// prefer sets the colour scheme that the user prefers, "light" or "dark".
func prefer(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}

func TestConsoleFitsScreens(t *testing.T) {
	tab := open(t, shared.Console)
	expectGranted(t, tab, clickSend)
	for _, screen := range []struct {
		width, height int64
		options       []chromedp.EmulateViewportOption
	}{
		{320, 568, []chromedp.EmulateViewportOption{chromedp.EmulateMobile}},
		{390, 844, []chromedp.EmulateViewportOption{chromedp.EmulateMobile}},
		{768, 1024, nil},
		{1440, 900, nil},
	} {
		t.Run(fmt.Sprintf("%d × %d", screen.width, screen.height), func(t *testing.T) {
			do(t, tab, chromedp.EmulateViewport(screen.width, screen.height, screen.options...))
			width := get(t, tab, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`))
			if width > screen.width {
				t.Errorf("expected nothing to scroll sideways, got %d pixels too many", width-screen.width)
			}
		})
	}
	for scheme, want := range map[string]bool{"light": true, "dark": false} {
		t.Run(scheme+" is "+scheme, func(t *testing.T) {
			do(t, tab, prefer(scheme))
			if light := get(t, tab, chromedp.Evaluate[bool](`(() => {
				const canvas = document.createElement("canvas").getContext("2d");
				canvas.fillStyle = getComputedStyle(document.body).backgroundColor;
				if (getComputedStyle(document.body).backgroundColor === "rgba(0, 0, 0, 0)") canvas.fillStyle = getComputedStyle(document.documentElement).backgroundColor;
				canvas.fillRect(0, 0, 1, 1);
				const [red, green, blue] = canvas.getImageData(0, 0, 1, 1).data;
				return red + green + blue > 384;
			})()`)); light != want {
				t.Errorf("expected a background for the %s scheme, got the other", scheme)
			}
		})
	}
}

// copyProject copies the source tree, so that the console may write to it.
func copyProject(t *testing.T) string {
	t.Helper()
	to := t.TempDir()
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		from, to := filepath.Join(root, entry.Name()), filepath.Join(to, entry.Name())
		switch {
		case entry.Name() == ".git" || entry.Name() == "dist":
		case entry.IsDir():
			err = os.CopyFS(to, os.DirFS(from))
		default:
			var content []byte
			if content, err = os.ReadFile(from); err == nil {
				err = os.WriteFile(to, content, 0o644)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// denyAll is a rule to replace any other one. The package clause precedes it.
const (
	denyAllReason = "this test denies everything"
	denyAll       = `

# METADATA
# entrypoint: true
default decision := {"allow": false, "reasons": {"` + denyAllReason + `"}}
`
)

var packageClause = regexp.MustCompile(`(?m)^package .*$`)

func TestConsoleEditsTheRule(t *testing.T) {
	project := copyProject(t)
	s := startStack(t, project)
	tab := open(t, s.Console)
	rule := chromedp.CSS("#text")
	original := get(t, tab, chromedp.Value(rule))
	name := filepath.Base(get(t, tab, chromedp.Value(chromedp.CSS("#edit [name=name]"))))

	// save replaces the text in the page's editor, clicks on Save and waits until the page
	// says what became of the rule.
	save := func(t *testing.T, content, state string) {
		t.Helper()
		before := text(t, tab, "#status")
		do(t, tab, chromedp.SetValue(rule, content), click("#edit [type=submit]"))
		get(t, tab, until[bool](fmt.Sprintf(
			`document.querySelector("#status .%s") && document.querySelector("#status").textContent.trim() !== %q`, state, before)))
	}

	expectGranted(t, tab, clickSend)
	t.Run("saving changes the file and the next decisions", func(t *testing.T) {
		save(t, original[:packageClause.FindStringIndex(original)[1]]+denyAll, "serving")
		if got := expectDenied(t, tab); got != denyAllReason {
			t.Errorf("expected the reason %q, got %q", denyAllReason, got)
		}
		expectExplained(t, tab, denyAllReason)
		files, err := filepath.Glob(filepath.Join(project, "policies", "*", name))
		if err != nil {
			t.Fatal(err)
		}
		var saved int
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.HasSuffix(content, []byte(denyAll)) && !bytes.Contains(content, []byte("\r")) {
				saved++
			}
		}
		if saved != 1 {
			t.Errorf("expected one of %q to be as edited, got %d", files, saved)
		}
	})
	t.Run("a rule that is no Rego is shown, and the one before serves", func(t *testing.T) {
		save(t, packageClause.ReplaceAllString(original, "packag x"), "failed")
		if problem := text(t, tab, "#status"); !strings.Contains(problem, name) {
			t.Errorf("expected the error to name the file, got %s", problem)
		}
		if got := expectDenied(t, tab); got != denyAllReason {
			t.Errorf("expected the reason %q, got %q", denyAllReason, got)
		}
	})
	t.Run("and back", func(t *testing.T) {
		save(t, original, "serving")
		expectGranted(t, tab, clickSend)
	})
}
