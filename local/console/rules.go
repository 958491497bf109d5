package console

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"account-api/internal/ruleset"
	"account-api/local/trial"
)

// maxRule bounds a rule's file, in bytes. A long one has some ten thousand.
const maxRule = 256 << 10

// rules are the Rego files of some directories, without tests.
type rules struct {
	root string   // of the project
	dirs []string // slash-separated and relative to it
}

// rule is a file as it is on disk. Its name is slash-separated and relative to the project.
type rule struct {
	Name    string `json:"name"`
	Head    string `json:"head"` // comments above the rule, if they are folded; see [rule.folded]
	Text    string `json:"text"`
	Version string `json:"version"` // changes with the text
}

// errStale refuses a save over a version that its author has not seen.
var errStale = errors.New("the file has changed on disk since this page read it: copy what you need, reload the page and save again")

// names lists the files, in order.
func (r rules) names() ([]string, error) {
	if len(r.dirs) == 0 {
		return nil, errors.New("no endpoint has a policy")
	}
	var names []string
	for _, dir := range r.dirs {
		entries, err := os.ReadDir(filepath.Join(r.root, dir))
		if path.Base(dir) == ruleset.Shared && errors.Is(err, fs.ErrNotExist) {
			continue // a project need not have shared rules
		}
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			name := entry.Name()
			if entry.Type().IsRegular() && filepath.Ext(name) == ".rego" && !strings.HasSuffix(name, "_test.rego") && !strings.HasPrefix(name, ".") {
				names = append(names, path.Join(dir, name))
			}
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("expected a .rego file in %s, got none", strings.Join(r.dirs, " or "))
	}
	return names, nil
}

// choose returns the given name if it is one of the rules', and the first one if none is
// given. So a page cannot name any other file.
func (r rules) choose(name string) (string, error) {
	names, err := r.names()
	if err != nil {
		return "", err
	}
	if name == "" {
		return names[0], nil
	}
	if !slices.Contains(names, name) {
		return "", fmt.Errorf("expected one of the rules %s: %w", strings.Join(names, ", "), fs.ErrNotExist)
	}
	return name, nil
}

func (r rules) read(name string) (rule, error) {
	name, err := r.choose(name)
	if err != nil {
		return rule{}, err
	}
	text, err := os.ReadFile(filepath.Join(r.root, name))
	if err != nil {
		return rule{}, err
	}
	return rule{Name: name, Text: string(text), Version: version(text)}, nil
}

func version(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// save replaces a file at once: a build that reads it meanwhile sees the old or the new
// text. edited.Version is the version that the text was made from.
func (r rules) save(edited rule) (rule, error) {
	now, err := r.read(edited.Name)
	if err != nil {
		return rule{}, err
	}
	if now.Version != edited.Version {
		return now, errStale
	}
	text := edited.Text
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	text = trial.Format(text)
	switch {
	case len(text) > maxRule:
		return now, fmt.Errorf("expected at most %d bytes, got %d", maxRule, len(text))
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return now, errors.New("expected text in UTF-8")
	}
	file := filepath.Join(r.root, now.Name)
	info, err := os.Stat(file)
	if err != nil {
		return now, err
	}
	if err := replaceFile(file, text, info.Mode().Perm()); err != nil {
		return now, err
	}
	return rule{Name: now.Name, Text: text, Version: version([]byte(text))}, nil
}

// replaceFile writes a file at once: who reads it meanwhile sees the old or the new text.
func replaceFile(file, text string, mode fs.FileMode) error {
	// Neither the go command nor OPA reads a file of this name.
	dir, name := filepath.Split(file)
	temporary := filepath.Join(dir, "."+name+"."+rand.Text()[:8]+".tmp")
	err := os.WriteFile(temporary, []byte(text), mode)
	if err == nil {
		err = os.Rename(temporary, file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return nil
}

// shortest is how many lines of comments are worth folding.
const shortest = 5

// folded splits the comments off that a long file begins with. The text is what follows them.
func (r rule) folded() rule {
	end, lines := 0, 0
	for line := range strings.Lines(r.Text) {
		if line := strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			break
		}
		end += len(line)
		lines++
	}
	if lines >= shortest && end < len(r.Text) {
		r.Head, r.Text = r.Text[:end], r.Text[end:]
	}
	return r
}

// HeadLines is how many lines are folded.
func (r rule) HeadLines() int { return strings.Count(r.Head, "\n") }
