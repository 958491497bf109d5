// Command explain makes every check of a stack's authorizer on a token, and says what to do
// about each that fails:
//
//	go run ./local/explain -stack prod < token
//
// Without a token it compares the settings with what the provider publishes. With -format json
// the same is JSON, for a program.
//
// The exit status is 0 if the token is accepted or the settings agree, 1 if not, and 2 if there
// is no verdict to give: wrong flags, no such stack, settings that cannot be deployed. go run
// and make have statuses of their own, so a script builds the command first.
//
// A refused caller sees only 401, and the function's log has only the first reason. The
// settings come from the stack's Pulumi program and the keys from the provider. The output has
// no part of the token and no claim but dates, so it can be pasted into a ticket. What the
// caller may do is for the endpoint's policy and not said here.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"account-api/internal/jwks"
	"account-api/internal/refusal"
	"account-api/internal/signature"
	"account-api/internal/token"
	"account-api/local/record"
)

// The exit statuses.
const (
	acceptedStatus = 0
	refusedStatus  = 1
	usageStatus    = 2 // no verdict: wrong flags, no token, no such stack
)

// maxInput, in bytes, is far more than the gateway accepts as a header.
const maxInput = 64 << 10

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, time.Now())) }

// settings are the command's flags.
type settings struct {
	root, stack, keyFile string
	format               string // text or json
	offline              bool
	override             record.Overrides
}

// run is main without its surroundings.
func run(arguments []string, in io.Reader, out, errs io.Writer, now time.Time) int {
	s := settings{override: record.Overrides{}}
	flags := flag.NewFlagSet("explain", flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.Usage = func() {
		fmt.Fprintln(errs, "usage: go run ./local/explain [flags] < token")
		flags.PrintDefaults()
	}
	flags.StringVar(&s.root, "root", ".", "the project, the directory of Pulumi.yaml")
	flags.StringVar(&s.stack, "stack", "dev", "the stack, Pulumi.<stack>.yaml")
	flags.StringVar(&s.keyFile, "jwks", "", "read the key set from this file instead of from the provider")
	flags.BoolVar(&s.offline, "offline", false, "make no request; without -jwks the signature stays unchecked")
	flags.StringVar(&s.format, "format", "text", "text, or json")
	flags.Var(s.override, "config", "replace a setting of the stack, as key=value; may be repeated")
	switch err := flags.Parse(arguments); {
	case errors.Is(err, flag.ErrHelp):
		return acceptedStatus
	case err != nil:
		return usageStatus
	}
	if file, ok := in.(*os.File); ok && isTerminal(file) {
		in = strings.NewReader("") // nobody types a token
	}
	write := map[string]func(report, io.Writer) error{"text": report.writeText, "json": report.writeJSON}[s.format]
	if write == nil {
		fmt.Fprintf(errs, "expected the format text or json, got %q\n", s.format)
		return usageStatus
	}
	r, err := explain(s, in, now)
	if err == nil {
		err = write(r, out)
	}
	switch {
	case err != nil:
		fmt.Fprintln(errs, err)
		return usageStatus
	case r.good():
		return acceptedStatus
	}
	return refusedStatus
}

// isTerminal reports whether nothing was piped in.
func isTerminal(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func explain(s settings, in io.Reader, now time.Time) (report, error) {
	text, err := io.ReadAll(io.LimitReader(in, maxInput+1))
	if err != nil {
		return report{}, fmt.Errorf("read the token: %w", err)
	}
	p := present(string(text))
	if p.compact == "" && s.offline || len(text) > maxInput {
		return report{}, fmt.Errorf("expected a token on standard input, of at most %d bytes, got %d: pipe it in, as in pbpaste | go run ./local/explain", maxInput, len(text))
	}
	a, err := readAuthorizer(s)
	if err != nil {
		return report{}, err
	}
	if p.compact == "" {
		return checkProvider(s, a), nil
	}
	verifier, err := token.NewVerifier(a.Expectation)
	if err != nil {
		return report{}, err
	}
	key, err := keysOf(s, a)
	if err != nil {
		return report{}, err
	}
	v := verdict{
		settings: s, authorizer: a, presentation: p,
		passesGateway: a.expression.Matches(p.authorization()),
		findings:      verifier.Explain(p.compact, now, key),
	}
	return v.report(), nil
}

// keysOf is where the keys come from: a file, nowhere, or the provider.
func keysOf(s settings, a authorizer) (token.KeyFunc, error) {
	switch {
	case s.keyFile != "":
		document, err := os.ReadFile(s.keyFile)
		if err != nil {
			return nil, err
		}
		set, err := jwks.Parse(document, a.Algorithms...)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.keyFile, err)
		}
		return func(_, kid string, _ *signature.Key) (*signature.Key, error) { return set.Key(kid) }, nil
	case s.offline:
		return func(string, string, *signature.Key) (*signature.Key, error) {
			return nil, refusal.New(refusal.JWKSUnavailable, "not looked up, because of -offline")
		}, nil
	}
	sources := map[string]*jwks.Source{}
	for i, issuer := range a.Issuers {
		source, err := jwks.New(a.JWKSURIs[i], jwks.Options{Algorithms: a.Algorithms})
		if err != nil {
			return nil, fmt.Errorf("jwksUri of %s: %w", issuer.Name, err)
		}
		sources[issuer.Name] = source
	}
	return func(issuer, kid string, failed *signature.Key) (*signature.Key, error) {
		return sources[issuer].Key(context.Background(), kid, failed)
	}, nil
}

// presentation is the token as it was given.
type presentation struct {
	compact string
	scheme  string // what stands before the token; may be empty
	spaced  bool   // whether white space was removed from around it
}

// present finds the token in what was given, with or without a scheme before it.
func present(text string) presentation {
	trimmed := strings.TrimSpace(text)
	p := presentation{compact: trimmed, spaced: trimmed != strings.TrimSuffix(text, "\n")}
	if before, after, found := strings.Cut(trimmed, " "); found && strings.EqualFold(before, "bearer") {
		p.scheme, p.compact = before, after
	}
	return p
}

// authorization is the header's value as it would be sent.
func (p presentation) authorization() string {
	if p.scheme == "" {
		return "Bearer " + p.compact
	}
	return p.scheme + " " + p.compact
}
