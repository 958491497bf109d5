package browser

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"account-api/local/running"
)

// console is the web console in the browser, and the stack behind it.
type console struct {
	*Page
	t     *testing.T
	stack *running.Stack
}

func openConsole(t *testing.T, s *running.Stack) console {
	t.Helper()
	return console{open(t, s.Console), t, s}
}

// in is the console for a subtest.
func (c console) in(t *testing.T) console {
	c.t = t
	return c
}

// must fails the test on an error.
func (c console) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c console) text(selector string) string {
	c.t.Helper()
	quoted, err := json.Marshal(selector)
	c.must(err)
	var text string
	c.must(c.Evaluate(within(c.t), `document.querySelector(`+string(quoted)+`)?.textContent ?? ""`, &text))
	return strings.TrimSpace(text)
}

func (c console) click(selector string) {
	c.t.Helper()
	c.must(c.Click(within(c.t), selector))
}

// press types a key a number of times.
func (c console) press(key string, times int) {
	c.t.Helper()
	for range times {
		c.must(c.Press(within(c.t), key))
	}
}

func (c console) focus(selector string) {
	c.t.Helper()
	c.must(c.Evaluate(within(c.t), `document.querySelector("`+selector+`").focus()`, nil))
}

// result waits for the answer to what act sends.
func (c console) result(act func()) (code, body string) {
	c.t.Helper()
	c.must(c.Evaluate(within(c.t), `document.querySelector("#result").replaceChildren()`, nil))
	act()
	c.must(c.Wait(within(c.t), `document.querySelector("#result .code")?.textContent`))
	return c.text("#result .code"), c.text("#result .body")
}

// send clicks on Send and expects an answer.
func (c console) send(code int, body string) {
	c.t.Helper()
	gotCode, gotBody := c.result(func() { c.click("#send [type=submit]") })
	if gotCode != strconv.Itoa(code) || gotBody != body {
		c.t.Errorf("expected the console to show %d %s, got %s %s", code, body, gotCode, gotBody)
	}
}

// explained expects words in the explanation of the last answer.
func (c console) explained(words ...string) {
	c.t.Helper()
	c.must(c.Wait(within(c.t), `document.querySelector("#result .explanation")?.textContent.trim()`))
	text := c.text("#result .explanation")
	for _, word := range words {
		if !strings.Contains(text, word) {
			c.t.Errorf("expected the explanation to say %q, got %s", word, strings.Join(strings.Fields(text), " "))
		}
	}
}

func TestConsoleSendsRequests(t *testing.T) {
	need(t)
	c := openConsole(t, stack)

	t.Run("a good token is 200, explained and listed", func(t *testing.T) {
		c := c.in(t)
		c.send(200, profileBody)
		c.explained("/profile", "account-api-dev-authorizer", "account-api-dev-profile")
		c.must(c.Wait(within(t), `document.querySelector("#exchanges .code")?.textContent === "200"`))
	})
	t.Run("without the scope it is 403, by a click on a checkbox", func(t *testing.T) {
		c := c.in(t)
		c.click("#send [name=scope][value='get:profile']")
		c.send(403, noScopeBody)
		c.explained("get:profile")
		c.click("#send [name=scope][value='get:profile']")
		c.send(200, profileBody)
	})
	t.Run("keys are rotated and revoked, and new tokens are good", func(t *testing.T) {
		c := c.in(t)
		c.click("[data-post='/rotate']")
		c.must(c.Wait(within(t), `document.querySelector("#said").textContent.trim()`))
		c.send(200, profileBody)
		c.click("[data-post='/revoke']")
		c.must(c.Wait(within(t), `document.querySelector("#said").textContent.trim()`))
		c.send(200, profileBody)
	})
	t.Run("every preset is answered as its hint says", func(t *testing.T) {
		c := c.in(t)
		var presets int
		c.must(c.Evaluate(within(t), `document.querySelectorAll("#preset option").length`, &presets))
		if presets < 8 {
			t.Fatalf("expected presets, got %d", presets)
		}
		for range presets - 1 {
			c.focus("#preset")
			c.press("ArrowDown", 1)
			hint := c.text("#preset-hint")
			code, _ := c.result(func() { c.click("#send [type=submit]") })
			if !strings.Contains(strings.SplitN(hint, ":", 2)[0], code) {
				t.Errorf("expected what the hint %q says, got %s", hint, code)
			}
		}
	})
	t.Run("no token is shown where it was not asked for", func(t *testing.T) {
		c := c.in(t)
		var leaks int
		c.must(c.Evaluate(within(t), `[...document.querySelectorAll("#exchanges, #status, #result .explanation")].filter(e => /eyJ/.test(e.textContent)).length`, &leaks))
		if leaks > 0 {
			t.Errorf("expected no token in what the console explains, got %d", leaks)
		}
	})
}

func TestConsoleExplainsWhatABrowserBlocks(t *testing.T) {
	need(t)
	c := openConsole(t, stack)
	c.must(c.Evaluate(within(t), `document.querySelector("#url").value += "s"`, nil))
	if code, _ := c.result(func() { c.click("#send [type=submit]") }); code != "blocked" {
		t.Errorf("expected the browser to block an unknown path with a token, got %s", code)
	}
	c.explained("preflight was answered 403")
}

func TestConsoleShowsOtherClients(t *testing.T) {
	need(t)
	c := openConsole(t, stack)
	answer, err := http.Get(stack.API + "/from-elsewhere")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	c.must(c.Wait(within(t), `document.querySelector("#exchanges").textContent.includes("from-elsewhere")`))
	c.click("#exchanges summary")
	c.must(c.Wait(within(t), `document.querySelector("#exchanges details").open`))
}

func TestConsoleByKeyboard(t *testing.T) {
	need(t)
	c := openConsole(t, stack)
	var focused bool
	for presses := 0; !focused; presses++ {
		if presses > 60 {
			t.Fatal("expected Tab to lead to Send")
		}
		c.press("Tab", 1)
		c.must(c.Evaluate(within(t), `document.activeElement.matches("#send [type=submit]")`, &focused))
		var seen bool
		c.must(c.Evaluate(within(t), `(() => {
			const box = document.activeElement.getBoundingClientRect();
			return document.activeElement !== document.body && box.width > 0 && box.bottom > 0 && box.top < innerHeight;
		})()`, &seen))
		if !seen {
			t.Errorf("expected what Tab leads to to be on the screen, after %d presses", presses+1)
		}
	}
	if code, body := c.result(func() { c.press("Enter", 1) }); code != "200" || body != profileBody {
		t.Errorf("expected Enter to send, got %s %s", code, body)
	}
}

func TestConsoleFitsScreens(t *testing.T) {
	need(t)
	c := openConsole(t, stack)
	c.send(200, profileBody)
	for _, screen := range []struct{ width, height int }{{320, 568}, {390, 844}, {768, 1024}, {1440, 900}} {
		t.Run(fmt.Sprintf("%d × %d", screen.width, screen.height), func(t *testing.T) {
			c := c.in(t)
			c.must(c.Resize(within(t), screen.width, screen.height))
			var overflow int
			c.must(c.Evaluate(within(t), `document.documentElement.scrollWidth - innerWidth`, &overflow))
			if overflow > 0 {
				t.Errorf("expected nothing to scroll sideways, got %d pixels too many", overflow)
			}
			for _, scheme := range []string{"light", "dark"} {
				c.must(c.Prefer(within(t), scheme))
				c.picture(fmt.Sprintf("console-%d-%s.png", screen.width, scheme))
			}
		})
	}
	t.Run("light is light and dark is dark", func(t *testing.T) {
		c := c.in(t)
		for scheme, want := range map[string]bool{"light": true, "dark": false} {
			c.must(c.Prefer(within(t), scheme))
			var light bool
			c.must(c.Evaluate(within(t), `(() => {
				const canvas = document.createElement("canvas").getContext("2d");
				canvas.fillStyle = getComputedStyle(document.body).backgroundColor;
				if (getComputedStyle(document.body).backgroundColor === "rgba(0, 0, 0, 0)") canvas.fillStyle = getComputedStyle(document.documentElement).backgroundColor;
				canvas.fillRect(0, 0, 1, 1);
				const [red, green, blue] = canvas.getImageData(0, 0, 1, 1).data;
				return red + green + blue > 384;
			})()`, &light))
			if light != want {
				t.Errorf("expected a background for the %s scheme, got the other", scheme)
			}
		}
	})
}

// picture keeps a screenshot for a person to look at, in the directory that SCREENSHOTS
// names, or nowhere.
func (c console) picture(name string) {
	c.t.Helper()
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		dir = c.t.TempDir()
	}
	c.must(c.Screenshot(within(c.t), filepath.Join(dir, name)))
}

// copyProject copies the source tree, so that the console may write to it.
func copyProject(t *testing.T) string {
	t.Helper()
	const root = "../.."
	to := t.TempDir()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		switch {
		case entry.IsDir() && (name == ".git" || name == "dist"):
			return filepath.SkipDir
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), content, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

func TestConsoleEditsTheRule(t *testing.T) {
	root := copyProject(t)
	s := startStack(t, root)
	c := openConsole(t, s)
	file := filepath.Join(root, "policies", "profile", "profile.rego")

	// edit replaces text in the page's editor, as typing would.
	edit := func(c console, from, to string) {
		c.t.Helper()
		pair, err := json.Marshal([]string{from, to})
		c.must(err)
		c.must(c.Evaluate(within(c.t), `(([from, to]) => {
			const text = document.querySelector("#text");
			if (!text.value.includes(from)) throw new Error("no " + from);
			text.value = text.value.replaceAll(from, to);
			text.dispatchEvent(new Event("input", {bubbles: true}));
		})(`+string(pair)+`)`, nil))
	}
	// save clicks on Save and waits until the page says what became of the rule.
	save := func(c console, state string) {
		c.t.Helper()
		before, err := json.Marshal(c.text("#status"))
		c.must(err)
		c.click("#edit [type=submit]")
		if err := c.Wait(within(c.t), `document.querySelector("#status .`+state+`") && document.querySelector("#status").textContent.trim() !== `+string(before)); err != nil {
			c.t.Fatalf("%v: the page says %q, %q:\n%s", err, c.text("#saved"), c.text("#status"), s.Output())
		}
	}

	c.send(200, profileBody)
	t.Run("saving changes the file and the next decisions", func(t *testing.T) {
		c := c.in(t)
		edit(c, "get:profile", "read:profile")
		save(c, "serving")
		c.send(403, strings.ReplaceAll(noScopeBody, "get:", "read:"))
		c.explained("read:profile")
		content, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(content), `"read:profile"`) || strings.Contains(string(content), "\r") {
			t.Errorf("expected the file to be as edited, got %v:\n%s", err, content)
		}
	})
	t.Run("a rule that is no Rego is shown, and the one before serves", func(t *testing.T) {
		c := c.in(t)
		edit(c, "package profile", "packag profile")
		save(c, "failed")
		if text := c.text("#status"); !strings.Contains(text, "profile.rego") {
			t.Errorf("expected the error to name the file, got %s", text)
		}
		c.send(403, strings.ReplaceAll(noScopeBody, "get:", "read:"))
	})
	t.Run("and back", func(t *testing.T) {
		c := c.in(t)
		edit(c, "packag profile", "package profile")
		edit(c, "read:profile", "get:profile")
		save(c, "serving")
		c.send(200, profileBody)
	})
}
