// Package walls holds the rules about which package may link which, and where the sample's own
// values may stand. docs/architecture.md explains them to a reader.
//
// It has tests only. It judges the tree as it is on disk, and knows nothing of what the
// packages do.
package walls

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// root is the project's directory, seen from this package's.
const root = "../.."

// goPackage is what `go list -json` says of a package, as far as the walls need it.
type goPackage struct {
	ImportPath                string
	Deps                      []string // everything that it links, without its tests
	TestImports, XTestImports []string
	Module                    *struct{ Path string }
}

// listed returns the product's packages.
func listed(t *testing.T) (module string, packages []goPackage) {
	t.Helper()
	list := exec.Command("go", "list", "-json=ImportPath,Deps,TestImports,XTestImports,Module", "./...")
	list.Dir = root
	output, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
	return packages[0].Module.Path, packages
}

// within reports whether a package is one of the directories, or below one.
func within(name string, directories ...string) bool {
	return slices.ContainsFunc(directories, func(d string) bool { return name == d || strings.HasPrefix(name, d+"/") })
}

const (
	opa    = "github.com/open-policy-agent/opa"
	pulumi = "github.com/pulumi"
	jwx    = "github.com/lestrrat-go/jwx/v2" // OPA links a later version of it
)

// policyTools know Rego, and nothing of this API.
var policyTools = []string{"./internal/decision", "./internal/caller", "./internal/access/flow", "./internal/ruleset", "./internal/regotest", "./internal/loopback", "./internal/spelling"}

// walls say what packages may not link, by however many steps. Names
// of the product begin with ./; others are import paths.
var walls = []struct {
	name   string
	of     []string // the packages behind the wall
	except []string // packages among them to which it does not apply
	not    []string // what they may not link
	but    []string // packages among those that they may
	tests  bool     // whether their tests are behind the wall too
}{
	{
		name: "the authorizer never decides access",
		of:   []string{"./handlers/authorizer", "./internal/token", "./internal/jwks"},
		not:  []string{opa, "./internal/decision", "./internal/endpoint", "./policies"},
	},
	{
		name: "an endpoint never parses a token",
		of:   []string{"./handlers", "./internal/endpoint", "./internal/decision"}, except: []string{"./handlers/authorizer"},
		not: []string{jwx, "./internal/token", "./internal/jwks"}, tests: true,
	},
	{
		name: "the stack's declaration knows no handler code",
		of:   []string{"./infra"}, except: []string{"./infra/docs", "./infra/guardrail", "./infra/permissions", "./infra/review"},
		not: []string{"./handlers", "./local"},
	},
	{
		name: "what runs in Lambda links no Pulumi",
		of:   []string{"./handlers", "./internal"}, except: []string{"./internal/endpoint/endpointtest"},
		not: []string{pulumi, "./infra", "./local"},
	},
	{
		name: "a function's executable holds of OPA what decides, and no bundles or WebAssembly",
		of:   []string{"./handlers", "./internal/endpoint", "./internal/decision"}, except: []string{"./internal/decision/edits"},
		not: []string{opa + "/v1/rego", opa + "/v1/bundle"},
	},
	{
		name: "the local runner knows nothing of the product",
		of:   []string{"./local"}, except: []string{"./local/capture", "./local/conform", "./local/explain"},
		not: []string{"./infra", "./handlers", "./internal", "./policies"},
		but: policyTools, tests: true,
	},
	{
		name: "conform is a client, and knows of the product the policies and what the authorizer passes on to them",
		of:   []string{"./local/conform"},
		not:  []string{"./infra", "./handlers", "./internal", "./policies"},
		but:  append([]string{"./internal/token", "./internal/refusal", "./internal/signature"}, policyTools...), tests: true,
	},
	{
		name: "what serves the local API compiles without the Pulumi SDK",
		of:   []string{"./local"}, except: []string{"./local/capture", "./local/record", "./local/explain"},
		not: []string{pulumi, "./local/record"}, tests: true,
	},
}

func TestImportsStayBehindTheWalls(t *testing.T) {
	module, packages := listed(t)
	for _, wall := range walls {
		t.Run(wall.name, func(t *testing.T) {
			relative := func(imported string) string {
				if inside, ok := strings.CutPrefix(imported, module+"/"); ok {
					return "./" + inside
				}
				return imported
			}
			found := false
			for _, p := range packages {
				name := relative(p.ImportPath)
				if !within(name, wall.of...) || within(name, wall.except...) {
					continue
				}
				found = true
				linked := p.Deps
				if wall.tests {
					linked = slices.Concat(p.Deps, p.TestImports, p.XTestImports)
				}
				for _, imported := range linked {
					imported = relative(imported)
					if within(imported, wall.not...) && !within(imported, wall.but...) {
						t.Errorf("%s links %s", name, imported)
					}
				}
			}
			if !found {
				t.Errorf("expected packages below %q, got none: correct the wall", wall.of)
			}
		})
	}
}

// stackFiles are those of every stack, an adopter's further ones too.
var stackFiles, _ = fs.Glob(os.DirFS(root), "Pulumi.*.yaml") // the pattern is well-formed

// samples are the values of the shipped sample and where they may stand. They are written
// in two parts, so that this file holds none of them.
var samples = []struct {
	name, text string
	in         []string // directories and files
}{
	// In any policy: the tests of another endpoint name it as a scope that is not enough.
	{"the scope that the sample requires", "get" + ":profile", []string{"policies"}},
	{"the sample's answer", "Dani" + "ël", []string{"handlers/profile"}},
	{"the sample's audience", "https://api.example.com" + "/account", stackFiles},
	{"the project's name", "account" + "-api", append([]string{"Pulumi.yaml", "go.mod"}, stackFiles...)},
}

// documents show the sample, so they may hold its values, and so do the endpoints that the
// adoption test adds. The modules besides the product
// name its module path, as every import does.
func isDocument(name string) bool {
	return path.Ext(name) == ".md" || path.Base(name) == "go.mod" || within(name, "adoption/testdata")
}

func TestSampleValuesStandInTheSampleOnly(t *testing.T) {
	module, _ := listed(t)
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if base := path.Base(name); base == ".git" || base == "dist" || base == "node_modules" {
				return fs.SkipDir
			}
			return nil
		}
		if isDocument(name) {
			return nil
		}
		content, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return err
		}
		// An import path is no use of the project's name.
		text := strings.ReplaceAll(string(content), module+"/", "")
		for _, sample := range samples {
			if strings.Contains(text, sample.text) && !within(name, sample.in...) {
				t.Errorf("%s holds %s; it may stand in %s only: use a fixture of its own", name, sample.name, strings.Join(sample.in, ", "))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
