package bundle

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// checkLambda is an error unless the file is an executable for arm64 that needs no dynamic
// loader.
func checkLambda(executable string) error {
	file, err := elf.Open(executable)
	if format := (*elf.FormatError)(nil); errors.As(err, &format) {
		// For a package that is not main, the go command writes an archive without an error.
		return errors.New("expected package main, got a library")
	}
	if err != nil {
		return err
	}
	defer file.Close()
	if file.Machine != elf.EM_AARCH64 {
		return fmt.Errorf("expected an executable for %v, got one for %v", elf.EM_AARCH64, file.Machine)
	}
	for _, segment := range file.Progs {
		if segment.Type == elf.PT_INTERP {
			return errors.New("expected a static executable, got one that asks for a dynamic loader")
		}
	}
	return nil
}

// replace writes a file atomically. If the file has the content already, only its mode is
// set.
func replace(path string, content []byte) error {
	const mode = 0o644
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
		return os.Chmod(path, mode) // which does not touch the modification time
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	// In the same directory, because a rename is atomic within one file system only. A kill
	// leaves at most a hidden file.
	next, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(next.Name()) // fails once it is renamed
	_, err = next.Write(content)
	if err := errors.Join(err, next.Close()); err != nil {
		return err
	}
	if err := os.Chmod(next.Name(), mode); err != nil {
		return err
	}
	return os.Rename(next.Name(), path)
}
