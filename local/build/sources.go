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
	for _, by := range localReplacement.FindAllSubmatch(gomod, -1) {
		if within(root, string(by[1])) {
			return true
		}
	}
	for _, file := range files {
		if file == "go.mod" || file == "go.sum" || strings.HasPrefix(file, "vendor/") {
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

var (
	moduleLine = regexp.MustCompile(`(?m)^module\s+"?([^\s"]+)`)
	// localReplacement is a replacement by a directory.
	localReplacement = regexp.MustCompile(`(?m)=>\s*"?([./][^\s"]*)`)
)

// within reports whether a directory, as go.mod names it, may be below root.
func within(root, directory string) bool {
	root, err := filepath.Abs(root)
	if err != nil {
		return true
	}
	if !filepath.IsAbs(directory) {
		directory = filepath.Join(root, directory)
	}
	relative, err := filepath.Rel(root, directory)
	return err != nil || filepath.IsLocal(relative)
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
