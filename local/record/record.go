// Package record runs a Pulumi program without Pulumi's engine and without AWS, and
// returns what the program declared as a [graph.Graph].
//
// It stands in for the provider: it makes up the IDs and ARNs that a provider computes.
// It does not validate properties as the provider does; `pulumi preview` does that.
package record

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"account-api/local/graph"
)

// Account is the account of every recorded stack that is not deployed. AWS's documentation
// uses this number for examples.
const Account = "123456789012"

// Stack says which stack to record.
type Stack struct {
	Root     string // the project: the directory of Pulumi.yaml
	Name     string // Pulumi.<Name>.yaml
	Override Overrides

	// Local records for a run on this machine: with the values of the file
	// local.<Name>.yaml, and with the secrets in the environments of functions.
	Local bool
	// Outputs is a file that pulumi stack export has written. Resources that are not run
	// here have the outputs that they have there. "" makes all of them up.
	Outputs string
}

// Run runs the program for the stack and returns what it declared. The options are
// those that the program is given to [pulumi.Run].
//
// The program runs as in a preview: an output that cannot be made up is unknown to it.
func Run(s Stack, program pulumi.RunFunc, options ...pulumi.RunOption) (*graph.Graph, error) {
	r := &recorder{stack: s, shapes: shapes{byToken: map[string]shape{}}, providers: map[string]string{}}
	var err error
	if s.Local {
		if r.values, err = readValues(s); err != nil {
			return nil, err
		}
	}
	if r.deployed, err = readExport(s.Outputs); err != nil {
		return nil, err
	}
	c, err := loadStack(s, r.values)
	if err != nil {
		return nil, err
	}
	r.project, r.region, r.account = c.project, c.values["aws:region"], cmp.Or(r.deployed.account(), Account)
	// Nothing of the caller's environment may reach the program: RunErr would take it
	// from PULUMI_* variables.
	configure := func(info *pulumi.RunInfo) {
		info.Config, info.ConfigSecretKeys = c.values, c.secrets
		info.RootDirectory, info.Organization, info.DryRun = s.Root, "organization", true
	}
	watched := func(ctx *pulumi.Context) error {
		if err := ctx.RegisterStackTransformation(r.shapes.watch); err != nil {
			return err
		}
		return program(ctx)
	}
	logged := &warnings{}
	mocks := pulumi.WithMocks(c.project, s.Name, r)
	if err := pulumi.RunErr(logged.of(watched), append([]pulumi.RunOption{mocks, configure}, options...)...); err != nil {
		// The SDK adds a heading that counts the errors; the program's own is enough.
		if list, ok := err.(interface{ WrappedErrors() []error }); ok {
			err = errors.Join(list.WrappedErrors()...)
		}
		if registering := errors.Unwrap(err); registering != nil && strings.HasPrefix(err.Error(), "waiting for RPCs: ") {
			err = registering
		}
		return nil, err
	}
	g, err := r.graph()
	if g != nil {
		g.Warnings = logged.list
	}
	return g, err
}

// graph is what the program has declared.
func (r *recorder) graph() (*graph.Graph, error) {
	g := &graph.Graph{
		Project: r.project, Stack: r.stack.Name, Region: cmp.Or(r.apiRegion, r.region), Account: r.account,
		Bundles: map[string]string{}, Endpoints: r.values.Endpoints, Resources: r.resources,
	}
	// After the program, which reports all that is wrong with the configuration at once.
	if g.Region == "" {
		return nil, fmt.Errorf("stack %q sets no aws:region: pulumi config set aws:region eu-central-1", r.stack.Name)
	}
	slices.SortFunc(g.Resources, func(a, b graph.Resource) int { return strings.Compare(a.URN, b.URN) })
	maps.Copy(g.Bundles, handlers(r.stack.Root, g))
	maps.Copy(g.Bundles, r.values.Handlers)
	return g, r.values.check(func(name string) bool {
		return slices.ContainsFunc(g.Resources, func(r graph.Resource) bool { return name == r.Name || name == r.Type+"::"+r.Name })
	})
}

// handlers are the directories of main packages that deployment packages lie in, or are
// named after: handler/handler.zip of handler, dist/seats.zip of seats.
func handlers(root string, g *graph.Graph) map[string]string {
	found := map[string]string{}
	for _, f := range g.OfType("aws:lambda/function:Function") {
		code, _ := f.Inputs["code"].(map[string]any)
		file, _ := code["path"].(string)
		if file == "" || path.IsAbs(file) {
			continue
		}
		for _, dir := range []string{path.Dir(path.Clean(file)), strings.TrimSuffix(path.Base(file), path.Ext(file))} {
			if dir == "dist" { // has no sources, and changes while a stack runs: tests that read it would run again
				continue
			}
			sources, _ := filepath.Glob(filepath.Join(root, dir, "*.go")) // the pattern is well-formed
			if dir != "." && slices.ContainsFunc(sources, isMain) {
				found[file] = dir
				break
			}
		}
	}
	return found
}

func isMain(file string) bool {
	source, err := os.ReadFile(file)
	return err == nil && (strings.HasPrefix(string(source), "package main\n") || strings.Contains(string(source), "\npackage main\n"))
}
