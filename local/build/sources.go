package build

import (
	"errors"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Reads reports whether a build of a package, such as "./cmd/hello", may read one of the files.
// They are slash-separated and relative to root, and may be gone. In doubt it reports true.
//
// It follows the imports below root, whatever their build constraints. A package is made of the
// files of its directory, and of those that it embeds from there or from below.
func Reads(root, pkg string, files []string) bool {
	gomod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	module := moduleLine.FindSubmatch(gomod)
	if err != nil || module == nil {
		return true
	}
	for _, file := range files {
		switch name := path.Base(file); {
		case name == "go.mod", name == "go.sum", name == "go.work", strings.HasPrefix(file, "vendor/"), ofAnotherModule(root, file):
			return true
		}
	}
	known := map[string]bool{}
	for open := []string{path.Clean(pkg)}; len(open) > 0; {
		directory := open[0]
		open = open[1:]
		if known[directory] {
			continue
		}
		known[directory] = true
		imports, err := imported(filepath.Join(root, directory))
		if err != nil {
			return true
		}
		for _, name := range imports {
			if own, ours := strings.CutPrefix(name+"/", string(module[1])+"/"); ours {
				open = append(open, path.Clean(own))
			}
		}
	}
	for _, file := range files {
		for directory := path.Dir(file); ; directory = path.Dir(directory) {
			if known[directory] {
				return true
			}
			if directory == "." || directory == "/" {
				break
			}
		}
	}
	return false
}

var moduleLine = regexp.MustCompile(`(?m)^module\s+"?([^\s"]+)`)

// ofAnotherModule reports whether a file is in a module below root. A workspace or a replacement in
// go.mod may make it part of a build.
func ofAnotherModule(root, file string) bool {
	for directory := path.Dir(file); directory != "."; directory = path.Dir(directory) {
		if _, err := os.Stat(filepath.Join(root, directory, "go.mod")); err == nil {
			return true
		}
	}
	return false
}

// imported lists the imports of a directory's Go files without tests. A directory that is not
// there has none: the compiler will say so.
func imported(directory string) (imports []string, err error) {
	entries, err := os.ReadDir(directory)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		if path.Ext(entry.Name()) != ".go" || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(directory, entry.Name()), nil, parser.ImportsOnly)
		if err != nil {
			return nil, err
		}
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return nil, err
			}
			imports = append(imports, name)
		}
	}
	return imports, nil
}
