package bundle

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// goCommand is the go command with all settings that decide what it writes.
type goCommand struct {
	path     string    // of the executable
	version  string    // of the toolchain, e.g. "go1.26.8"; "" if it is not pinned
	root     string    // of the module
	env      []string  // the whole environment
	progress io.Writer // for downloads; may be nil
}

// downloadSettings are the variables of the environment, or of `go env -w`, that say where
// modules, toolchains and caches are. They decide whether a build works, not what it
// writes: go.sum and the checksum database verify downloads.
// Names and meaning: https://pkg.go.dev/cmd/go#hdr-Environment_variables
var downloadSettings = []string{
	"GOAUTH", "GOCACHE", "GOCACHEPROG", "GOINSECURE", "GOMODCACHE", "GONOPROXY",
	"GONOSUMDB", "GOPATH", "GOPRIVATE", "GOPROXY", "GOSUMDB", "GOTMPDIR", "GOVCS",
}

// lambdaSettings decide what a build writes. Settings that are not listed have the
// toolchain's default: GOENV=off hides `go env -w`, and inherited GO… variables are dropped.
var lambdaSettings = []string{
	"GOENV=off",
	"GO111MODULE=on",
	"GOWORK=off",            // a go.work next door would replace go.mod's versions
	"GOFLAGS=-mod=readonly", // dependencies are those of go.mod and go.sum, or it is an error
	"GOOS=linux",            // Lambda's provided.al2023 is Amazon Linux
	"GOARCH=arm64",          // the architecture that the functions declare
	"GOARM64=v8.0",          // the baseline: Lambda promises arm64 and no later revision
	"CGO_ENABLED=0",         // one static file: no C compiler here, no libc there
	"GOFIPS140=off",
}

// releaseName matches the name of a released toolchain: https://go.dev/doc/toolchain#name
var releaseName = regexp.MustCompile(`^go1\.[0-9]+(\.[0-9]+|rc[0-9]+)$`)

// pinned returns the go command for the deployment package.
func pinned(ctx context.Context, o Options) (*goCommand, error) {
	path, err := exec.LookPath("go")
	if err != nil {
		return nil, fmt.Errorf("expected the go command on PATH: %w: install Go from https://go.dev/dl", err)
	}
	// Reading settings must not download a toolchain, nor fail because of an experiment that
	// this toolchain does not know.
	c := &goCommand{path: path, root: o.Root, env: append(os.Environ(), "GOTOOLCHAIN=local", "GOEXPERIMENT=none"), progress: o.Progress}
	var settings map[string]string
	if err := c.ask(ctx, &settings, append([]string{"env", "-json"}, downloadSettings...)...); err != nil {
		return nil, err
	}
	c.env = controlled(os.Environ(), settings)
	c.version, err = c.toolchain(ctx)
	if err != nil {
		return nil, err
	}
	c.env = append(c.env, "GOTOOLCHAIN="+c.version)
	return c, nil
}

// controlled returns the inherited environment with our settings of the go command and of
// the C compiler instead of the developer's. It drops GOROOT too: `go run` sets it for its
// children, which would then use another toolchain's standard library.
func controlled(inherited []string, settings map[string]string) []string {
	var env []string
	for _, variable := range inherited {
		// Upper case, because Windows ignores case in names of variables. GOOGLE_… is not a
		// setting of Go. A module proxy may need it.
		name := strings.ToUpper(variable)
		if strings.HasPrefix(name, "GOOGLE_") || !strings.HasPrefix(name, "GO") && !strings.HasPrefix(name, "CGO_") {
			env = append(env, variable)
		}
	}
	for _, name := range downloadSettings {
		if value := settings[name]; value != "" {
			env = append(env, name+"="+value)
		}
	}
	return append(env, lambdaSettings...)
}

// toolchain returns the name of the toolchain that go.mod asks for.
func (c *goCommand) toolchain(ctx context.Context) (string, error) {
	var mod struct{ Go, Toolchain string }
	reader := *c
	reader.env = append(c.env[:len(c.env):len(c.env)], "GOTOOLCHAIN=local")
	if err := reader.ask(ctx, &mod, "mod", "edit", "-json"); err != nil {
		return "", err
	}
	name := mod.Toolchain
	if name == "" {
		name = "go" + mod.Go
	}
	if !releaseName.MatchString(name) {
		return "", fmt.Errorf("expected go.mod to name a released toolchain, like go1.26.8, got %q: run go get toolchain@go1.26.8", name)
	}
	return name, nil
}

// compile builds the package into an executable, from the files as the overlay has them:
// https://pkg.go.dev/cmd/go#hdr-Compile_packages_and_dependencies
func (c *goCommand) compile(ctx context.Context, executable, overlay, pkg string) error {
	// -s -w drops symbols and DWARF, which nothing on Lambda reads. Stack traces keep names
	// and lines. An empty build ID: https://go.dev/issue/59525. The tag leaves out what only
	// the retired go1.x runtime needs: https://github.com/aws/aws-lambda-go.
	return c.run(ctx, c.root, nil, nil, "build", "-trimpath", "-buildvcs=false", "-tags=lambda.norpc", "-ldflags=-s -w -buildid=",
		"-overlay", overlay, "-o", executable, "./"+pkg)
}

// packer is the program that writes the zip, as source: compiled by the pinned
// toolchain, it compresses with that toolchain's compress/flate.
//
//go:embed zip/main.go
var packer []byte

// pack writes executable as a deployment package.
func (c *goCommand) pack(ctx context.Context, work, executable, zip string) error {
	source := filepath.Join(work, "main.go")
	if err := os.WriteFile(source, packer, 0o600); err != nil {
		return err
	}
	in, err := os.Open(executable)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(zip)
	if err != nil {
		return err
	}
	defer out.Close()
	hosted := *c
	hosted.env = append(c.env[:len(c.env):len(c.env)], "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	// -trimpath makes the packer independent of its directory, so that go run finds
	// it in the build cache from the second time on.
	if err := hosted.run(ctx, work, in, out, "run", "-trimpath", "main.go"); err != nil {
		return err
	}
	return out.Close()
}

// ask runs a go command that prints JSON.
func (c *goCommand) ask(ctx context.Context, answer any, args ...string) error {
	var stdout bytes.Buffer
	if err := c.run(ctx, c.root, nil, &stdout, args...); err != nil {
		return err
	}
	if err := json.Unmarshal(stdout.Bytes(), answer); err != nil {
		return fmt.Errorf("read the answer of go %s: %w", strings.Join(args, " "), err)
	}
	return nil
}

func (c *goCommand) run(ctx context.Context, dir string, stdin io.Reader, stdout io.Writer, args ...string) error {
	var complaints bytes.Buffer
	cmd := exec.CommandContext(ctx, c.path, args...)
	cmd.Dir, cmd.Env = dir, c.env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, lines{c.progress, &complaints}
	// An interrupted go command stops its compilers and removes its temporary files. A killed
	// one does neither, so it is killed only after this delay.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		return &commandError{args: args, output: strings.TrimSpace(complaints.String()), err: err}
	}
	return nil
}

// commandError is a go command that failed.
type commandError struct {
	args   []string
	output string // what it complained about, in its own lines
	err    error
}

func (e *commandError) Error() string {
	switch e.args[0] {
	case "build":
		return "the go command could not compile it: " + e.err.Error()
	case "run":
		return "the go command could not run the packer: " + e.err.Error()
	default:
		return fmt.Sprintf("go %s %s failed: %v", e.args[0], e.args[1], e.err)
	}
}

func (e *commandError) Unwrap() error { return e.err }

// lines sorts the lines that the go command writes to standard error, each in one piece.
// Downloads go to progress at once, everything else is kept for the error.
type lines struct{ progress, rest io.Writer }

func (l lines) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		if !bytes.HasPrefix(line, []byte("go: downloading ")) {
			l.rest.Write(line)
		} else if l.progress != nil {
			l.progress.Write(line)
		}
	}
	return len(p), nil
}
