package reload

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"account-api/local/build"
)

// Release is the executables of one build: package, as it was asked for, to path. Nothing
// is written to these paths again.
type Release map[string]string

// Builds makes releases for one run of the stack. Its methods must not be called
// concurrently. Other runs may use the same directory at the same time.
//
// The go command writes into a directory of this run. It begins with what the previous
// run built, so that only what has changed is linked again. A release is a second name
// for the same file. A later build gives the first name to a new file. So a process that
// is started meanwhile finds a whole executable, the old or the new one.
type Builds struct {
	options build.Options
	shared  string // the latest executables, of any run
	dir     string // of this run
}

// runPrefix begins the name of a run's directory. The run's process ID follows.
const runPrefix = "run-"

// NewBuilds prepares to build. o.Out keeps the latest executables for the next run, and
// holds this run's directory until Close. NewBuilds removes the directories of runs that
// were killed.
func NewBuilds(o build.Options) (*Builds, error) {
	b := &Builds{options: o, shared: o.Out}
	if err := os.MkdirAll(b.shared, 0o755); err != nil {
		return nil, err
	}
	if err := removeDead(b.shared); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(b.shared, runPrefix+strconv.Itoa(os.Getpid())+"-")
	if err != nil {
		return nil, err
	}
	b.dir = dir
	b.options.Out = filepath.Join(dir, "latest")
	if err := os.Mkdir(b.options.Out, 0o755); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// Build compiles those packages that have changed. Executables of the same content have
// the same path in every release. If some groups do not compile, the release has the others,
// and the error is that of [build.Packages].
func (b *Builds) Build(ctx context.Context, groups ...build.Group) (Release, error) {
	named := map[string]string{}
	for _, g := range groups {
		for _, p := range g.Packages() {
			name := path.Base(p)
			if other, taken := named[name]; taken && other != p {
				return nil, fmt.Errorf("expected packages whose directories differ in their last name, got %s and %s: rename one", other, p)
			}
			named[name] = p
		}
	}
	for name := range named {
		// Without the previous run's executable this one is linked again, no more.
		_ = link(filepath.Join(b.shared, name), filepath.Join(b.options.Out, name))
	}
	failed := build.Packages(ctx, b.options, groups...)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	release := Release{}
	for name, p := range named {
		if build.Failed(failed, p) {
			continue
		}
		executable, err := b.release(name)
		if err != nil {
			return nil, err
		}
		release[p] = executable
	}
	return release, failed
}

// release gives an executable a path of its own, unless it has one already.
func (b *Builds) release(name string) (string, error) {
	built := filepath.Join(b.options.Out, name)
	sum, err := checksum(built)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(b.dir, sum)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	executable, shared := filepath.Join(dir, name), filepath.Join(b.shared, name)
	if err := os.Remove(shared); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return executable, errors.Join(link(built, executable), link(built, shared))
}

// Quiet ends the reports of progress. Counting the packages takes as long as loading them.
func (b *Builds) Quiet() { b.options.Progress = nil }

// Dir is this run's directory. A later run removes it if this one is killed.
func (b *Builds) Dir() string { return b.dir }

// Close removes every release. It may be called more than once.
func (b *Builds) Close() error { return os.RemoveAll(b.dir) }

// checksum is the first half of a file's SHA-256: enough to tell the builds of one run
// apart.
func checksum(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read %s: %w", file, err)
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

// link gives a file a second name, unless the name is taken. It copies only where the file
// system has no links: a process that is forked while this one writes an executable keeps it
// open for writing, and it cannot be executed meanwhile (https://go.dev/issue/22315).
func link(from, to string) error {
	if err := os.Link(from, to); err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o755)
}

// removeDead removes the directories of runs whose process is gone, and ends the processes
// that such a run has left.
func removeDead(shared string) error {
	left, _ := filepath.Glob(filepath.Join(shared, runPrefix+"*")) // the pattern is well-formed
	for _, dir := range left {
		id, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), runPrefix), "-")
		pid, err := strconv.Atoi(id)
		if err != nil || !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) { // signal 0 only looks: kill(2)
			continue
		}
		if err := errors.Join(endOrphans(dir), os.RemoveAll(dir)); err != nil {
			return err
		}
	}
	return nil
}
