package main

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
	"time"
)

func TestPackWritesOneExecutableEntry(t *testing.T) {
	entry := unpacked(t, []byte("an executable"))
	if entry.Name != "bootstrap" || entry.Method != zip.Deflate {
		t.Errorf("expected bootstrap, deflated, got %s with method %d", entry.Name, entry.Method)
	}
	const unix = 3 // APPNOTE 4.4.2
	if entry.Mode() != 0o755 || entry.CreatorVersion>>8 != unix {
		t.Errorf("expected mode -rwxr-xr-x from Unix, got %v from creator %d", entry.Mode(), entry.CreatorVersion>>8)
	}
	if want := time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC); !entry.Modified.Equal(want) {
		t.Errorf("expected modification time %v, got %v", want, entry.Modified)
	}
}

func TestPackFailsWhenItCannotReadOrWrite(t *testing.T) {
	broken := errors.New("broken")
	if err := pack(io.Discard, iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("expected the reader's error, got %v", err)
	}
	in, out := io.Pipe()
	in.CloseWithError(broken)
	if err := pack(out, bytes.NewReader([]byte("x"))); !errors.Is(err, broken) {
		t.Errorf("expected the writer's error, got %v", err)
	}
}

func FuzzPack(f *testing.F) {
	f.Add([]byte(""))
	f.Add([]byte("\x7fELF"))
	f.Add(bytes.Repeat([]byte("abc"), 1<<15))
	f.Fuzz(func(t *testing.T, executable []byte) { unpacked(t, executable) })
}

// unpacked packs twice, checks that the bytes are equal and that the only entry has
// what was packed, and returns the entry.
func unpacked(t *testing.T, executable []byte) zip.FileHeader {
	t.Helper()
	var once, again bytes.Buffer
	if err := errors.Join(pack(&once, bytes.NewReader(executable)), pack(&again, iotest.HalfReader(bytes.NewReader(executable)))); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(once.Bytes(), again.Bytes()) {
		t.Fatal("expected the same bytes twice")
	}
	archive, err := zip.NewReader(bytes.NewReader(once.Bytes()), int64(once.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if len(archive.File) != 1 {
		t.Fatalf("expected one entry, got %d", len(archive.File))
	}
	r, err := archive.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(content, executable) {
		t.Fatalf("expected the %d bytes that were packed, got %d, %v", len(executable), len(content), err)
	}
	return archive.File[0].FileHeader
}
