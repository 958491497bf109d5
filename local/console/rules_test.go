package console

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func (f *fixture) rule(t *testing.T) rule {
	t.Helper()
	a := f.get(t, "/rule")
	var s said
	if err := json.Unmarshal([]byte(a.body), &s); err != nil || s.Rule == nil {
		t.Fatalf("expected the rule, got %d %s", a.status, a.body)
	}
	return *s.Rule
}

func save(r rule) url.Values {
	return url.Values{"name": {r.Name}, "version": {r.Version}, "text": {r.Text}}
}

func TestSavingARule(t *testing.T) {
	f := serve(t, true)
	file := f.ruleFile()
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	onDisk := func() string {
		t.Helper()
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}

	t.Run("writes the file, with a page's newlines as the file's", func(t *testing.T) {
		r := f.rule(t)
		r.Text = "package seats\r\n\r\ndefault allow := true"
		if a := f.post(t, "/rule", save(r)); a.status != 200 {
			t.Fatalf("expected 200, got %d %s", a.status, a.body)
		}
		if got, want := onDisk(), "package seats\n\ndefault allow := true\n"; got != want {
			t.Errorf("expected %q, got %q", want, got)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("expected the file's mode to stay, got %v, %v", info.Mode(), err)
		}
		if entries, err := os.ReadDir(filepath.Dir(f.ruleFile())); err != nil || len(entries) != 2 {
			t.Errorf("expected nothing else to be left, got %v, %v", entries, err)
		}
	})
	t.Run("does not overwrite what was saved meanwhile", func(t *testing.T) {
		r := f.rule(t)
		write(t, file, "package seats # from an editor\n")
		if a := f.post(t, "/rule", save(r)); a.status != http.StatusConflict || onDisk() != "package seats # from an editor\n" {
			t.Errorf("expected 409 and the editor's file, got %d %s, %q", a.status, a.body, onDisk())
		}
	})
	t.Run("without a script goes back to the page", func(t *testing.T) {
		a := f.do(t, http.MethodPost, "/rule", save(f.rule(t)), func(r *http.Request) { r.Header.Set("Accept", "text/html") })
		if a.status != http.StatusSeeOther || a.header.Get("Location") != "/?rule=policies%2Fseats%2Fseats.rego#rule" {
			t.Errorf("expected 303 to the page, got %d %v", a.status, a.header)
		}
	})
	t.Run("takes text only", func(t *testing.T) {
		for name, text := range map[string]string{
			"no UTF-8":       "package seats\xff",
			"a zero byte":    "package seats\x00",
			"more than much": strings.Repeat("#", maxRule),
		} {
			r := f.rule(t)
			r.Text = text
			if a := f.post(t, "/rule", save(r)); a.status != http.StatusBadRequest || onDisk() == text {
				t.Errorf("%s: expected 400, got %d", name, a.status)
			}
		}
		r := f.rule(t)
		r.Text = strings.Repeat("#", maxForm)
		if a := f.post(t, "/rule", save(r)); a.status != http.StatusBadRequest {
			t.Errorf("expected 400 for a huge form, got %d", a.status)
		}
	})
}

// hostile are names that a page has no business with.
var hostile = []string{
	policy + "/seats_test.rego", policy + "/../seats/seats.rego", "./" + ruleName, "../" + ruleName, "seats.rego", "/etc/passwd", "..", ".",
	ruleName + "/", ruleName + "\x00", strings.ToUpper(ruleName), policy + "/.hidden.rego", policy + "/link.rego", policy + "/dir.rego",
	policy + "/nothing.rego", policy + "/notes.txt", "policies/other/other.rego",
}

func TestNamesOfRules(t *testing.T) {
	f := serve(t, true)
	outside := filepath.Join(t.TempDir(), "outside.rego")
	write(t, outside, "package outside\n")
	dir := filepath.Dir(f.ruleFile())
	write(t, filepath.Join(dir, ".hidden.rego"), "package hidden\n")
	write(t, filepath.Join(dir, "notes.txt"), "notes\n")
	if err := os.Symlink(outside, filepath.Join(dir, "link.rego")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "dir.rego"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range hostile {
		t.Run(name, func(t *testing.T) {
			if a := f.get(t, "/rule?"+url.Values{"name": {name}}.Encode()); a.status != http.StatusNotFound {
				t.Errorf("expected 404, got %d %s", a.status, a.body)
			}
			content, err := os.ReadFile(outside)
			if err != nil {
				t.Fatal(err)
			}
			a := f.post(t, "/rule", save(rule{Name: name, Text: "package evil\n", Version: version(content)}))
			if after, err := os.ReadFile(outside); a.status != http.StatusNotFound || err != nil || string(after) != string(content) {
				t.Errorf("expected 404 and nothing written, got %d %s", a.status, a.body)
			}
		})
	}
	t.Run("a second rule is another to choose", func(t *testing.T) {
		write(t, filepath.Join(dir, "helpers.rego"), "package seats\n")
		body := f.get(t, "/?rule="+url.QueryEscape(ruleName)).body
		if !strings.Contains(body, `<a href="/?rule=policies%2fseats%2fhelpers.rego"`) || !strings.Contains(body, `name="name" value="policies/seats/seats.rego"`) {
			t.Error("expected the page to offer both")
		}
	})
	t.Run("a directory without rules says so", func(t *testing.T) {
		empty := rules{t.TempDir(), []string{"."}}
		if _, err := empty.read(""); err == nil || !strings.Contains(err.Error(), "expected a .rego file") {
			t.Errorf("expected an error, got %v", err)
		}
	})
}

func FuzzRuleName(f *testing.F) {
	dir := f.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, policy), 0o755); err != nil {
		f.Fatal(err)
	}
	for _, name := range []string{"seats.rego", "seats_test.rego", ".hidden.rego", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(dir, policy, name), nil, 0o644); err != nil {
			f.Fatal(err)
		}
	}
	for _, name := range append(hostile, "", ruleName) {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		chosen, err := rules{dir, []string{policy}}.choose(name)
		if allowed := name == "" || name == ruleName; allowed != (err == nil) || allowed && chosen != ruleName {
			t.Errorf("expected the one rule or an error for %q, got %q, %v", name, chosen, err)
		}
	})
}
