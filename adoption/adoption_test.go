// Package adoption does to a copy of the project what a team does on the first day, and
// runs the documented commands after each edit. README.md describes the same walks, and
// says what each costs; these tests hold it to that.
//
// A walk is a row of [walks], with the files that it adds in testdata. The suites run for
// the edits of several walks at once. The package has tests only.
package adoption

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func TestWalks(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	p := copyProject(t)
	t.Run("as shipped", func(t *testing.T) {
		s := p.run(t, "dev")
		for _, command := range s.commands {
			shown := "$ " + s.documented(command) + "\n"
			if !strings.HasSuffix(command, "/rotate") && !strings.Contains(string(readme), shown) {
				t.Errorf("expected README.md to show the printed command %q", shown)
			}
		}
		for _, answer := range []string{`{"message":"Unauthorized"}`, forbidden, profile} {
			if !strings.Contains(string(readme), "\n"+answer+" ") {
				t.Errorf("expected README.md to show the answer %s", answer)
			}
		}
	})
	var teams []string
	for _, w := range walks {
		if w.team != "" && !slices.Contains(teams, w.team) {
			teams = append(teams, w.team)
		}
		t.Run(w.name, func(t *testing.T) {
			p.change(t, w)
			if cost := p.cost(t); w.documented != "" && !strings.Contains(string(readme), w.documented+": "+cost) {
				t.Errorf("expected README.md to say %q: correct the figure there", w.documented+": "+cost)
			}
			p.command(t, "go tool opa test policies")
			var settings []string
			if w.table != nil {
				settings = append(settings, "AWS="+w.table(t, p))
			}
			s := p.run(t, w.stack(), settings...)
			if statuses := s.paste(); !slices.Equal(statuses, []string{"401", "403", "200"}) {
				t.Errorf("expected the printed commands to be answered 401, 403 and 200, got %s", statuses)
			}
			for _, r := range w.requests {
				s.send(r, w.audience())
			}
			allowed, denied := s.token(w.audience(), w.allowed), s.token(w.audience(), w.denied)
			said := p.command(t, "make --no-print-directory conform STACK="+w.stack()+" URL="+s.api+" TOKEN="+allowed+" TOKEN_WITHOUT_SCOPE="+denied)
			if strings.Contains(said, "Nothing was tried") {
				t.Errorf("expected conform to ask what the policies decide, got:\n%s", said)
			}
			if w.suites != "" {
				p.command(t, "go test -vet=off "+w.suites)
			}
		})
	}
	// Every suite after every edit.
	for _, team := range teams {
		t.Run("make test "+team, func(t *testing.T) {
			p.change(t, slices.DeleteFunc(slices.Clone(walks), func(w walk) bool { return w.team != team })...)
			p.command(t, "make --no-print-directory test")
		})
	}
}
