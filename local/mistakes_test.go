package main

import (
	"html"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
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
	write(t, file("cmd", "judge", "main.go"), judge)
	for _, handler := range []string{"door", "seats"} {
		write(t, file("policies", handler, handler+".rego"), "whole\n")
	}
	c := runStack(t, root, append(cinemaArguments, "-policy", "./cmd/judge")...)
	expect(t, c.enter(t, ticket), http.StatusOK, admitted)
	reports := 0
	// shown waits until the latest report has some lines, and expects it to have no others of them.
	shown := func(wanted []string, unwanted ...string) {
		t.Helper()
		var report string
		for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
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
				page := html.UnescapeString(request(t, http.MethodGet, c.Console).body)
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
		edit(t, file("policies", handler, handler+".rego"), "whole", "broken")
		edit(t, file("cmd", handler, "main.go"), "func main() {", "func main() {\n\tno"+handler+"()")
	}
	edit(t, file("Pulumi.matinee.yaml"), "config:", "config:\n  cinema:maxAge: 0")
	policies := []string{"policies/door/door.rego:1: refused", "policies/seats/seats.rego:1: refused"}
	code := []string{"cmd/door/main.go", "undefined: nodoor", "cmd/seats/main.go", "undefined: noseats"}
	settings := "maxAge: expected at least 1 second, got 0"
	shown(append(append(append([]string{}, policies...), code...), settings))
	expect(t, c.enter(t, ticket), http.StatusOK, admitted)

	for _, handler := range []string{"door", "seats"} {
		edit(t, file("policies", handler, handler+".rego"), "broken", "whole again")
	}
	edit(t, file("Pulumi.matinee.yaml"), "config:\n  cinema:maxAge: 0", "config:")
	shown(code, policies[0], policies[1], settings)

	edit(t, file("cmd", "door", "main.go"), "\n\tnodoor()", "")
	shown(code[2:], code[1])

	// What was refused is not forgotten when another file is saved.
	edit(t, file("cmd", "door", "main.go"), "func main() {", "func main() {\n\t// open")
	shown(code[2:])

	edit(t, file("cmd", "seats", "main.go"), "noseats()", "// "+admitted)
	c.says(t, "Reloaded cinema-door, cinema-seats in ", 1)
	expect(t, c.enter(t, ticket), http.StatusOK, admitted)
}
