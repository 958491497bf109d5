// Package infra declares a stack: the API, its authorizer, a function for each handler,
// and their roles, logs, metrics and alarms.
//
// It knows no handler code. A function names the directory of its handler, and a
// [Bundler] builds the package that Lambda runs from that directory.
package infra

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"account-api/internal/bundle"
	"account-api/internal/decision"
)

// Bundler makes the deployment package zip of the handler in a directory, and returns its
// SHA-256 in hexadecimal. Both paths are slash-separated and relative to the project. Stack
// is what the policies may know of the stack.
type Bundler func(ctx *pulumi.Context, handler, zip string, stack decision.Stack) (sha256 string, err error)

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

// Build is the [Bundler] of a deployment. It builds packages from this checkout while the
// program runs, so that a preview or an update always has the policies and the code of
// the working tree.
func Build(ctx *pulumi.Context, handler, zip string, stack decision.Stack) (sha256 string, err error) {
	built, err := bundle.Build(ctx.Context(), bundle.Options{
		Root: ".", Package: handler, Out: zip, Progress: progress{ctx}, Stack: stack,
	})
	if err != nil {
		return "", err
	}
	return built.SHA256, CheckPolicy(ctx, ".", handler, stack)
}

// CheckPolicy is an error if the policy of a handler reads a claim that the stack does not pass
// on. It warns if the policy reads a field that no request to the stack has.
func CheckPolicy(ctx *pulumi.Context, root, handler string, stack decision.Stack) error {
	notices, err := bundle.CheckStack(ctx.Context(), root, handler, stack)
	for _, notice := range notices {
		err = errors.Join(err, ctx.Log.Warn(notice, nil))
	}
	return err
}

// progress shows lines while the program runs. They are no part of what a preview ends with.
type progress struct{ ctx *pulumi.Context }

func (p progress) Write(line []byte) (int, error) {
	return len(line), p.ctx.Log.Info(strings.TrimSpace(string(line)), &pulumi.LogArgs{Ephemeral: true})
}

// Settings is a [pulumi.RunOption] that hands the program all settings of the stack. A
// [pulumi.Context] answers only for a key that is asked for, so that a misspelt key
// would go unnoticed.
func (p *Program) Settings(info *pulumi.RunInfo) {
	p.settings, p.secrets = info.Config, info.ConfigSecretKeys
}

// Deploy declares every resource of the stack and exports its outputs.
func (p *Program) Deploy(ctx *pulumi.Context) error {
	if p.settings == nil {
		return errors.New("infra: the program was not given the stack's settings: run it with the option Program.Settings")
	}
	c, wrong := loadConfig(ctx.Project(), p.settings, p.secrets)
	wrong.add("stack's name", checkNames(ctx.Project(), ctx.Stack(), functionNames(p.endpoints), c.ManageAPIGatewayAccount))
	checkEndpoints(p.endpoints, wrong)
	if err := wrong.error(ctx.Stack()); err != nil {
		return err
	}
	if placeholder(c.Issuer) {
		const warning = "issuer is still the example's: nobody gets in until you run pulumi config set issuer https://YOUR-TENANT.eu.auth0.com/"
		if err := ctx.Log.Warn(warning, nil); err != nil {
			return err
		}
	}
	s := &stack{ctx: ctx, config: c, bundle: p.bundle}
	a, err := s.newAPI()
	if err != nil {
		return err
	}
	auth, err := s.newAuthorizer(a)
	if err != nil {
		return err
	}
	routes, err := s.newRoutes(a, auth, p.endpoints)
	if err != nil {
		return err
	}
	responses, err := s.newGatewayResponses(a)
	if err != nil {
		return err
	}
	served, err := s.newStage(a, slices.Concat(a.published, auth.published, routes.published, responses), append(routes.permissions, auth.permission))
	if err != nil {
		return err
	}
	if err := s.newFirewall(served); err != nil {
		return err
	}
	base, err := s.newDomain(a, served)
	if err != nil {
		return err
	}
	handlers := routes.functions()
	if err := s.newMonitoring(served, auth.function, handlers); err != nil {
		return err
	}
	ctx.Export("url", pulumi.Sprintf("%s/%s", base, p.endpoints[0].path))
	if !c.DisableExecuteAPIEndpoint {
		// With a domain, this one works before its DNS does.
		ctx.Export("stageUrl", pulumi.Sprintf("%s/%s", served.InvokeUrl, p.endpoints[0].path))
	}
	ctx.Export("apiId", a.ID())
	packages := pulumi.Map{}
	for _, f := range append(handlers, auth.function) {
		ctx.Export(f.name+"Function", f.Name)
		packages[f.name] = pulumi.StringMap{"arn": f.alias.Arn, "sha256": pulumi.String(f.sha256)}
	}
	ctx.Export("packages", packages) // for make drift
	// Pulumi Cloud shows this output on the stack's page, with the others filled in:
	// https://www.pulumi.com/docs/iac/concepts/stacks/#stack-readme
	readme, err := os.ReadFile(filepath.Join(ctx.RootDirectory(), "Pulumi.README.md"))
	if err != nil {
		return err
	}
	ctx.Export("readme", pulumi.String(readme))
	return nil
}
