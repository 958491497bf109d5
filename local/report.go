package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"account-api/local/build"
	"account-api/local/gateway"
	"account-api/local/issuer"
	"account-api/local/lambda"
)

// report is what a developer reads while the stack runs: addresses and commands
// first, then a line per request. Progress goes to status, so that out stays what a
// script can read.
type report struct {
	mu          sync.Mutex
	out, status io.Writer
	verbose     bool

	begun    time.Time // of compiling
	lastLine time.Time // of progress
	inPlace  bool      // status is a terminal: progress overwrites itself
	complete bool      // the first build is over: later ones are seconds, and need no progress
}

// progressEvery is how often progress is written where it cannot overwrite itself.
const progressEvery = 5 * time.Second

func newReport(out, status io.Writer, verbose bool) *report {
	return &report{out: out, status: status, verbose: verbose, inPlace: isTerminal(status)}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// compiling says how far a build is, from the second package on: a build of one or
// two is over before anybody could read it.
func (r *report) compiling(p build.Progress) {
	if r.complete {
		return
	}
	now := time.Now()
	if r.begun.IsZero() {
		r.begun, r.lastLine = now, now.Add(-progressEvery)
		fmt.Fprintln(r.status, "Compiling what changed (the Pulumi SDK takes minutes the first time on a machine, seconds after that).")
	}
	of := ""
	if p.AtMost > 0 {
		of = fmt.Sprintf(" of at most %d", p.AtMost)
	}
	text := fmt.Sprintf("compiling package %d%s, %v: %s", p.Compiled, of, now.Sub(r.begun).Round(time.Second), p.Package)
	if r.inPlace {
		fmt.Fprintf(r.status, "\r\x1b[K%.110s", text)
	} else if now.Sub(r.lastLine) >= progressEvery {
		r.lastLine = now
		fmt.Fprintln(r.status, text)
	}
}

// compiled ends the progress, and clears its line.
func (r *report) compiled() {
	r.complete = true
	if r.inPlace && !r.begun.IsZero() {
		fmt.Fprint(r.status, "\r\x1b[K")
	}
}

// started tells where the stack is and how to call it.
func (r *report) started(l *localStack) error {
	var b strings.Builder
	s := l.described()
	url := s.URL
	fmt.Fprintf(&b, "%s, stack %s, on this machine. Ctrl-C stops it; saving a file reloads it.\n\n", s.Project, s.Name)
	fmt.Fprintf(&b, "  API     %s\n", url)
	fmt.Fprintf(&b, "  issuer  %s\n", s.IssuerURL)
	fmt.Fprintf(&b, "  console http://%s/\n", l.terminal.Addr())
	fmt.Fprintf(&b, "\nTry it from another terminal. No token, 401:\n\n  curl -i %s\n", url)
	if err := l.writeTokenCommands(&b, url); err != nil {
		return err
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

// writeTokenCommands adds commands that paste as they are, with tokens that only
// this run's issuer can have made and that nothing else accepts.
func (l *localStack) writeTokenCommands(b *strings.Builder, url string) error {
	i, audience := l.issuer.Load(), audience(l.stack.now().graph)
	if i == nil {
		fmt.Fprintf(b, "\nWith a token of that issuer for %s:\n\n  curl -i -H \"Authorization: Bearer $TOKEN\" %s\n", audience, url)
		return nil
	}
	scopes := strings.Fields(l.settings.scopes)
	if len(scopes) > 1 {
		last := scopes[len(scopes)-1]
		token, err := i.Token(issuer.TokenRequest{Scopes: []string{last}})
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "\nA token with nothing but the scope %s:\n\n  curl -i -H 'Authorization: Bearer %s' %s\n", last, token, url)
	}
	token, err := i.Token(issuer.TokenRequest{})
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "\nA token with every scope (%s):\n\n  curl -i -H 'Authorization: Bearer %s' %s\n", strings.Join(scopes, ", "), token, url)
	fmt.Fprintf(b, "\nA new token, as a client gets one from Auth0:\n\n"+
		"  curl -s %soauth/token -d grant_type=client_credentials -d client_id=%s -d client_secret=%s -d audience=%s -d scope=%s\n",
		l.issuerURL(), issuer.DefaultClientID, issuer.DefaultClientSecret, audience, scopes[0])
	fmt.Fprintf(b, "\nNew keys, as after a rotation:\n\n  curl -s -X POST %srotate\n", l.issuerURL())
	return nil
}

// exchange writes a line per request: who answered, and why. Explained, each hop has
// one of its own.
func (r *report) exchange(e gateway.Exchange) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s (%v)\n", e.Time.Format(time.TimeOnly), e, e.Duration.Round(100*time.Microsecond))
	if r.verbose {
		for _, step := range e.Steps {
			fmt.Fprintf(&b, "%s%-12s %s\n", indent, step.Hop, step.Detail)
		}
	} else if e.Browser != "" {
		fmt.Fprintf(&b, "%sa browser keeps this from its page: %s\n", indent, e.Browser)
	}
	r.write(b.String())
}

// indent puts what explains a line below it: it is as wide as the time of day before it.
const indent = "         "

// line passes on what a function writes, if asked to. The lines that only say that an
// invocation begins or ends are left out: the steps of the request say more.
func (r *report) line(l lambda.Line) {
	if !r.verbose || l.Platform && !strings.HasPrefix(l.Text, "REPORT") && !strings.HasPrefix(l.Text, "INIT_REPORT") {
		return
	}
	r.write(fmt.Sprintf("%s%s | %s\n", indent, l.Function, l.Text))
}

// broken says that a function of the stack cannot answer.
func (r *report) broken(err error) { r.block("The stack cannot answer as it is.", err) }

// notReloaded says why what was saved does not serve.
func (r *report) notReloaded(err error) {
	r.block("Not reloaded: the version before keeps serving.", err)
}

// block writes an error of several lines so that it stands out between requests.
func (r *report) block(headline string, err error) {
	text := strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "\n"+indent+"| ")
	r.write(fmt.Sprintf("\n%s %s\n%s| %s\n\n", time.Now().Format(time.TimeOnly), headline, indent, text))
}

// reloaded says what serves from now on.
func (r *report) reloaded(what string) {
	r.write(fmt.Sprintf("%s %s\n", time.Now().Format(time.TimeOnly), what))
}

// findings warns of what a changed declaration would meet in the cloud.
func (r *report) findings(found, before []gateway.Finding) {
	for _, finding := range unseen(found, before) {
		r.write(fmt.Sprintf("%sbefore this is deployed: %s\n", indent, finding))
	}
}

// write adds to the output. Nobody is left to tell when that fails.
func (r *report) write(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	io.WriteString(r.out, text)
}

func (r *report) stopping() {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintln(r.status, "\nStopping.")
}
