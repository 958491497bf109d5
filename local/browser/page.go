package browser

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"
)

// Page is a tab.
type Page struct {
	browser *Browser
	target  string
	session string
}

// Open opens a page and waits until it is loaded.
func (b *Browser) Open(ctx context.Context, url string) (*Page, error) {
	var target struct {
		ID string `json:"targetId"`
	}
	if err := b.tools.call(ctx, "", "Target.createTarget", map[string]any{"url": "about:blank"}, &target); err != nil {
		return nil, err
	}
	var attached struct {
		Session string `json:"sessionId"`
	}
	// flatten lets one connection carry all sessions.
	if err := b.tools.call(ctx, "", "Target.attachToTarget", map[string]any{"targetId": target.ID, "flatten": true}, &attached); err != nil {
		return nil, err
	}
	p := &Page{b, target.ID, attached.Session}
	return p, p.Go(ctx, url)
}

// Close closes the page. One that stays open keeps its connections: six to a host are
// all that Chromium makes over HTTP/1.1, and a page that listens for events holds one.
func (p *Page) Close(ctx context.Context) error {
	return p.browser.tools.call(ctx, "", "Target.closeTarget", map[string]any{"targetId": p.target}, nil)
}

// Go loads another URL.
func (p *Page) Go(ctx context.Context, url string) error {
	var navigated struct {
		Error string `json:"errorText"`
	}
	if err := p.call(ctx, "Page.navigate", map[string]any{"url": url}, &navigated); err != nil {
		return err
	}
	if navigated.Error != "" {
		return fmt.Errorf("browser: open %s: %s", url, navigated.Error)
	}
	return p.Wait(ctx, `document.readyState === "complete"`)
}

func (p *Page) call(ctx context.Context, method string, params, result any) error {
	return p.browser.tools.call(ctx, p.session, method, params, result)
}

// Evaluate runs JavaScript in the page, waits for its promise if it is one, and decodes
// the value into result, unless that is nil. What the script throws is an error.
func (p *Page) Evaluate(ctx context.Context, script string, result any) error {
	var evaluated struct {
		Result struct {
			Value json.RawMessage `json:"value"`
		} `json:"result"`
		Exception *struct {
			Text      string `json:"text"`
			Exception struct {
				Description string `json:"description"`
			} `json:"exception"`
		} `json:"exceptionDetails"`
	}
	err := p.call(ctx, "Runtime.evaluate", map[string]any{"expression": script, "awaitPromise": true, "returnByValue": true, "userGesture": true}, &evaluated)
	if err != nil {
		return err
	}
	if e := evaluated.Exception; e != nil {
		return fmt.Errorf("browser: the script threw: %s %s", e.Text, e.Exception.Description)
	}
	if result == nil {
		return nil
	}
	if len(evaluated.Result.Value) == 0 {
		return fmt.Errorf("browser: expected the script to yield a value, got undefined")
	}
	return json.Unmarshal(evaluated.Result.Value, result)
}

// Wait returns once a condition, an expression of JavaScript, holds. A page that
// changes under it does not hurt.
func (p *Page) Wait(ctx context.Context, condition string) error {
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	var last error
	for {
		var holds bool
		if last = p.Evaluate(ctx, "Boolean("+condition+")", &holds); last == nil && holds {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("browser: waited for %s in vain: %w", condition, ctx.Err())
		case <-look.C:
		}
	}
}

// point is where something is in the page, in CSS pixels.
type point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// Click presses the mouse on the first element that a selector finds, as a user would:
// it fails if the element is not there, has no size, or is covered by another one.
func (p *Page) Click(ctx context.Context, selector string) error {
	quoted, err := json.Marshal(selector)
	if err != nil {
		return err
	}
	var at point
	err = p.Evaluate(ctx, `(() => {
		const found = document.querySelector(`+string(quoted)+`);
		if (!found) throw new Error("nothing matches " + `+string(quoted)+`);
		found.scrollIntoView({block: "center", behavior: "instant"});
		const box = found.getBoundingClientRect();
		const at = {x: box.x + box.width / 2, y: box.y + box.height / 2};
		const top = document.elementFromPoint(at.x, at.y);
		const label = found.labels && [...found.labels].some(l => l.contains(top));
		if (!top || !(found.contains(top) || label)) throw new Error("covered or without a size: " + `+string(quoted)+`);
		return at;
	})()`, &at)
	if err != nil {
		return err
	}
	for _, kind := range []string{"mouseMoved", "mousePressed", "mouseReleased"} {
		event := map[string]any{"type": kind, "x": at.X, "y": at.Y, "button": "left", "clickCount": 1}
		if kind == "mouseMoved" {
			event["button"] = "none"
		}
		if err := p.call(ctx, "Input.dispatchMouseEvent", event, nil); err != nil {
			return err
		}
	}
	return nil
}

// keyCodes are the keys that Press knows, as Windows numbers them: the protocol asks
// for that on every system.
var keyCodes = map[string]int{"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "ArrowDown": 40}

// Press types a key that has a name, such as Tab or Enter, where the focus is.
func (p *Page) Press(ctx context.Context, key string) error {
	code, known := keyCodes[key]
	if !known {
		return fmt.Errorf("browser: expected one of the keys %q, got %q", slices.Sorted(maps.Keys(keyCodes)), key)
	}
	for _, kind := range []string{"keyDown", "keyUp"} {
		event := map[string]any{"type": kind, "key": key, "windowsVirtualKeyCode": code}
		if kind == "keyDown" && key == "Enter" {
			event["text"] = "\r"
		}
		if kind == "keyDown" && key == " " {
			event["text"] = " "
		}
		if err := p.call(ctx, "Input.dispatchKeyEvent", event, nil); err != nil {
			return err
		}
	}
	return nil
}

// Resize makes the page as large as a screen of that size, in CSS pixels.
func (p *Page) Resize(ctx context.Context, width, height int) error {
	return p.call(ctx, "Emulation.setDeviceMetricsOverride",
		map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}, nil)
}

// Prefer sets the colour scheme that the user prefers, "light" or "dark".
func (p *Page) Prefer(ctx context.Context, scheme string) error {
	return p.call(ctx, "Emulation.setEmulatedMedia",
		map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
}

// Screenshot writes what the whole page looks like to a PNG file.
func (p *Page) Screenshot(ctx context.Context, file string) error {
	var shot struct {
		Data string `json:"data"`
	}
	if err := p.call(ctx, "Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true}, &shot); err != nil {
		return err
	}
	image, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil {
		return err
	}
	return os.WriteFile(file, image, 0o644)
}
