// Command conform asks an API over HTTP whether it answers as this project promises:
// the same cases against a deployed stage and against the one that make run serves.
// It is for whoever has just deployed, or changed the local gateway, and wants to
// know what clients will see.
//
// It needs no token for most cases; those that do say so and are not run. It changes
// nothing, and it is no load test: some seventy requests, one after the other. What a
// stage looks like from outside is all that it can tell: not why, and nothing about
// logs, alarms or cost. No token that it is given, and none that it makes, is ever
// written to its output.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

// Exit statuses.
const (
	exitConforms = 0
	exitDiffers  = 1
	exitNotRun   = 2 // nothing can be said: the command line is wrong, or there is no such API
)

const usage = `usage: make conform URL=https://….amazonaws.com/dev/profile [TOKEN=…]

  -url URL                      the profile endpoint, as pulumi stack output url prints it
  -token TOKEN                  a token with get:profile; better in the environment, as
                                CONFORM_TOKEN, where no list of processes shows it
  -token-without-scope TOKEN    a valid token that lacks get:profile, or CONFORM_TOKEN_WITHOUT_SCOPE
  -v                            show the answer to every request
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
	target       target
	token        string // with the scope; "" for none
	withoutScope string // a token without it; "" for none
	verbose      bool
}

// run runs every case and returns the exit status.
func run(ctx context.Context, arguments []string, getenv func(string) string, client *http.Client, out, status io.Writer) int {
	s, err := parse(arguments, getenv)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(out, usage)
		return exitConforms
	}
	if err == nil {
		err = conform(ctx, s, client, out)
	}
	if errors.Is(err, errDiffers) {
		return exitDiffers
	}
	if err != nil {
		fmt.Fprintln(status, "error:", newRedactor(s.token, s.withoutScope).redact(err.Error()))
		return exitNotRun
	}
	return exitConforms
}

func parse(arguments []string, getenv func(string) string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("conform", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // its messages repeat values, and one of them may be a token
	address := flags.String("url", "", "")
	flags.StringVar(&s.token, "token", "", "")
	flags.StringVar(&s.withoutScope, "token-without-scope", "", "")
	flags.BoolVar(&s.verbose, "v", false, "")
	if err := flags.Parse(arguments); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return s, err
		}
		return s, errors.New("expected the flags -url, -token, -token-without-scope and -v, got something else: conform -h explains them")
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("expected flags only, got %d arguments more: conform -h explains them", flags.NArg())
	}
	for _, t := range []struct {
		value          *string
		flag, variable string
	}{
		{&s.token, "-token", "CONFORM_TOKEN"},
		{&s.withoutScope, "-token-without-scope", "CONFORM_TOKEN_WITHOUT_SCOPE"},
	} {
		name := t.flag
		if *t.value == "" {
			*t.value, name = getenv(t.variable), t.variable
		}
		var err error
		if *t.value, err = checkToken(name, *t.value); err != nil {
			return s, err
		}
	}
	var err error
	if s.target, err = parseTarget(*address); err != nil {
		return s, err
	}
	if s.target.url.Scheme == "http" && s.target.place != onThisMachine && s.token+s.withoutScope != "" {
		return s, fmt.Errorf("%s is not encrypted: a token is sent over https only, or to this machine", s.target.origin())
	}
	return s, nil
}

// errDiffers is a run that was complete and found a difference.
var errDiffers = errors.New("the API differs")

// conform probes the API, runs the cases and writes the table.
func conform(ctx context.Context, s settings, client *http.Client, out io.Writer) error {
	c := &caller{client: client, target: s.target}
	first, err := c.probe(ctx)
	if err != nil {
		return err
	}
	cases, err := allCases(ctx, c, s)
	if err != nil {
		return err
	}
	r := newReport(out, s)
	r.begin(s, first)
	for _, k := range cases {
		if r.write(k.run(ctx, c)); ctx.Err() != nil {
			return fmt.Errorf("stopped after %d of %d cases", r.cases(), len(cases))
		}
	}
	r.end()
	r.settled(s.target, settle(ctx, c))
	if r.differ > 0 {
		return errDiffers
	}
	return nil
}
