package gateway

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestWalls holds what each room may import of this module. So the declaration is read
// in one room, findings are no part of serving, and nothing here knows the program that
// is served.
func TestWalls(t *testing.T) {
	module := strings.TrimSuffix(reflect.TypeFor[Gateway]().PkgPath(), "local/gateway")
	for room, allowed := range map[string][]string{
		".":               {"declaration", "field", "findings", "gatewayresponse", "iampolicy", "graph", "lambda"},
		"declaration":     {"field", "gatewayresponse", "iampolicy", "graph"},
		"findings":        {"declaration", "field", "gatewayresponse", "graph"},
		"gatewayresponse": nil,
		"gatewaytest":     {"declaration", "gatewayresponse", "graph"},
		"iampolicy":       nil,
		"field":           nil,
	} {
		files, err := filepath.Glob(filepath.Join(room, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", room, len(files), err)
		}
		for _, file := range files {
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, spec := range parsed.Imports {
				path, _ := strconv.Unquote(spec.Path.Value)
				own, ok := strings.CutPrefix(path, module)
				if !ok {
					continue
				}
				name, here := strings.CutPrefix(own, "local/")
				name = strings.TrimPrefix(name, "gateway/")
				test := strings.HasSuffix(file, "_test.go") && (name == "gatewaytest" || name == room || slices.Contains([]string{"declaration", "gatewayresponse", "graph"}, name))
				if !here || !slices.Contains(allowed, name) && !test {
					t.Errorf("%s imports %s", file, path)
				}
				if name == "graph" && room == "." && file != "gateway.go" && !strings.HasSuffix(file, "_test.go") {
					t.Errorf("%s reads the graph: only the declaration may be served", file)
				}
			}
		}
	}
}
