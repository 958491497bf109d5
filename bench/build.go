package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	b.built = executables{
		hello:      function.Executable{Path: executable("hello")},
		helloOne:   function.Executable{Path: executable("hello"), Env: []string{"GOMAXPROCS=1"}},
		authorizer: function.Executable{Path: executable("authorizer")},
		profile:    function.Executable{Path: executable("profile")},
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
	return build.Packages(b.ctx, build.Options{Root: ".", Out: dir, Packages: []string{"./local/capture"}})
}

// rewrite writes an executable once more, in one piece. The linker writes a file through
// a memory map; how the system caches the pages of such a file, and so what it costs to
// start the program in it, differs from build to build by up to a fifth.
func rewrite(executable string) error {
	content, err := os.ReadFile(executable)
	if err != nil {
		return err
	}
	if err := os.Remove(executable); err != nil {
		return err
	}
	return os.WriteFile(executable, content, 0o755)
}

func (b *bench) goCommand(arguments ...string) error {
	cmd := exec.CommandContext(b.ctx, "go", arguments...)
	cmd.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s\ngo %s: %w", output, strings.Join(arguments, " "), err)
	}
	return nil
}
