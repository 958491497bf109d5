//go:build axe

package browser

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// The rules of axe-core, from the npm registry. Its licence is the MPL, and nothing of it is in
// this repository.
const (
	axeVersion   = "4.10.3"
	axeIntegrity = "Xm7bpRXnDSX2YE2YFfBk2FnF0ep6tmG7xPh8iHee8MIcrgq762Nkce856dYtJYLkuIoYZvGfTs/PbZhideTcEg=="
)

// axe downloads the script of axe-core.
func axe(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	npm := exec.Command("npm", "pack", "--silent", "axe-core@"+axeVersion)
	npm.Dir = dir
	if output, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("npm pack: %v\n%s\nThis test needs npm and the network.", err, output)
	}
	content, err := os.ReadFile(filepath.Join(dir, "axe-core-"+axeVersion+".tgz"))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha512.Sum512(content)
	if got := base64.StdEncoding.EncodeToString(sum[:]); got != axeIntegrity {
		t.Fatalf("expected the package with the SHA-512 %s, got %s", axeIntegrity, got)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	for files := tar.NewReader(unzipped); ; {
		file, err := files.Next()
		if err != nil {
			t.Fatalf("expected axe.min.js in the package: %v", err)
		}
		if file.Name == "package/axe.min.js" {
			source, err := io.ReadAll(files)
			if err != nil {
				t.Fatal(err)
			}
			return string(source)
		}
	}
}

func TestConsoleViolatesNoRuleOfAccessibility(t *testing.T) {
	source := axe(t)
	tab := open(t, shared.Console)
	do(t, tab, choose("denied"))
	expectDenied(t, tab, clickSend)
	do(t, tab, typing("package x\n\nallow if input.nobody == y\n"))
	get(t, tab, until[bool](`!!document.querySelector(".gutter .fault")`))
	do(t, tab, script(source))
	for _, scheme := range []string{"light", "dark"} {
		for _, open := range []bool{false, true} {
			for _, width := range []int64{1440, 390} {
				t.Run(fmt.Sprintf("%s, folds open %t, %d", scheme, open, width), func(t *testing.T) {
					do(t, tab, prefer(scheme), fold(open), chromedp.EmulateViewport(width, 900))
					do(t, tab, script(`window.found = undefined; axe.run().then(result => found = JSON.stringify(result.violations.map(v => [v.id, v.nodes.map(n => n.html + " " + n.failureSummary)]), null, 1))`))
					if found := get(t, tab, until[string](`window.found`)); found != "[]" {
						t.Errorf("expected no violation, got %s", found)
					}
				})
			}
		}
	}
}
