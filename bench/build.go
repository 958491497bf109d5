package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"account-api/bench/function"
	"account-api/local/build"
)

// executables are what is measured as a process.
type executables struct {
	hello, helloOne, authorizer, profile function.Executable // helloOne: hello on one processor
	node                                 function.Executable // empty Path: node is not there
	capture                              string              // prints what the stack declares
	tests                                map[string]string   // a handler's benchmarks, by its directory
}

// deployed are the flags with which handlers are built for Lambda; here for this machine.
var deployed = []string{"-tags=lambda.norpc", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid="}

func (b *bench) build() error {
	b.say("building what is measured")
	dir, err := filepath.Abs(filepath.Join(outputs, "bin"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	executable := func(name string) string { return filepath.Join(dir, name) }
	for _, program := range []struct{ name, module, source string }{
		{"hello", "bench", "./peers/hello"},
		{"authorizer", ".", "./handlers/authorizer"},
		{"profile", ".", "./handlers/profile"},
	} {
		arguments := append([]string{"build", "-C", program.module, "-o", executable(program.name)}, deployed...)
		if err := b.goCommand(append(arguments, program.source)...); err != nil {
			return err
		}
		if err := rewrite(executable(program.name)); err != nil {
			return err
		}
	}
	one := []string{"GOMAXPROCS=1"} // as the stack declares it for its functions
	b.built = executables{
		hello:      function.Executable{Path: executable("hello")},
		helloOne:   function.Executable{Path: executable("hello"), Env: one},
		authorizer: function.Executable{Path: executable("authorizer"), Env: one},
		profile:    function.Executable{Path: executable("profile"), Env: one},
		capture:    executable("capture"),
		tests:      map[string]string{},
	}
	for _, handler := range []string{"authorizer", "profile"} {
		test := executable(handler + ".test")
		if err := b.goCommand("test", "-c", "-tags=lambda.norpc", "-o", test, "./handlers/"+handler); err != nil {
			return err
		}
		b.built.tests[handler] = test
	}
	if node, err := exec.LookPath("node"); err == nil {
		script, err := filepath.Abs("bench/peers/node/authorizer.mjs")
		if err != nil {
			return err
		}
		b.built.node = function.Executable{Path: node, Args: []string{script}}
	} else {
		b.say("node is not installed: its rows are left out")
	}
	// As the local run builds it, so that what it compiled is used.
	return build.Packages(b.ctx, build.Options{Root: ".", Out: dir}, "./local/capture")
}

// piece is how much of an executable is written at once, as by a program that unpacks an
// archive: that is how the file has come to where Lambda runs it.
const piece = 32 << 10

// rewrite writes an executable once more, from start to end. The linker writes a file
// through a memory map. How the system caches the pages of a file depends on how it was
// written, and so do what it costs to start the program in it and its resident memory: up
// to a fifth of either, from one build to the next.
func rewrite(executable string) error {
	content, err := os.ReadFile(executable)
	if err != nil {
		return err
	}
	if err := os.Remove(executable); err != nil {
		return err
	}
	file, err := os.OpenFile(executable, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(content, piece) {
		if _, err := file.Write(part); err != nil {
			file.Close()
			return err
		}
	}
	return file.Close()
}

func (b *bench) goCommand(arguments ...string) error {
	cmd := exec.CommandContext(b.ctx, "go", arguments...)
	cmd.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s\ngo %s: %w", output, strings.Join(arguments, " "), err)
	}
	return nil
}
