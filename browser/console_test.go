package browser

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"account-api/local/running"
)

var clickSend = click("#send [type=submit]")

func script(statement string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](statement)
}

func text(t *testing.T, tab context.Context, selector string) string {
	t.Helper()
	return strings.TrimSpace(get(t, tab, chromedp.TextContent(chromedp.CSS(selector))))
}

// answer waits for what the console shows of the request that a step sends.
func answer(t *testing.T, tab context.Context, send chromedp.Action[chromedp.Void]) (code, body string) {
	t.Helper()
	do(t, tab, script(`document.querySelector("#detail").replaceChildren()`), send)
	code = get(t, tab, until[string](`document.querySelector("#detail .code")?.textContent`))
	return code, get(t, tab, chromedp.TextContent(chromedp.CSS("#detail .body")))
}

// expectGranted waits for the endpoint's own answer to the request that a step sends.
func expectGranted(t *testing.T, tab context.Context, send chromedp.Action[chromedp.Void]) {
	t.Helper()
	code, body := answer(t, tab, send)
	if status, err := strconv.Atoi(code); err != nil || !shared.Granted(status) || body == "" {
		t.Errorf("expected the console to show the answer to an allowed caller, got %s %s", code, body)
	}
}

// expectDenied takes a step that sends a request, and expects a denial. It returns the reason.
func expectDenied(t *testing.T, tab context.Context, send chromedp.Action[chromedp.Void]) string {
	t.Helper()
	code, body := answer(t, tab, send)
	if code != "403" {
		t.Fatalf("expected the console to show 403, got %s %s", code, body)
	}
	return reason(t, body)
}

// expectExplained expects words in what the console shows of the open request.
func expectExplained(t *testing.T, tab context.Context, words ...string) {
	t.Helper()
	explanation := get(t, tab, until[string](`document.querySelector("#detail article")?.textContent.trim()`))
	for _, word := range words {
		if !strings.Contains(explanation, word) {
			t.Errorf("expected the explanation to say %q, got %s", word, strings.Join(strings.Fields(explanation), " "))
		}
	}
}

// opened is the number of the open request.
var opened = chromedp.Evaluate[string](`document.querySelector("#detail article").dataset.number`)

// choose selects a token to send.
func choose(preset string) chromedp.Action[chromedp.Void] {
	return script(fmt.Sprintf(`(() => {
		document.querySelector("#preset").value = %q;
		document.querySelector("#preset").dispatchEvent(new Event("change", {bubbles: true}));
	})()`, preset))
}

// fold opens or closes every fold of the page.
func fold(open bool) chromedp.Action[chromedp.Void] {
	return script(fmt.Sprintf(`document.querySelectorAll("details:not([hidden])").forEach(fold => fold.open = %t)`, open))
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
		get(t, tab, until[bool](fmt.Sprintf(`["200", %q].every(word => document.querySelector("#exchanges a[aria-current]")?.textContent.includes(word))`, endpoint.Path)))
	})
	t.Run("keys are rotated and revoked, and new tokens are good", func(t *testing.T) {
		do(t, tab, fold(true))
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
			if status, err := strconv.Atoi(code); !strings.Contains(hint, code) && (err != nil || !strings.Contains(hint, "200") || !shared.Granted(status)) {
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
		leaks := get(t, tab, chromedp.Evaluate[int](`[document.body].filter(e => /eyJ/.test(e.textContent)).length`))
		if leaks > 0 {
			t.Errorf("expected no token in what the console explains, got %d", leaks)
		}
	})
}

// scopesOf are the scopes of a token, from its claims. The stack's provider has them in scope or
// in scp, as a text or as a list.
func scopesOf(t *testing.T, claims string) string {
	t.Helper()
	var token struct{ Scope, Scp any }
	if err := json.Unmarshal([]byte(claims), &token); err != nil {
		t.Fatalf("expected the claims of a token, got %v: %s", err, claims)
	}
	var all []string
	for _, claim := range []any{token.Scope, token.Scp} {
		switch claim := claim.(type) {
		case string:
			all = append(all, strings.Fields(claim)...)
		case []any:
			for _, scope := range claim {
				all = append(all, fmt.Sprint(scope))
			}
		}
	}
	return strings.Join(all, " ")
}

func TestConsoleMakesTokensWithTheCheckedScopes(t *testing.T) {
	tab := open(t, shared.Console)
	do(t, tab, fold(true))
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
		if got := scopesOf(t, text(t, tab, "#detail [aria-label=Claims]")); got != want {
			t.Errorf("expected a token with the scopes %q, got %q", want, got)
		}
	}
}

func TestConsoleExplainsWhatABrowserBlocks(t *testing.T) {
	tab := open(t, shared.Console)
	do(t, tab, script(`document.querySelector("#url").value += "/no/such/path"`))
	if code, _ := answer(t, tab, clickSend); code != "403" {
		t.Errorf("expected the API to refuse the preflight of an unknown path, got %s", code)
	}
	expectExplained(t, tab, "A browser keeps this answer from its page", "preflight")
}

func TestConsoleShowsOtherClients(t *testing.T) {
	tab := open(t, shared.Console)
	response, err := http.Get(shared.url() + "/from-elsewhere")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	get(t, tab, until[bool](`document.querySelector("#exchanges").textContent.includes("from-elsewhere")`))
	do(t, tab, click("#exchanges a"))
	get(t, tab, until[bool](`document.querySelector("#detail h3")?.textContent.includes("from-elsewhere")`))
	t.Run("and what is open stays", func(t *testing.T) {
		if response, err := http.Get(shared.url() + "/another"); err != nil {
			t.Fatal(err)
		} else {
			response.Body.Close()
		}
		get(t, tab, until[bool](`document.querySelector("#exchanges a").textContent.includes("another")`))
		if got := text(t, tab, "#detail h3"); !strings.Contains(got, "from-elsewhere") {
			t.Errorf("expected the open request to stay, got %s", got)
		}
	})
}

func TestConsoleRepeatsRequests(t *testing.T) {
	tab := open(t, shared.Console)
	do(t, tab, choose("denied"))
	why := expectDenied(t, tab, clickSend)
	t.Run("as they were", func(t *testing.T) {
		first := get(t, tab, opened)
		do(t, tab, click("[data-again]"))
		get(t, tab, until[bool](fmt.Sprintf(`document.querySelector("#detail article").dataset.number !== %q`, first)))
		if got := reason(t, text(t, tab, "#detail .body")); got != why {
			t.Errorf("expected the same denial, got %q", got)
		}
	})
	for as, want := range map[string][]string{
		"curl": {"curl -i ", shared.url(), "Authorization: Bearer "},
		"eval": {"go tool opa eval", "decision", `"method"`},
		"test": {"package ", "if {", "decision.allow == false", why},
	} {
		t.Run("as "+as, func(t *testing.T) {
			do(t, tab, click("[data-copy="+as+"]"))
			got := get(t, tab, until[string](fmt.Sprintf(`(text => text.includes(%q) ? text : "")(document.querySelector(".copied").textContent)`, want[0])))
			for _, part := range want {
				if !strings.Contains(got, part) && !strings.Contains(got, strings.ReplaceAll(part, `"`, `\"`)) {
					t.Errorf("expected %q in what is copied", part) // which may be a token
				}
			}
		})
	}
}

// TestConsoleShowsNothingAsMarkup sends texts that would be markup to wherever the console
// shows a text.
func TestConsoleShowsNothingAsMarkup(t *testing.T) {
	const evil = `"'><img src=x onerror=document.title=1><script>document.title=1</script>`
	encoded, err := json.Marshal(evil)
	if err != nil {
		t.Fatal(err)
	}
	// Go writes < as an escape. A token of another issuer need not.
	claims := `{"sub":` + strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(string(encoded)) + `}`
	request, err := http.NewRequest(http.MethodPost, shared.url()+"/"+url.PathEscape(evil)+"?q="+url.QueryEscape(evil), strings.NewReader(evil))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Evil", evil)
	request.Header.Set("Authorization", "Bearer e30."+base64.RawURLEncoding.EncodeToString([]byte(claims))+".e30")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	tab := open(t, shared.Console)
	title := get(t, tab, chromedp.Evaluate[string](`document.title`))
	// expectText expects the markup in an element, and no element made of it.
	expectText := func(t *testing.T, selector string) {
		t.Helper()
		if shown := get(t, tab, until[string](fmt.Sprintf(`document.querySelector(%q)?.textContent`, selector))); !strings.Contains(shown, "<img src=x onerror=") {
			t.Errorf("expected the markup as text in %s, got %s", selector, shown)
		}
		if got := get(t, tab, chromedp.Evaluate[string](`document.title + document.querySelectorAll("img, main script").length`)); got != title+"0" {
			t.Errorf("expected no markup, got %s", got)
		}
	}
	do(t, tab, click("#exchanges a"), fold(true))
	for _, part := range []string{"Request", "Claims"} {
		t.Run(part, func(t *testing.T) { expectText(t, `#detail [aria-label="`+part+`"]`) })
	}
	t.Run("Input of the policy", func(t *testing.T) {
		do(t, tab, chromedp.SetValue(chromedp.CSS("#sub"), strings.TrimPrefix(evil, `"`))) // the authorizer refuses the quotation mark
		expectGranted(t, tab, clickSend)
		expectText(t, `#detail [aria-label="Input of the policy"]`)
	})
	t.Run("fault of a rule", func(t *testing.T) {
		do(t, tab, typing("package x\n\nimport data[`"+evil+"`]\n"))
		expectText(t, "#outcome .problems")
	})
}

// typing replaces the text in the editor, as a person does.
func typing(content string) chromedp.Action[chromedp.Void] {
	return script(fmt.Sprintf(`(() => {
		const text = document.querySelector("#text");
		text.value = %q;
		text.dispatchEvent(new Event("input", {bubbles: true}));
	})()`, content))
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

// testCallers saves a caller and chooses it in another tab.
func testCallers(t *testing.T, s stack) {
	tab := open(t, s.Console)
	do(t, tab, fold(true),
		chromedp.SetValue(chromedp.CSS("#sub"), "an-auditor"), chromedp.SetValue(chromedp.CSS("#claims"), `{"org":"<b>&amp;\"' one"}`),
		chromedp.SetValue(chromedp.CSS("#name"), `</select><img src=x> "auditor"`), click("#keep"))
	get(t, tab, until[bool](`document.querySelector("#said").textContent.includes("callers_test.rego")`))
	again := open(t, s.Console)
	do(t, again, script(`(() => {
		const caller = document.querySelector("#caller");
		caller.value = [...caller.options].find(option => option.dataset.name).value;
		caller.dispatchEvent(new Event("change", {bubbles: true}));
	})()`))
	for field, want := range map[string]string{"#sub": "an-auditor", "#claims": `{"org":"<b>&amp;\"' one"}`, "#name": `</select><img src=x> "auditor"`} {
		if got := get(t, again, chromedp.Value(chromedp.CSS(field))); got != want {
			t.Errorf("expected %s to be %s, got %s", field, want, got)
		}
	}
	expectGranted(t, again, clickSend)
	expectExplained(t, again, "an-auditor")
}

// late makes a page collect its requests to a path, as functions that answer them.
func late(path string) string {
	return fmt.Sprintf(`const real = window.fetch, answers = [];
		window.fetch = (path, options) => {
			const sent = real.bind(window, path, options);
			if (!String(path).startsWith(%q)) return sent();
			return new Promise((answer) => answers.push((body) => answer(body ? new Response(JSON.stringify(body)) : sent())));
		};`, path)
}

// TestConsoleIgnoresLateAnswers answers a page's requests in another order than it has made
// them in.
func TestConsoleIgnoresLateAnswers(t *testing.T) {
	// The steps return what is expected on the page, and what is there.
	expect := func(t *testing.T, tab context.Context, path, steps string) {
		t.Helper()
		found := get(t, tab, chromedp.Evaluate[[]string]("(async () => {"+late(path)+steps+"})()", chromedp.EvalAwaitPromise))
		if len(found) != 2 || found[0] != found[1] {
			t.Errorf("expected the page to show the first of %q, got the other", found)
		}
	}
	t.Run("of a request that is no longer wanted", func(t *testing.T) {
		tab := open(t, shared.Console)
		expectGranted(t, tab, clickSend)
		first := get(t, tab, opened)
		expectGranted(t, tab, clickSend)
		expect(t, tab, "/request", fmt.Sprintf(`
			const wanted = document.querySelector("#detail article").dataset.number;
			const early = open({number: %s}), later = open({number: wanted});
			answers[1]();
			await later;
			answers[0]();
			await early;
			return [wanted, document.querySelector("#detail article").dataset.number];`, first))
	})
	t.Run("of a rule that was read before", func(t *testing.T) {
		expect(t, open(t, shared.Console), "/rule", `
			const early = refreshRule(), later = refreshRule();
			answers[1]({rule: {head: "", text: "package later", version: "later"}});
			await later;
			answers[0]({rule: {head: "", text: "package early", version: "early"}});
			await early;
			return ["package later", document.querySelector("#text").value];`)
	})
	t.Run("of a rule that was read before a save", func(t *testing.T) {
		expect(t, open(t, shared.Console), "/rule", `
			const early = refreshRule();
			document.querySelector("#edit").requestSubmit();
			answers[1]({message: "", rule: {head: "", text: "package saved", version: "saved"}});
			while (document.querySelector("#edit [aria-disabled]")) await new Promise(requestAnimationFrame);
			answers[0]({rule: {head: "", text: "package early", version: "early"}});
			await early;
			return ["package saved", document.querySelector("#text").value];`)
	})
	t.Run("of a save, if the text was edited meanwhile", func(t *testing.T) {
		expect(t, open(t, shared.Console), "/rule", `
			document.querySelector("#edit").requestSubmit();
			document.querySelector("#text").value = "package edited";
			answers[0]({message: "", rule: {head: "", text: "package saved", version: "saved"}});
			while (document.querySelector("#edit [aria-disabled]")) await new Promise(requestAnimationFrame);
			return ["package edited saved", document.querySelector("#text").value + " " + document.querySelector("[name=version]").value];`)
	})
}

func TestConsoleEditsTheRule(t *testing.T) {
	project := t.TempDir()
	if err := running.Copy(root, project); err != nil {
		t.Fatal(err)
	}
	s := startStack(t, project)
	tab := open(t, s.Console)
	rule := chromedp.CSS("#text")
	original := get(t, tab, chromedp.Value(rule))
	head := get(t, tab, chromedp.Value(chromedp.CSS("#head")))
	file := filepath.Join(project, filepath.FromSlash(get(t, tab, chromedp.Value(chromedp.CSS("#edit [name=name]")))))

	// save replaces the text in the page's editor, clicks on Save and waits until the page
	// says what became of the rule.
	save := func(t *testing.T, content, state string) {
		t.Helper()
		do(t, tab, script(`document.querySelector("#status .state").classList.add("before")`),
			chromedp.SetValue(rule, content), click("#edit [type=submit]"))
		get(t, tab, until[bool](fmt.Sprintf(`!!document.querySelector("#status .%s:not(.before)")`, state)))
	}

	expectGranted(t, tab, clickSend)
	sent := get(t, tab, opened) // before the rule changes
	t.Run("callers are saved and chosen again", func(t *testing.T) { testCallers(t, s) })
	deny := original[:packageClause.FindStringIndex(original)[1]] + denyAll
	t.Run("what it would change is shown before it is saved", func(t *testing.T) {
		do(t, tab, typing(deny))
		outcome := get(t, tab, until[string](`(text => text.includes("would be answered differently") ? text : "")(document.querySelector("#outcome").textContent)`))
		for _, want := range []string{"tests fail", "allowed → denied: " + denyAllReason} {
			if !strings.Contains(outcome, want) {
				t.Errorf("expected %q, got %s", want, outcome)
			}
		}
	})
	t.Run("a fault is shown on its line", func(t *testing.T) {
		do(t, tab, typing(strings.Replace(deny, "default decision :=", "default decision := x", 1)))
		line := get(t, tab, until[string](`document.querySelector(".gutter .fault")?.textContent`))
		if want := fmt.Sprint(strings.Count(head+deny[:strings.Index(deny, "default decision")], "\n") + 1); line != want {
			t.Errorf("expected line %s, got %s", want, line)
		}
		if note := text(t, tab, ".note"); note == "" {
			t.Error("expected what is wrong at the end of the line")
		}
	})
	t.Run("saving changes the file and the next decisions", func(t *testing.T) {
		save(t, deny, "serving")
		get(t, tab, until[bool](`document.querySelector("#news").textContent.includes("would now be answered differently")`))
		if got := expectDenied(t, tab, clickSend); got != denyAllReason {
			t.Errorf("expected the reason %q, got %q", denyAllReason, got)
		}
		expectExplained(t, tab, denyAllReason)
		content, err := os.ReadFile(file)
		if err != nil || !bytes.HasPrefix(content, []byte(head)) || !bytes.HasSuffix(content, []byte(denyAll)) || bytes.Contains(content, []byte("\r")) {
			t.Errorf("expected the file as it was edited, got %v:\n%s", err, content)
		}
	})
	t.Run("the request that changed leads to what it was", func(t *testing.T) {
		do(t, tab, click(fmt.Sprintf(`#news a[data-number="%s"]`, sent)))
		get(t, tab, until[bool](fmt.Sprintf(`document.querySelector("#detail article")?.dataset.number === %q`, sent)))
		expectExplained(t, tab, "The rule that serves now decides otherwise: denied: "+denyAllReason)
	})
	t.Run("a rule that is no Rego is shown, and the one before serves", func(t *testing.T) {
		save(t, packageClause.ReplaceAllString(original, "packag x"), "failed")
		if problem := text(t, tab, "#news"); !strings.Contains(problem, filepath.Base(file)) {
			t.Errorf("expected the error to name the file, got %s", problem)
		}
		get(t, tab, until[bool](`!!document.querySelector(".gutter .fault")`))
		if got := expectDenied(t, tab, clickSend); got != denyAllReason {
			t.Errorf("expected the reason %q, got %q", denyAllReason, got)
		}
	})
	t.Run("other tabs show what was saved, and do not overwrite it", func(t *testing.T) {
		reading, editing := open(t, s.Console), open(t, s.Console)
		do(t, editing, typing(deny))
		save(t, original, "serving")
		get(t, reading, until[bool](fmt.Sprintf(`document.querySelector("#text").value === %q`, original)))
		do(t, editing, script(`document.querySelector("#edit").requestSubmit()`))
		get(t, editing, until[bool](`!document.querySelector("#edit [type=submit]").hasAttribute("aria-disabled")`))
		if message := text(t, editing, "#saved"); !strings.Contains(message, "changed on disk") {
			t.Errorf("expected the tab to say why it does not save, got %q", message)
		}
		if content, err := os.ReadFile(file); err != nil || string(content) != head+original {
			t.Errorf("expected the file as the first tab has saved it, got %v:\n%s", err, content)
		}
	})
	t.Run("and back", func(t *testing.T) { expectGranted(t, tab, clickSend) })
	t.Run("a stack that has ended is said in words, and what it said is old", func(t *testing.T) {
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
		get(t, tab, until[bool](`document.body.matches(".lost") && document.querySelector("#status").textContent.includes("make run does not answer")`))
		do(t, tab, clickSend)
		get(t, tab, until[bool](`document.querySelector("#said").textContent.includes("make run does not answer")`))
	})
}
