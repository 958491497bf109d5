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
	"syscall"
)

func main() {
	s, err := readSettings(os.Args[1:], os.Stdout)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	// Ctrl-C, what make or a service manager sends, and the end of the terminal, unless
	// nohup protects from that.
	stops := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		stops = append(stops, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), stops...)
	defer stop()
	if err := run(ctx, s, os.Stdout, os.Stderr); err != nil {
		if ctx.Err() != nil {
			return // stopped while starting: nothing went wrong
		}
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings, out, status io.Writer) error {
	l, err := start(ctx, s, out, status)
	if err != nil {
		return err
	}
	return errors.Join(l.serve(ctx), l.close())
}
