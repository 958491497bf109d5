// Package bundle compiles one of this project's handlers and its policy, and packs it as a
// Lambda deployment package: a zip with one executable, bootstrap, for the custom runtime
// provided.al2023 on arm64. The Pulumi program calls it before it declares a function, so a
// preview shows what is in the source tree. The package refuses a handler or a policy that
// does not compile, and neither uploads nor signs.
//
// # What is guaranteed
//
// The same source files, go.mod and go.sum give a zip with the same SHA-256 in any
// directory, on any machine, for any user, at any commit. Pulumi identifies a zip by the
// hash of its bytes, so a preview shows a change of code only if there is one. To that end
//
//   - both the compiler and the compressor are those of the toolchain that go.mod
//     names, wherever the calling program came from: see [Build];
//   - no GO… or CGO_… setting of the developer reaches the compiler, except those that say
//     where downloads and caches are;
//   - of the policies it has what its handler carries and no test: see package ruleset;
//   - the executable has neither paths, nor version control stamps, nor a build ID;
//   - the zip has a fixed time, a fixed mode and nothing but the executable.
//
// # What is not
//
// Another toolchain line in go.mod gives other bytes. So do other bytes in a source file: a
// checkout that converts line ends is another source.
package bundle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"account-api/internal/decision"
)

// Options says what to build, and where to put it.
type Options struct {
	// Root is the directory of the module: the one with go.mod. "" is the current
	// directory.
	Root string
	// Package is the directory of a main package below Root, with forward slashes,
	// e.g. "handlers/orders".
	Package string
	// Out is the file to write, relative to the current directory or absolute.
	// Missing directories above it are made.
	Out string
	// Stack is the stack that the package is for: a policy that reads a claim which the
	// stack does not pass on is refused. Without a name, the claims of all stacks count.
	Stack decision.Stack
	// Progress gets one line, in one Write, for every step that may take long. It
	// is for people. nil discards it.
	Progress io.Writer
}

// Bundle is a deployment package on disk.
type Bundle struct {
	Path   string // Options.Out, as given: an absolute path would differ by machine
	SHA256 string // of the file's bytes, in lower-case hexadecimal
	Size   int64  // of the file, in bytes
}

// Build compiles the package for Lambda, linux/arm64 without cgo, and writes the
// deployment package to Out. Before that it compiles the handler's policy as the handler
// will, so that none ships that the handler refuses.
//
// Out is replaced atomically, and only if its bytes change. An unchanged package keeps its
// modification time. Builds may run at the same time, also in several processes. If Build
// fails or is killed, Out is what it was.
//
// The toolchain is the one on go.mod's toolchain line, or else on its go line. The go command
// downloads and verifies it if it is not its own (https://go.dev/doc/toolchain). The same
// toolchain gives the same output on every host (https://go.dev/blog/rebuild). Another
// release may not: Go 1.27 changed what compress/flate writes (https://go.dev/doc/go1.27).
// So the compressor runs under that toolchain too, not in the calling program.
//
// An error names the package. If it or its policy does not compile, the error begins with
// the compiler's own lines.
func Build(ctx context.Context, o Options) (Bundle, error) {
	bundle, err := build(ctx, o)
	if err != nil {
		return Bundle{}, o.explain(ctx, err)
	}
	return bundle, nil
}

func build(ctx context.Context, o Options) (Bundle, error) {
	if err := o.check(); err != nil {
		return Bundle{}, err
	}
	if err := o.CheckPolicy(ctx); err != nil {
		return Bundle{}, err
	}
	tools, err := pinned(ctx, o)
	if err != nil {
		return Bundle{}, err
	}
	work, err := os.MkdirTemp("", "bundle-")
	if err != nil {
		return Bundle{}, err
	}
	defer os.RemoveAll(work)

	overlay := filepath.Join(work, "overlay.json")
	if err := hideForeignPolicies(overlay, o.Root, path.Base(o.Package)); err != nil {
		return Bundle{}, err
	}
	executable := filepath.Join(work, "bootstrap")
	o.progress("compiling %s for linux/arm64 with %s", o.Package, tools.version)
	if err := tools.compile(ctx, executable, overlay, o.Package); err != nil {
		return Bundle{}, err
	}
	if err := checkLambda(executable); err != nil {
		return Bundle{}, err
	}
	packed := filepath.Join(work, "bundle.zip")
	o.progress("packing %s", o.Package)
	if err := tools.pack(ctx, work, executable, packed); err != nil {
		return Bundle{}, err
	}
	content, err := os.ReadFile(packed)
	if err != nil {
		return Bundle{}, err
	}
	if err := replace(o.Out, content); err != nil {
		return Bundle{}, err
	}
	sum := sha256.Sum256(content)
	return Bundle{Path: o.Out, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(content))}, nil
}

// check refuses a package that the go command would not take for a directory of the module,
// such as a flag, a pattern or a path out of the module.
func (o Options) check() error {
	switch {
	case o.Package == "" || o.Package != path.Clean(o.Package) || !filepath.IsLocal(filepath.FromSlash(o.Package)) ||
		strings.ContainsAny(o.Package, `\@*`) || strings.Contains(o.Package, "..."):
		return fmt.Errorf("expected the directory of a main package below the module, like handlers/orders, got %q", o.Package)
	case o.Out == "":
		return errors.New("expected a file to write to, got none")
	}
	if _, err := os.Stat(filepath.Join(o.Root, "go.mod")); err != nil {
		return fmt.Errorf("expected go.mod in the module's root: %w", err)
	}
	return nil
}

// explain names the package, after a compiler's lines if there are any. If ctx has ended, it
// says so.
func (o Options) explain(ctx context.Context, err error) error {
	var (
		failed  *commandError
		refused policyError
	)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("bundle %s: stopped: %w", o.Package, context.Cause(ctx))
	case errors.As(err, &failed) && failed.output != "":
		return fmt.Errorf("%s\nbundle %s: %w", failed.output, o.Package, err)
	case errors.As(err, &refused):
		return fmt.Errorf("%w\nbundle %s: the handler would refuse this policy and answer 500", err, o.Package)
	default:
		return fmt.Errorf("bundle %s: %w", o.Package, err)
	}
}

func (o Options) progress(format string, args ...any) {
	if o.Progress != nil {
		fmt.Fprintf(o.Progress, format+"\n", args...)
	}
}
