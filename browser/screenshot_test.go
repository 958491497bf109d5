//go:build screenshot

package browser

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestScreenshot writes the picture of the console for the README. The times of day, the ports
// and the numbers of requests are the same in every picture; the durations are those measured.
func TestScreenshot(t *testing.T) {
	tab := open(t, shared.Console)
	do(t, tab, prefer("light"), chromedp.EmulateViewport(1440, 900))
	for _, preset := range []string{"without", "denied", "good", "denied"} {
		do(t, tab, choose(preset))
		answer(t, tab, clickSend)
	}
	do(t, tab, choose("good"))
	// A rule that lets more callers in, which no test notices.
	value := get(t, tab, chromedp.Value(chromedp.CSS("#text")))
	do(t, tab, typing(value+"\nallow if startswith(input.principal, \"local-\")\n"))
	get(t, tab, until[bool](`document.querySelector("#outcome").textContent.includes("would be answered differently")`))
	do(t, tab, script(`(() => {
		document.querySelector(".editor").scrollTop = 1e6;
		document.querySelector(".state").lastChild.textContent = " what is on disk, since 10:00:00";
		document.querySelector("#url").value = document.querySelector("#url").value.replace(/:\d+/, ":8080");
		document.querySelectorAll("time").forEach((time, i) => time.textContent = "10:02:" + String(30 - i).padStart(2, "0"));
		document.querySelector("#detail .hint").textContent = document.querySelector("#detail .hint").textContent.replace(/at [\d:]+/, "at 10:02:30");
		document.activeElement.blur();
		scrollTo(0, 0);
	})()`))
	picture := get(t, tab, chromedp.CaptureScreenshot())
	if err := os.WriteFile(filepath.Join(root, "docs", "console.png"), picture, 0o644); err != nil {
		t.Fatal(err)
	}
}
