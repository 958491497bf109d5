package programs

import (
	"html"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"account-api/local/running"
)

// judge is a project's policy program in small: it refuses each policy that has the word broken.
const judge = `package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	files, _ := filepath.Glob(filepath.Join(os.Args[2], "policies", "*", "*.rego")) // after -root
	answers := []map[string]any{}
	for _, file := range files {
		handler := filepath.Base(filepath.Dir(file))
		answer := map[string]any{"handler": handler, "tests": 1}
		if text, _ := os.ReadFile(file); strings.Contains(string(text), "broken") {
			answer["error"] = "policies/" + handler + "/" + handler + ".rego:1: refused"
		}
		answers = append(answers, answer)
	}
	json.NewEncoder(os.Stdout).Encode(answers)
}
`

func TestMistakesOfSeveralKindsAreShownTogether(t *testing.T) {
	root := cinema(t)
	file := func(elements ...string) string { return filepath.Join(append([]string{root}, elements...)...) }
	running.Write(t, file("cmd", "judge", "main.go"), judge)
	for _, handler := range []string{"door", "seats"} {
		running.Write(t, file("policies", handler, handler+".rego"), "whole\n")
	}
	c := serve(t, root, "-policy", "./cmd/judge")
	c.enter(t, ticket).Expect(t, http.StatusOK, admitted)
	reports := 0
	// shown waits until the latest report has some lines, and expects it to have no others of them.
	shown := func(wanted []string, unwanted ...string) {
		t.Helper()
		var report string
		for deadline := time.Now().Add(running.Patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			all := strings.Split(c.Output(), "Not reloaded: ")[1:]
			if len(all) <= reports {
				continue
			}
			report, _, _ = strings.Cut(all[len(all)-1], "\n\n")
			missing := 0
			for _, want := range wanted {
				if !strings.Contains(report, want) {
					missing++
				}
			}
			if missing == 0 {
				reports = len(all)
				for _, other := range unwanted {
					if strings.Contains(report, other) {
						t.Errorf("expected no %q any more, got:\n%s", other, report)
					}
				}
				page := html.UnescapeString(running.Request(t, http.MethodGet, c.Console).Body)
				for _, want := range wanted {
					if !strings.Contains(page, want) {
						t.Errorf("expected %q on the console", want)
					}
				}
				return
			}
		}
		t.Fatalf("expected one report of %q, got:\n%s", wanted, c.Output())
	}

	for _, handler := range []string{"door", "seats"} {
		running.Edit(t, file("policies", handler, handler+".rego"), "whole", "broken")
		running.Edit(t, file("cmd", handler, "main.go"), "func main() {", "func main() {\n\tno"+handler+"()")
	}
	running.Edit(t, file("Pulumi.matinee.yaml"), "config:", "config:\n  cinema:maxAge: 0")
	policies := []string{"policies/door/door.rego:1: refused", "policies/seats/seats.rego:1: refused"}
	code := []string{"cmd/door/main.go", "undefined: nodoor", "cmd/seats/main.go", "undefined: noseats"}
	settings := "maxAge: expected at least 1 second, got 0"
	shown(append(append(append([]string{}, policies...), code...), settings))
	c.enter(t, ticket).Expect(t, http.StatusOK, admitted)

	for _, handler := range []string{"door", "seats"} {
		running.Edit(t, file("policies", handler, handler+".rego"), "broken", "whole again")
	}
	running.Edit(t, file("Pulumi.matinee.yaml"), "config:\n  cinema:maxAge: 0", "config:")
	shown(code, policies[0], policies[1], settings)

	running.Edit(t, file("cmd", "door", "main.go"), "\n\tnodoor()", "")
	shown(code[2:], code[1])

	// What was refused is not forgotten when another file is saved.
	running.Edit(t, file("cmd", "door", "main.go"), "func main() {", "func main() {\n\t// open")
	shown(code[2:])

	running.Edit(t, file("cmd", "seats", "main.go"), "noseats()", "// "+admitted)
	c.Says(t, "Reloaded cinema-door, cinema-seats in ", 1)
	c.enter(t, ticket).Expect(t, http.StatusOK, admitted)
}
