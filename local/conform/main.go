// Command conform asks an API over HTTP whether it answers as its declaration and its
// policies say: the same cases against a deployed stage and against the one that make
// run serves. It is for whoever has just deployed, or changed the local gateway.
//
// What there is to ask comes from the checkout: methods, paths, authorizers and allowed
// origin from what the Pulumi program declares, and what a token gets from the Rego
// policy of each endpoint. It needs no token for most cases; those that do say so.
//
// It also asks what every stage answers as far as that is published: package fidelity has
// those requests, with their sources.
//
// It changes nothing: it calls only GET, HEAD and OPTIONS with a token. It is no load
// test: some hundred requests, one after the other, and a few for each further endpoint.
// It sees a stage from outside: not why, and nothing about logs, alarms or cost. No
// token that it is given is ever written to its output, nor a part of one.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Exit statuses, which docs/operations.md documents.
const (
	exitConforms = 0
	exitDiffers  = 1
	exitNotRun   = 2 // nothing can be said: the command line is wrong, or there is no such API
)

const usage = `usage: make conform URL=https://….amazonaws.com/STAGE [STACK=…] [TOKEN=…] [TOKEN_WITHOUT_SCOPE=…] [FORMAT=json|junit] [V=1]

  -url URL                      the invoke URL of any endpoint, or of the stage
  -stack STACK                  the stack whose declaration says what to ask; without it the
                                one whose stage or domain the URL names, or dev
  -token TOKEN                  a token; the policies in this checkout say what it should get.
                                Better in the environment, as CONFORM_TOKEN, where no list of
                                processes shows it
  -token-without-scope TOKEN    a second token, of a caller who may do less: one that a policy
                                denies. Or CONFORM_TOKEN_WITHOUT_SCOPE
  -graph FILE                   read the declaration from a file that local/capture wrote
  -root DIRECTORY               the checkout; without it the working directory
  -format FORMAT                text, json or junit
  -v                            show the answer to every request, in text

The exit status is 0 if the API conforms, 1 if it differs, and 2 if nothing can be said.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	status := run(ctx, os.Args[1:], os.Getenv, newClient(), os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// settings are what the command line and the environment say.
type settings struct {
	target             target
	stack, graph, root string
	tokens             [2]token // TOKEN and TOKEN_WITHOUT_SCOPE
	verbose            bool
	format             string
}

// run runs every case and returns the exit status.
func run(ctx context.Context, arguments []string, getenv func(string) string, client *http.Client, out, status io.Writer) int {
	s, err := parse(arguments, getenv)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(out, usage)
		return exitConforms
	}
	differs := 0
	if err == nil {
		differs, err = conform(ctx, s, client, out, status)
	}
	switch {
	case err != nil:
		fmt.Fprintln(status, "error:", newRedactor(s.tokens[:]...).Replace(err.Error()))
		return exitNotRun
	case differs > 0:
		return exitDiffers
	}
	return exitConforms
}

func parse(arguments []string, getenv func(string) string) (settings, error) {
	s := settings{tokens: [2]token{{variable: "TOKEN"}, {variable: "TOKEN_WITHOUT_SCOPE"}}}
	flags := flag.NewFlagSet("conform", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // its messages repeat values, and one of them may be a token
	address := flags.String("url", "", "")
	flags.StringVar(&s.stack, "stack", "", "")
	flags.StringVar(&s.graph, "graph", "", "")
	flags.StringVar(&s.root, "root", ".", "")
	flags.StringVar(&s.tokens[0].value, "token", "", "")
	flags.StringVar(&s.tokens[1].value, "token-without-scope", "", "")
	flags.BoolVar(&s.verbose, "v", false, "")
	flags.StringVar(&s.format, "format", "text", "")
	switch err := flags.Parse(arguments); {
	case errors.Is(err, flag.ErrHelp):
		return s, err
	case err != nil:
		return s, errors.New("expected the flags of conform, got something else: conform -h explains them")
	case flags.NArg() > 0:
		return s, fmt.Errorf("expected flags only, got %d arguments more: conform -h explains them", flags.NArg())
	}
	if formats[s.format] == nil {
		return s, fmt.Errorf("-format: expected text, json or junit, got %q", s.format)
	}
	for i := range s.tokens {
		t, variable := &s.tokens[i], "CONFORM_"+s.tokens[i].variable
		var err error
		if t.value, err = checkToken(t.variable, cmp.Or(t.value, getenv(variable))); err != nil {
			return s, err
		}
		if expires := t.expires(); expires != 0 && expires <= float64(time.Now().Unix()) {
			return s, fmt.Errorf("%s: expected a token that is valid, got one that has expired: get a new one", t.variable)
		}
	}
	var err error
	if s.target, err = parseTarget(*address); err != nil {
		return s, err
	}
	if s.target.url.Scheme == "http" && s.target.place != onThisMachine && s.tokens[0].value+s.tokens[1].value != "" {
		return s, fmt.Errorf("%s is not encrypted: a token is sent over https only, or to this machine", s.target.origin())
	}
	s.stack = cmp.Or(s.stack, stackOf(s.root, s.target))
	return s, nil
}

// conform reads the declaration, probes the API, runs the cases and writes the table. It
// returns how many cases differ.
func conform(ctx context.Context, s settings, client *http.Client, out, status io.Writer) (differ int, err error) {
	d, err := load(ctx, s, status)
	if err != nil {
		return 0, err
	}
	asked, err := s.target.locate(d)
	if err != nil {
		return 0, err
	}
	p, err := newPlan(ctx, s, d, asked)
	if err != nil {
		return 0, err
	}
	c := &caller{client: client, target: s.target}
	first, err := c.probe(ctx, p.ask(p.first))
	if err != nil {
		return 0, err
	}
	text := out
	if s.format != "text" {
		text = io.Discard
	}
	r := &report{out: text, redact: newRedactor(s.tokens[:]...), verbose: s.verbose}
	r.heading = fmt.Sprintf("%s%s on %s, over %s, as stack %s declares it", s.target.origin(), s.target.base, s.target.place, first.Proto, d.stack)
	r.printf("%s", r.heading)
	for i, k := range p.cases {
		var a *answer
		var problems []string
		if k.missing == "" {
			a, problems = k.run(ctx, c)
		}
		if ctx.Err() != nil {
			return 0, fmt.Errorf("stopped after %d of %d cases", i, len(p.cases))
		}
		r.write(k, a, problems)
	}
	r.printf("\n%d pass, %d differ, %d not run", r.pass, r.differ, r.notRun)
	for _, remark := range p.remarks {
		r.printf("%s", remark)
	}
	r.remarks = p.remarks
	r.settle(ctx, c, p.questions())
	return r.differ, formats[s.format](r, out)
}
