package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Only the policy knows which scope it takes.
func TestNoScopeInGo(t *testing.T) {
	for _, pattern := range []string{"*.go", "../../internal/endpoint/*.go", "../../internal/decision/*.go"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: got files %q, error %v", pattern, names, err)
		}
		for _, name := range names {
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(name, "_test.go") && bytes.Contains(source, []byte("get:profile")) {
				t.Errorf("%s names a scope: that belongs in policies/profile", name)
			}
		}
	}
}
