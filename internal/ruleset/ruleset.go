// Package ruleset says which of the files in policies/ belong to a handler: the Rego files
// and data documents below its own directory and below shared, without tests.
//
// It is for whatever embeds, builds or reads the policy of one handler, so that all of them
// mean the same files. It reads no Rego.
package ruleset

import (
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Shared is the directory whose rules every handler carries.
const Shared = "shared"

// Of returns the files of policies, which is the directory of that name, that belong to a
// handler.
func Of(policies fs.FS, handler string) fs.FS { return files{policies, handler} }

type files struct {
	policies fs.FS
	handler  string
}

// Open implements [fs.FS].
func (f files) Open(name string) (fs.File, error) {
	file, err := f.policies.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil || !f.has(name, info.IsDir()) {
		file.Close()
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return file, nil
}

// ReadDir implements [fs.ReadDirFS]. Without it a walk would see the files that Open
// refuses.
func (f files) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(f.policies, name)
	return slices.DeleteFunc(entries, func(entry fs.DirEntry) bool {
		// A symbolic link is for the reader to refuse: go:embed would leave it out.
		isLink := entry.Type()&fs.ModeSymlink != 0
		return !f.has(strings.TrimPrefix(name+"/"+entry.Name(), "./"), entry.IsDir() || isLink)
	}), err
}

func (f files) has(name string, directory bool) bool {
	if top, _, _ := strings.Cut(name, "/"); top != f.handler && top != Shared {
		return name == "."
	}
	if directory {
		return true
	}
	switch path.Ext(name) {
	case ".rego":
		return !strings.HasSuffix(name, "_test.rego")
	case ".json", ".yaml", ".yml": // what the opa command loads as data
		return true
	}
	return false
}
