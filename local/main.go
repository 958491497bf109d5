// Command local runs a stack of a Pulumi program on this machine. It records what the
// program declares, builds the handlers that the declaration names, and serves the REST
// API as API Gateway and Lambda would, next to a token issuer shaped like Auth0.
//
// It knows nothing of the program that it runs. What it needs to know comes from the
// declaration, from the project's policies or from flags.
//
// It is a development tool. It needs Go and nothing else. It uses no network unless the
// stack's own issuer is asked for, and leaves no process running.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// settings are what the command line says.
type settings struct {
	root        string
	stack       string
	port        int
	issuerPort  int
	consolePort int
	issuer      string   // "local", or "stack" for the one that the stack file names
	scopes      string   // that the local issuer grants, with spaces between; "" does not restrict it
	capture     string   // package of the program that records the declaration
	policy      string   // package of the program that finds example callers
	api         string   // the REST API to serve, by name; "" for the only one
	outputs     string   // file of a deployed stack's outputs; "" makes them up
	config      []string // key=value that replace those of the stack file
	aws         string   // what handlers reach: an AWS profile, or the URL of a server on this machine
	debug       string   // the function for a debugger, by the last name of its directory, or ""
	verbose     bool
}

func main() {
	s := settings{}
	flags := flag.NewFlagSet("local", flag.ExitOnError)
	flags.StringVar(&s.root, "root", ".", "the project, the directory of Pulumi.yaml")
	flags.StringVar(&s.stack, "stack", "dev", "the stack: its configuration is Pulumi.<stack>.yaml")
	flags.IntVar(&s.port, "port", 8080, "port of the API on 127.0.0.1; 0 picks a free one")
	flags.IntVar(&s.issuerPort, "issuer-port", 8081, "port of the local token issuer; 0 picks a free one")
	flags.IntVar(&s.consolePort, "console-port", 8082, "port of the web console on 127.0.0.1; 0 picks a free one")
	flags.StringVar(&s.issuer, "issuer", "local", `whose tokens are accepted: "local" for a token issuer on this machine, "stack" for the stack's own`)
	flags.StringVar(&s.scopes, "scopes", "", "the only scopes that the local issuer grants, with spaces between; empty means any")
	flags.StringVar(&s.capture, "capture", "./local/capture", "package, relative to the project, of the program that records what the Pulumi program declares")
	flags.StringVar(&s.policy, "policy", "./local/policy", "package, relative to the project, of the program that finds example callers of the policies; built if it is there")
	flags.StringVar(&s.api, "api", "", "which REST API to serve, by its name in the program; empty for the only one")
	flags.StringVar(&s.outputs, "outputs", "", "a file that pulumi stack export has written: resources that are not run here have the outputs that they have there")
	flags.Func("config", "replace a value of the stack file, as key=value; may be repeated", func(assignment string) error {
		if !strings.Contains(assignment, "=") {
			return fmt.Errorf("expected key=value, got %q", assignment)
		}
		s.config = append(s.config, assignment)
		return nil
	})
	flags.StringVar(&s.aws, "aws", "", "what handlers reach: the name of an AWS profile, with -issuer stack, or the URL of a server on this machine, such as http://127.0.0.1:8000")
	flags.StringVar(&s.debug, "debug", "", "a function, by the last name of its directory, that runs in one process without a time limit, built for a debugger")
	flags.BoolVar(&s.verbose, "v", false, "explain every step of each request, and show what the functions log")
	// ExitOnError: Parse does not return an error.
	_ = flags.Parse(os.Args[1:])

	// Ctrl-C, what make or a service manager sends, and the end of the terminal, unless
	// nohup protects from that.
	stops := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		stops = append(stops, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), stops...)
	defer stop()
	if err := run(ctx, s, flags.Args(), os.Stdout, os.Stderr); err != nil {
		if ctx.Err() != nil {
			return // stopped while starting: nothing went wrong
		}
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings, arguments []string, out, status io.Writer) error {
	if len(arguments) > 0 {
		return fmt.Errorf("expected flags only, got %q", arguments)
	}
	if s.issuer != "local" && s.issuer != "stack" {
		return fmt.Errorf(`issuer: expected "local" or "stack", got %q`, s.issuer)
	}
	l, err := start(ctx, s, out, status)
	if err != nil {
		return err
	}
	return errors.Join(l.serve(ctx), l.close())
}
