package decision

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/open-policy-agent/opa/v1/util"
)

// documents are what a policy reads below data besides its rules.
type documents struct {
	data        map[string]any
	directories map[string]bool // that have a document in or below them, as in a/b
}

// Documents reads the data documents among files: data.json and data.yaml. The directory of
// a document is its path below data, as for the opa command:
// https://www.openpolicyagent.org/docs/management-bundles#bundle-file-format
//
// Two documents may have different keys of one object. Any other key in two is an error.
func Documents(files fs.FS) (map[string]any, error) {
	documents := documents{map[string]any{}, map[string]bool{}}
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
func (d documents) add(name string, source []byte) error {
	place := path.Join("policies", name)
	if base := path.Base(name); base != "data.json" && base != "data.yaml" {
		return fmt.Errorf("%s: expected a data document to be named data.json or data.yaml, got %s: put its content there", place, base)
	}
	var content map[string]any
	if err := util.Unmarshal(source, &content); err != nil {
		return fmt.Errorf("%s: expected an object in JSON or YAML: %w", place, err)
	}
	var below []string
	if directory := path.Dir(name); directory != "." {
		below = strings.Split(directory, "/")
	}
	for i := len(below) - 1; i >= 0; i-- {
		d.directories[strings.Join(below[:i+1], "/")] = true
		content = map[string]any{below[i]: content}
	}
	if conflict := merge(d.data, content); conflict != nil {
		return fmt.Errorf("%s: expected other keys than another document has, got data.%s in both", place, strings.Join(conflict, "."))
	}
	return nil
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
