package running

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Read returns the content of a file.
func Read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// Write writes a file, and the directories above it.
func Write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Edit replaces a text in a file, which has to be there.
func Edit(t *testing.T, file, from, to string) {
	t.Helper()
	content := Read(t, file)
	if !strings.Contains(content, from) {
		t.Fatalf("expected %q in %s", from, file)
	}
	Write(t, file, strings.ReplaceAll(content, from, to))
}
