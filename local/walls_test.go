package main

import (
	"os/exec"
	"path"
	"strings"
	"testing"
)

// outsiders are programs of their own that may import parts of the product. The runner
// knows only what they print.
var outsiders = []string{"capture", "conform", "explain", "policy"}

// The runner serves any Pulumi program with a REST API and Go functions.
func TestTheRunnerImportsNothingOfTheProduct(t *testing.T) {
	list := exec.Command("go", "list", "-f", `{{.Module.Path}} {{.ImportPath}} {{join .Imports " "}} {{join .TestImports " "}} {{join .XTestImports " "}}`, "./...")
	output, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for line := range strings.Lines(string(output)) {
		fields := strings.Fields(line)
		module, importer, imports := fields[0], fields[1], fields[2:]
		local := module + "/local"
		if name, inside := strings.CutPrefix(importer, local+"/"); inside && isOutsider(name) {
			continue
		}
		checked++
		for _, imported := range imports {
			if strings.HasPrefix(imported, module+"/") && !strings.HasPrefix(imported, local+"/") {
				t.Errorf("expected %s to import nothing outside of %s, got %s", importer, local, imported)
			}
			if isOutsider(strings.TrimPrefix(imported, local+"/")) && path.Dir(imported) == local {
				t.Errorf("expected %s to start the program of %s, and not to import it", importer, imported)
			}
		}
	}
	if checked < 5 {
		t.Errorf("expected the packages of the runner, got %d", checked)
	}
}

func isOutsider(name string) bool {
	for _, outsider := range outsiders {
		if name == outsider || strings.HasPrefix(name, outsider+"/") {
			return true
		}
	}
	return false
}
