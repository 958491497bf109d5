package browser

import (
	"context"
	"errors"
	"fmt"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const controls = `<!doctype html><meta name="viewport" content="width=device-width"><title>controls</title>
<p id="log"></p>
<button id="plain" onclick="note('plain')">plain</button>
<button id="covered" style="position:fixed;top:50px;left:50px" onclick="note('covered')">covered</button>
<div style="position:fixed;top:40px;left:40px;width:200px;height:80px;background:grey"></div>
<label style="position:fixed;top:200px"><input type="checkbox" id="box" onchange="note('box')"> box</label>
<button id="far" style="position:absolute;top:5000px" onclick="note('far')">far</button>
<script>function note(text) { document.querySelector("#log").textContent += text + (event.isTrusted ? "! " : " "); }</script>`

func TestPage(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, controls)
	}))
	defer server.Close()
	p := open(t, server.URL)
	ctx := within(t)
	noted := func(want string) {
		t.Helper()
		var log string
		if err := p.Evaluate(ctx, `document.querySelector("#log").textContent`, &log); err != nil || strings.TrimSpace(log) != want {
			t.Errorf("expected the page to note %q, got %q, %v", want, log, err)
		}
	}
	says := func(err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("expected an error that says %q, got %v", want, err)
		}
	}

	t.Run("a click is a user's, wherever the element is", func(t *testing.T) {
		for _, selector := range []string{"#plain", "#box", "#far"} {
			if err := p.Click(ctx, selector); err != nil {
				t.Error(err)
			}
		}
		noted("plain! box! far!")
	})
	t.Run("what is not there or covered cannot be clicked", func(t *testing.T) {
		says(p.Click(ctx, "#nothing"), "nothing matches #nothing")
		says(p.Click(ctx, "#covered"), "covered")
	})
	t.Run("the keyboard reaches what has the focus", func(t *testing.T) {
		if err := p.Evaluate(ctx, `document.querySelector("#plain").focus()`, nil); err != nil {
			t.Fatal(err)
		}
		if err := p.Press(ctx, "Enter"); err != nil {
			t.Error(err)
		}
		noted("plain! box! far! plain!")
		says(p.Press(ctx, "Any"), "expected one of the keys")
	})
	t.Run("a script yields values, promises and errors", func(t *testing.T) {
		var sum int
		if err := p.Evaluate(ctx, `Promise.resolve(1 + 2)`, &sum); err != nil || sum != 3 {
			t.Errorf("expected 3, got %d, %v", sum, err)
		}
		says(p.Evaluate(ctx, `nothing.here`, nil), "ReferenceError")
		says(p.Evaluate(ctx, `undefined`, &sum), "got undefined")
	})
	t.Run("waiting ends with the context", func(t *testing.T) {
		soon, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		if err := p.Wait(soon, "false"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("expected the deadline, got %v", err)
		}
	})
	t.Run("a page that is not served is an error", func(t *testing.T) {
		closed := httptest.NewServer(http.NotFoundHandler())
		closed.Close()
		_, err := chromium.Open(ctx, closed.URL)
		says(err, "ERR_CONNECTION_REFUSED")
	})
	t.Run("a screenshot has the size of the screen", func(t *testing.T) {
		if err := errors.Join(p.Resize(ctx, 390, 844), p.Prefer(ctx, "dark")); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "page.png")
		if err := p.Screenshot(ctx, file); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if config, err := png.DecodeConfig(f); err != nil || config.Width != 390 {
			t.Errorf("expected a picture 390 wide, got %+v, %v", config, err)
		}
		var dark bool
		if err := p.Evaluate(ctx, `matchMedia("(prefers-color-scheme: dark)").matches`, &dark); err != nil || !dark {
			t.Errorf("expected the dark scheme, got %t, %v", dark, err)
		}
	})
}

func TestMissingBrowser(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("CHROMIUM", "")
	path, err := Find()
	// macOS keeps applications outside of the PATH.
	if installed := strings.HasPrefix(path, "/Applications/"); !installed && !errors.Is(err, ErrMissing) {
		t.Errorf("expected %v, got %q, %v", ErrMissing, path, err)
	}
	if !strings.Contains(ErrMissing.Error(), "apt-get install chromium") {
		t.Errorf("expected to be told how to install it, got %v", ErrMissing)
	}
	t.Setenv("CHROMIUM", "no-such-browser")
	if _, err = Launch(); err == nil || !strings.Contains(err.Error(), "CHROMIUM: ") {
		t.Errorf("expected the variable to be named, got %v", err)
	}
}

func TestEndOfTheBrowser(t *testing.T) {
	t.Run("closing leaves no profile", func(t *testing.T) {
		b, err := Launch()
		if err != nil {
			t.Fatal(err)
		}
		version, err := b.Version(within(t))
		if err != nil || !strings.HasPrefix(version, "Chrome/") {
			t.Errorf("expected a version, got %q, %v", version, err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(b.profile); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("expected the profile to be gone, got %v", err)
		}
	})
	t.Run("a browser that dies is an error, not a hang", func(t *testing.T) {
		b, err := Launch()
		if err != nil {
			t.Fatal(err)
		}
		if err := b.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Version(within(t)); !errors.Is(err, errGone) {
			t.Errorf("expected the browser to be gone, got %v", err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
}
