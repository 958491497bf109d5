package console

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxRule bounds a rule's file, in bytes. A long one has some ten thousand.
const maxRule = 256 << 10

// rules are the Rego files of one directory, without tests.
type rules struct{ dir string }

// rule is a file as it is on disk.
type rule struct {
	Name    string `json:"name"`
	Text    string `json:"text"`
	Version string `json:"version"` // changes with the text
}

// errStale is a save over a version that its author has not seen.
var errStale = errors.New("the file has changed on disk since this page has read it: copy what you need, reload the page and save again")

// names lists the files, in order.
func (r rules) names() ([]string, error) {
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, entry := range entries {
		name := entry.Name()
		if entry.Type().IsRegular() && filepath.Ext(name) == ".rego" && !strings.HasSuffix(name, "_test.rego") && !strings.HasPrefix(name, ".") {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("expected a .rego file in %s, got none", filepath.Base(r.dir))
	}
	return names, nil
}

// choose returns one of the names: the given one if it is among them, and the first one
// if none is given. It is never more than a choice: no path can be made of it.
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
	text, err := os.ReadFile(filepath.Join(r.dir, name))
	if err != nil {
		return rule{}, err
	}
	return rule{Name: name, Text: string(text), Version: version(text)}, nil
}

func version(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// save replaces a file at once: whoever reads it meanwhile, such as a build, sees the
// old or the new text. edited.Version is the version that the text was made from.
func (r rules) save(edited rule) (rule, error) {
	now, err := r.read(edited.Name)
	if err != nil {
		return rule{}, err
	}
	if now.Version != edited.Version {
		return now, errStale
	}
	// A form has CR LF for every newline:
	// https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#constructing-the-form-data-set
	text := strings.ReplaceAll(edited.Text, "\r\n", "\n")
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	switch {
	case len(text) > maxRule:
		return now, fmt.Errorf("expected at most %d bytes, got %d", maxRule, len(text))
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return now, errors.New("expected text in UTF-8")
	}
	file := filepath.Join(r.dir, now.Name)
	info, err := os.Stat(file)
	if err != nil {
		return now, err
	}
	// Neither the go command nor OPA takes it for a rule while it is there.
	temporary := filepath.Join(r.dir, "."+now.Name+"."+rand.Text()[:8]+".tmp")
	err = os.WriteFile(temporary, []byte(text), info.Mode().Perm())
	if err == nil {
		err = os.Rename(temporary, file)
	}
	if err != nil {
		return now, errors.Join(err, os.Remove(temporary))
	}
	return rule{Name: now.Name, Text: text, Version: version([]byte(text))}, nil
}
