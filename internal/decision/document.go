package decision

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/util"
	"go.yaml.in/yaml/v3"
)

// documents are what a policy reads below data besides its rules.
type documents struct {
	data        map[string]any
	directories map[string]bool // that have a document in or below them, as in a/b
	files       []file
}

// file is the text of one document.
type file struct {
	place  string   // from the repository's root
	below  []string // its directory, by name
	source []byte
}

func newDocuments() documents {
	return documents{data: map[string]any{}, directories: map[string]bool{}}
}

// Documents reads the data documents among files: data.json and data.yaml. The directory of
// a document is its path below data, as for the opa command:
// https://www.openpolicyagent.org/docs/management-bundles#bundle-file-format
//
// Two documents may have different keys of one object. Any other key in two is an error.
func Documents(files fs.FS) (map[string]any, error) {
	documents := newDocuments()
	var faults []error
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !isDocument(name) {
			return err
		}
		source, err := fs.ReadFile(files, name)
		if err == nil {
			faults = append(faults, documents.add(name, source))
		}
		return err
	})
	return documents.data, errors.Join(append(faults, err)...)
}

// isDocument reports whether the opa command loads the file as data.
func isDocument(name string) bool {
	switch path.Ext(name) {
	case ".json", ".yaml", ".yml":
		return true
	}
	return false
}

// add puts a document in its place.
func (d *documents) add(name string, source []byte) error {
	place := path.Join("policies", name)
	if base := path.Base(name); base != "data.json" && base != "data.yaml" {
		return fmt.Errorf("%s: expected a data document to be named data.json or data.yaml, got %s: put its content there", place, base)
	}
	var content map[string]any
	err := readWhole(source)
	if err == nil {
		err = util.Unmarshal(source, &content)
	}
	if err != nil {
		return fmt.Errorf("%s: expected an object in JSON or YAML: %w", place, err)
	}
	if err := numbers(content); err != nil {
		return fmt.Errorf("%s: %w", place, err)
	}
	var below []string
	if directory := path.Dir(name); directory != "." {
		below = strings.Split(directory, "/")
	}
	d.files = append(d.files, file{place, below, source})
	for i := len(below) - 1; i >= 0; i-- {
		d.directories[strings.Join(below[:i+1], "/")] = true
		content = map[string]any{below[i]: content}
	}
	if conflict := merge(d.data, content); conflict != nil {
		return fmt.Errorf("%s: expected other keys than another document has, got data.%s in both", place, strings.Join(conflict, "."))
	}
	return nil
}

// nested says where the value at a path is that is not there, if another key is around it: a
// document's keys are below its directory's name, so one that repeats the name is a level too
// many. It is "" if there is no such key.
func (d *documents) nested(path []string) string {
	at, name := path[:len(path)-1], path[len(path)-1]
	var object any = d.data
	for _, key := range at {
		members, _ := object.(map[string]any)
		object = members[key]
	}
	members, _ := object.(map[string]any)
	for _, outer := range slices.Sorted(maps.Keys(members)) {
		inner, _ := members[outer].(map[string]any)
		if _, found := inner[name]; !found {
			continue
		}
		found := ast.DefaultRootRef.Copy()
		for _, key := range slices.Concat(at, []string{outer, name}) {
			found = append(found, ast.StringTerm(key))
		}
		if place := d.where(slices.Concat(at, []string{outer})); place != "" {
			return fmt.Sprintf("%s holds the key %s, so it is %s: remove that outer key, or refer to %[3]s", place, outer, found)
		}
		return fmt.Sprintf("%s has it as %s: refer to that", d.where(slices.Concat(at, []string{outer, name})), found)
	}
	return ""
}

// where is the file and line of the key at a path below data, "" if no document has it.
func (d *documents) where(path []string) string {
	for _, f := range d.files {
		if len(path) <= len(f.below) || !slices.Equal(path[:len(f.below)], f.below) {
			continue
		}
		if line := lineOf(f.source, path[len(f.below):]); line > 0 {
			return fmt.Sprintf("%s:%d", f.place, line)
		}
	}
	return ""
}

// lineOf is the line of a key in a document, 0 if it is not there. JSON is YAML, too.
func lineOf(source []byte, keys []string) (line int) {
	var document yaml.Node
	if yaml.Unmarshal(source, &document) != nil || len(document.Content) == 0 {
		return 0
	}
	node := document.Content[0]
	for _, key := range keys {
		line = 0
		for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == key {
				line, node = node.Content[i].Line, node.Content[i+1]
				break
			}
		}
		if line == 0 {
			return 0
		}
	}
	return line
}

// readWhole refuses what OPA would read in part without a word: a key that an object has
// twice, of which it takes the last, and a second YAML document.
func readWhole(source []byte) error {
	if json.Valid(source) { // much faster than as YAML
		if key := twice(source); key != "" {
			return fmt.Errorf("got the key %q twice in one object", key)
		}
		return nil
	}
	documents := yaml.NewDecoder(bytes.NewReader(source))
	var content any
	if err := documents.Decode(&content); err != nil && err != io.EOF { // EOF: it is empty
		return err
	}
	if err := documents.Decode(&content); err != io.EOF {
		return errors.New("got a second document in the file")
	}
	return nil
}

// twice is a key that an object of a JSON document has twice, or "".
func twice(source []byte) string {
	type object struct {
		keys  map[string]bool // nil for an array
		isKey bool            // what the next token of an object is
	}
	decoder := json.NewDecoder(bytes.NewReader(source))
	var open []*object
	for {
		token, err := decoder.Token()
		if err != nil {
			return "" // the end, or no JSON
		}
		if delimiter, ok := token.(json.Delim); ok && (delimiter == '}' || delimiter == ']') {
			open = open[:len(open)-1]
			continue
		}
		if len(open) > 0 {
			in := open[len(open)-1]
			if key, isText := token.(string); isText && in.isKey {
				if in.keys[key] {
					return key
				}
				in.keys[key], in.isKey = true, false
				continue
			}
			in.isKey = in.keys != nil
		}
		switch token {
		case json.Delim('{'):
			open = append(open, &object{keys: map[string]bool{}, isKey: true})
		case json.Delim('['):
			open = append(open, &object{})
		}
	}
}

// numbers is an error if OPA's store would panic about a number.
func numbers(value any) (err error) {
	switch value := value.(type) {
	case map[string]any:
		for key, member := range value {
			if err := numbers(member); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
		}
	case []any:
		for _, element := range value {
			if err := numbers(element); err != nil {
				return err
			}
		}
	case json.Number:
		if _, err = ast.InterfaceToValue(value); err != nil {
			err = fmt.Errorf("expected a smaller number, got %.20s…", value)
		}
	}
	return err
}

// merge adds the keys of from to into. It returns the path of a key that both have, unless
// both have an object there.
func merge(into, from map[string]any) (conflict []string) {
	for key, value := range from {
		present, found := into[key]
		if !found {
			into[key] = value
			continue
		}
		old, isObject := present.(map[string]any)
		added, alsoObject := value.(map[string]any)
		if !isObject || !alsoObject {
			return []string{key}
		}
		if conflict := merge(old, added); conflict != nil {
			return append([]string{key}, conflict...)
		}
	}
	return nil
}
