// Package infra declares what a stack consists of: the API, its authorizer, one
// function per endpoint, and what they need to run and to be understood.
//
// It knows no handler code. A function names the directory of its handler, and a
// [Bundler] turns that directory into the package that Lambda runs.
package infra

import (
	"errors"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"account-api/internal/bundle"
)

// Bundler makes the deployment package zip of the handler in a directory. Both are
// slash-separated and relative to the project.
type Bundler func(ctx *pulumi.Context, handler, zip string) error

// Program declares a stack. It runs with two arguments to [pulumi.Run]: Deploy and the
// option Settings.
type Program struct {
	bundle    Bundler
	endpoints []endpoint
	settings  map[string]string // by full key, as "aws:region"
	secrets   []string
}

// New returns the program, with packages made by bundle.
func New(bundle Bundler) *Program { return &Program{bundle: bundle, endpoints: endpoints} }

// Build is the [Bundler] of a deployment. It builds packages from this checkout.
// Building them here, and not in a step before, means that a preview can never show,
// nor an update ship, a policy or a binary that is not the one in the working tree.
func Build(ctx *pulumi.Context, handler, zip string) error {
	_, err := bundle.Build(ctx.Context(), bundle.Options{Root: ".", Package: handler, Out: zip, Progress: progress{ctx}})
	return err
}

// progress passes lines on to the person who waits for a preview.
type progress struct{ ctx *pulumi.Context }

func (p progress) Write(line []byte) (int, error) {
	return len(line), p.ctx.Log.Info(strings.TrimSpace(string(line)), nil)
}

// Settings is a [pulumi.RunOption] that hands the program all settings of the stack. A
// [pulumi.Context] answers only for a key that is asked for, so that a misspelt key
// would go unnoticed.
func (p *Program) Settings(info *pulumi.RunInfo) {
	p.settings, p.secrets = info.Config, info.ConfigSecretKeys
}

// functionNames are the short names of the stack's functions.
func (p *Program) functionNames() []string {
	return append([]string{"authorizer"}, handlerNames(p.endpoints)...)
}

// Deploy declares every resource of the stack and exports its outputs.
func (p *Program) Deploy(ctx *pulumi.Context) error {
	if p.settings == nil {
		return errors.New("infra: the program was not given the stack's settings: run it with the option Program.Settings")
	}
	c, wrong := loadConfig(ctx.Project(), p.settings, p.secrets)
	wrong.add("stack's name", checkNames(ctx.Project(), ctx.Stack(), p.functionNames()))
	if err := wrong.error(ctx.Stack()); err != nil {
		return err
	}
	if placeholder(c.Issuer) {
		const warning = "issuer is still the example's: nobody gets in until you run pulumi config set issuer https://YOUR-TENANT.eu.auth0.com/"
		if err := ctx.Log.Warn(warning, nil); err != nil {
			return err
		}
	}
	s := &stack{ctx: ctx, config: c, bundle: p.bundle, endpoints: p.endpoints}
	if err := s.declareAPI(); err != nil {
		return err
	}
	if err := s.declareAuthorizer(); err != nil {
		return err
	}
	if err := s.declareGatewayResponses(); err != nil {
		return err
	}
	for _, e := range s.endpoints {
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
	return s.export(pulumi.Sprintf("%s/%s", base, s.endpoints[0].path))
}
