package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"account-api/local/build"
	"account-api/local/console"
	"account-api/local/gateway"
	"account-api/local/lambda"
	"account-api/local/trace"
)

// report writes what a developer reads while the stack runs: addresses and commands
// first, then a line per request. Progress goes to status, so that a script can read out.
type report struct {
	mu          sync.Mutex
	out, status io.Writer
	verbose     bool

	begun    time.Time // of compiling
	lastLine time.Time // of progress
	inPlace  bool      // status is a terminal: progress overwrites itself
	coloured bool      // out is one, and nobody asked for no colour

	log     *os.File // has what functions write; nil before the first build
	logPath string   // of log, from here if that is shorter
	logged  int64    // bytes
}

// logName is the file of what the functions of a run write. It has the claims of denied
// callers, and is removed at the end of the run.
const logName = "functions.log"

// maxLog is the size at which the functions' log begins anew.
const maxLog = 16 << 20

// logTo opens the functions' log.
func (r *report) logTo(file string) (err error) {
	r.logPath = file
	if here, err := os.Getwd(); err == nil {
		if path, err := filepath.Rel(here, file); err == nil && filepath.IsLocal(path) {
			r.logPath = path
		}
	}
	r.log, err = os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	return err
}

// close closes the functions' log.
func (r *report) close() error {
	if r.log == nil {
		return nil
	}
	return r.log.Close()
}

// progressEvery is how often progress is written where it cannot overwrite itself.
const progressEvery = 5 * time.Second

func newReport(out, status io.Writer, verbose bool) *report {
	return &report{out: out, status: status, verbose: verbose, inPlace: isTerminal(status), coloured: isTerminal(out) && wantsColour(os.Getenv)}
}

// wantsColour reports whether programs may colour their output: https://no-color.org/
func wantsColour(getenv func(string) string) bool {
	return getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
}

// ANSI codes.
const (
	bold   = "1"
	red    = "31"
	green  = "32"
	yellow = "33"
)

func (r *report) paint(code, text string) string {
	if !r.coloured {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// colourOf is the colour of an answer.
func colourOf(status int) string {
	switch {
	case status >= http.StatusInternalServerError:
		return red
	case status >= http.StatusBadRequest:
		return yellow
	}
	return green
}

// commandLine is a line to paste.
var commandLine = regexp.MustCompile(`(?m)^  (\w+=\$\()?curl .*$`)

// commands are the commands that call the stack.
func (r *report) commands(s console.Stack) string {
	var b strings.Builder
	writeCommands(&b, s)
	return r.emphasize(b.String())
}

// emphasize makes the lines to paste stand out.
func (r *report) emphasize(text string) string {
	return commandLine.ReplaceAllStringFunc(text, func(line string) string { return r.paint(bold, line) })
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// compiling writes how far the first build is.
func (r *report) compiling(p build.Progress) {
	now := time.Now()
	if r.begun.IsZero() {
		r.begun, r.lastLine = now, now.Add(-progressEvery)
		fmt.Fprintln(r.status, "Compiling what changed (the Pulumi SDK takes minutes the first time on a machine, seconds after that).")
	}
	done := ""
	if p.All > 0 {
		done = fmt.Sprintf(" %d %% done", 100*p.Done/p.All)
	}
	text := fmt.Sprintf("compiling,%s after %v: %s", done, now.Sub(r.begun).Round(time.Second), p.Package)
	if r.inPlace {
		fmt.Fprintf(r.status, "\r\x1b[K%.110s", text)
	} else if now.Sub(r.lastLine) >= progressEvery {
		r.lastLine = now
		fmt.Fprintln(r.status, text)
	}
}

// compiled ends the progress, and clears its line.
func (r *report) compiled() {
	if r.inPlace && !r.begun.IsZero() {
		fmt.Fprint(r.status, "\r\x1b[K")
	}
}

// started writes the addresses of the stack, and commands that call it.
func (r *report) started(l *localStack) error {
	var b strings.Builder
	s := l.described()
	fmt.Fprintf(&b, "%s, stack %s, on this machine. Ctrl-C stops it; saving a file reloads it.\n\n", s.Project, s.Name)
	fmt.Fprintf(&b, "  API     %s\n", s.Endpoint().URL)
	if s.IssuerURL != "" {
		fmt.Fprintf(&b, "  issuer  %s\n", s.IssuerURL)
	}
	if l.cloud.text != "" {
		fmt.Fprintf(&b, "  AWS     %s; not for the authorizer\n", l.cloud.text)
	}
	fmt.Fprintf(&b, "  console http://%s/\n", l.terminal.Addr())
	if len(s.Endpoints) > 1 {
		fmt.Fprint(&b, "\nEndpoints:\n\n")
		for _, e := range s.Endpoints {
			fmt.Fprintf(&b, "  %-7s %s\n", e.Method, e.URL)
		}
	}
	fmt.Fprint(&b, "\nTry it from another terminal. ", r.commands(s))
	for _, warning := range l.stack.now().graph.Warnings {
		fmt.Fprintf(&b, "\nThe program warns: %s\n", warning)
	}
	if len(l.lent) > 0 {
		fmt.Fprintf(&b, "\nNot as on AWS: the function with %s has %s of this terminal. There it trusts public CAs only and knows no proxy.\n",
			issuerVariable, strings.Join(l.lent, ", "))
	}
	for _, finding := range l.stack.now().gateway.Findings() {
		fmt.Fprintf(&b, "\nBefore this is deployed: %s\n", finding)
	}
	fmt.Fprintln(&b)
	r.mu.Lock()
	defer r.mu.Unlock()
	_, err := io.WriteString(r.out, b.String())
	return err
}

// changed writes what is new in the endpoints, and in the commands that call them.
func (r *report) changed(before, after console.Stack) {
	var b strings.Builder
	if writeChanges(&b, before, after); b.Len() > 0 {
		r.write("\n" + r.emphasize(b.String()) + "\n")
	}
}

// noExamples reports why example callers are not known.
func (r *report) noExamples(err error) { r.block("No example callers of the policies.", err) }

// maxPath bounds a path on the line of its request, in bytes.
const maxPath = 200

// exchange writes a line per request: which hop answered, and why. If verbose, each hop
// has a line too.
func (r *report) exchange(e gateway.Exchange) {
	var b strings.Builder
	if short := cut(e.Path, maxPath); short != e.Path {
		// A reason may have it in a method ARN.
		e.Reason = strings.ReplaceAll(e.Reason, strings.TrimPrefix(e.Path, "/"), strings.TrimPrefix(short, "/"))
		e.Path = short
	}
	fmt.Fprintf(&b, "%s %s (%v)\n", e.Time.Format(time.TimeOnly), r.paint(colourOf(e.Status), e.String()), e.Duration.Round(100*time.Microsecond))
	if r.verbose {
		for _, step := range e.Steps {
			fmt.Fprintf(&b, "%s%-12s %s\n", indent, step.Hop, step.Detail)
		}
	} else {
		if e.Browser != "" {
			fmt.Fprintf(&b, "%sa browser keeps this from its page: %s\n", indent, e.Browser)
		}
		for _, step := range e.Steps {
			switch step.Hop {
			case testsHop:
				fmt.Fprintf(&b, "%s%s\n", indent, step.Detail)
			case gateway.Differs:
				fmt.Fprintf(&b, "%s%s: %s\n", indent, step.Hop, step.Detail)
			case placeHop, logHop:
				fmt.Fprintf(&b, "%s%s %s\n", indent, step.Hop, step.Detail)
			}
		}
	}
	r.write(b.String())
}

// indent is as wide as the time of day at the start of a line.
const indent = "         "

// line writes what a function logs to its file, and to the terminal if verbose. The terminal
// does without the platform's lines about the start and end of an invocation: the steps of
// the request say more.
func (r *report) line(l lambda.Line) {
	r.toLog(fmt.Sprintf("%s %s %s\n", time.Now().Format(time.RFC3339), l.Function, l.Text))
	if !r.verbose || l.Platform && !strings.HasPrefix(l.Text, "REPORT") && !strings.HasPrefix(l.Text, "INIT_REPORT") {
		return
	}
	r.write(fmt.Sprintf("%s%s | %s\n", indent, l.Function, l.Text))
}

func (r *report) toLog(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.log == nil {
		return
	}
	if r.logged > maxLog {
		r.log.Truncate(0)
		r.log.Seek(0, io.SeekStart)
		r.logged = 0
	}
	n, _ := r.log.WriteString(trace.WithoutTokens(line)) // a full disk does not stop the API
	r.logged += int64(n)
}

// debugging says how to attach a debugger to a function's process.
func (r *report) debugging(function string, pid int) {
	text := fmt.Sprintf("%s runs as process %d, without a time limit: dlv attach %d\n", function, pid, pid)
	if scope, err := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope"); err == nil && strings.TrimSpace(string(scope)) != "0" && os.Geteuid() != 0 {
		text += indent + "(Linux lets root attach, or everybody after: sudo sysctl kernel.yama.ptrace_scope=0)\n"
	}
	r.write(text)
}

// broken reports a function that cannot answer.
func (r *report) broken(err error) { r.block("The stack cannot answer as it is.", err) }

// notReloaded reports why a change does not serve.
func (r *report) notReloaded(err error) {
	r.block("Not reloaded: the version before keeps serving.", err)
}

// block writes an error of several lines so that it stands out between requests.
func (r *report) block(headline string, err error) {
	text := strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "\n"+indent+"| ")
	r.write(fmt.Sprintf("\n%s %s\n%s| %s\n\n", time.Now().Format(time.TimeOnly), r.paint(red, headline), indent, text))
}

// reloaded reports how far a reload is, or what serves from now on.
func (r *report) reloaded(what string) {
	r.write(fmt.Sprintf("%s %s\n", time.Now().Format(time.TimeOnly), what))
}

// findings writes what is new in a changed declaration and would go wrong in the cloud.
func (r *report) findings(found, before []gateway.Finding) {
	for _, finding := range unseen(found, before) {
		r.write(fmt.Sprintf("%sbefore this is deployed: %s\n", indent, finding))
	}
}

// warnings writes what is new in what the program warns of.
func (r *report) warnings(found, before []string) {
	for _, warning := range found {
		if !slices.Contains(before, warning) {
			r.write(fmt.Sprintf("%sthe program warns: %s\n", indent, warning))
		}
	}
}

// write adds to the output. If that fails there is nowhere to report it.
func (r *report) write(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	io.WriteString(r.out, trace.WithoutTokens(text))
}

func (r *report) stopping() {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintln(r.status, "\nStopping.")
}
