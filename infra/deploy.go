// Package infra declares what a stack consists of: the API, its authorizer, one
// function per endpoint, and what they need to run and to be understood.
//
// It knows no handler code. A function names the directory of its handler, and a
// [Bundler] turns that directory into the package that Lambda runs.
package infra

import (
	"context"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"account-api/internal/bundle"
)

// Bundler makes the deployment package zip of the handler in a directory. Both are
// slash-separated and relative to the project.
type Bundler func(ctx context.Context, handler, zip string) error

// Program declares a stack. It is a value so that the stack can be declared from
// other packages than the deployed ones, without a word changed here.
type Program struct {
	Bundle Bundler
}

// Deploy declares the stack with packages built from this checkout. Building them
// here, and not in a step before, means that a preview can never show, nor an
// update ship, a policy or a binary that is not the one in the working tree.
func Deploy(ctx *pulumi.Context) error {
	build := func(c context.Context, handler, zip string) error {
		_, err := bundle.Build(c, bundle.Options{Root: ".", Package: handler, Out: zip, Progress: progress{ctx}})
		return err
	}
	return Program{Bundle: build}.Deploy(ctx)
}

// progress passes lines on to the person who waits for a preview.
type progress struct{ ctx *pulumi.Context }

func (p progress) Write(line []byte) (int, error) {
	return len(line), p.ctx.Log.Info(strings.TrimSpace(string(line)), nil)
}

// Deploy declares every resource of the stack and exports its outputs.
func (p Program) Deploy(ctx *pulumi.Context) error {
	c, err := loadConfig(ctx)
	if err != nil {
		return err
	}
	if placeholder(c.Issuer) {
		warning := "issuer is still the example's: nobody gets in until you run pulumi config set issuer https://<your tenant>.eu.auth0.com/"
		if err := ctx.Log.Warn(warning, nil); err != nil {
			return err
		}
	}
	s := &stack{ctx: ctx, config: c, bundle: p.Bundle}
	if err := s.declareAPI(); err != nil {
		return err
	}
	if err := s.declareAuthorizer(); err != nil {
		return err
	}
	if err := s.declareGatewayResponses(); err != nil {
		return err
	}
	for _, e := range endpoints {
		if err := s.declareEndpoint(e); err != nil {
			return err
		}
	}
	if err := s.declarePreflights(); err != nil {
		return err
	}
	if err := s.declareStage(); err != nil {
		return err
	}
	if err := s.declareFirewall(); err != nil {
		return err
	}
	base, err := s.declareDomain()
	if err != nil {
		return err
	}
	if err := s.declareMonitoring(); err != nil {
		return err
	}
	return s.export(pulumi.Sprintf("%s/%s", base, endpoints[0].path))
}
