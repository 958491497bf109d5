package decision

import (
	"io/fs"
	"slices"
	"strings"
)

// Files is what a handler carries of a directory of policies: the Rego files below its
// own directory and below shared, without their tests.
func Files(policies fs.FS, handler string) fs.FS { return files{policies, handler} }

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
	if err != nil || !f.carries(name, info.IsDir()) {
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
		return !f.carries(strings.TrimPrefix(name+"/"+entry.Name(), "./"), entry.IsDir())
	}), err
}

func (f files) carries(name string, directory bool) bool {
	if top, _, _ := strings.Cut(name, "/"); top != f.handler && top != "shared" {
		return name == "."
	}
	return directory || strings.HasSuffix(name, ".rego") && !strings.HasSuffix(name, "_test.rego")
}
