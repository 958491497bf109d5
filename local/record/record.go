// Package record runs a Pulumi program without Pulumi's engine and without AWS, and
// returns what the program declared as a [graph.Graph].
//
// It stands in for the provider: it makes up the IDs and ARNs that a provider computes.
// It does not validate properties as the provider does; `pulumi preview` does that.
package record

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"account-api/local/graph"
)

// Account is the account of every recorded stack. AWS's documentation uses this number
// for examples.
const Account = "123456789012"

// Stack says which stack to record.
type Stack struct {
	Root     string // the project: the directory of Pulumi.yaml
	Name     string // Pulumi.<Name>.yaml
	Override Overrides
}

// Run runs the program for the stack and returns what it declared. The options are
// those that the program is given to [pulumi.Run].
func Run(s Stack, program pulumi.RunFunc, options ...pulumi.RunOption) (*graph.Graph, error) {
	c, err := loadStack(s)
	if err != nil {
		return nil, err
	}
	region := c.values["aws:region"]
	r := &recorder{project: c.project, stack: s.Name, provider: provider{region: region}}
	// Nothing of the caller's environment may reach the program: RunErr would take it
	// from PULUMI_* variables.
	configure := func(info *pulumi.RunInfo) {
		info.Config, info.ConfigSecretKeys = c.values, c.secrets
		info.RootDirectory, info.Organization, info.DryRun = s.Root, "organization", false
	}
	mocks := pulumi.WithMocks(c.project, s.Name, r)
	if err := pulumi.RunErr(program, append([]pulumi.RunOption{mocks, configure}, options...)...); err != nil {
		// The SDK adds a heading that counts the errors; the program's own is enough.
		if list, ok := err.(interface{ WrappedErrors() []error }); ok {
			err = errors.Join(list.WrappedErrors()...)
		}
		return nil, err
	}
	// After the program, which reports all that is wrong with the configuration at once.
	if region == "" {
		return nil, fmt.Errorf("stack %q sets no aws:region: pulumi config set aws:region eu-central-1", s.Name)
	}
	slices.SortFunc(r.resources, func(a, b graph.Resource) int { return strings.Compare(a.URN, b.URN) })
	return &graph.Graph{
		Project: c.project, Stack: s.Name, Region: region, Account: Account,
		Bundles: map[string]string{}, Resources: r.resources,
	}, nil
}

// recorder notes every resource that a program registers. The SDK registers
// resources concurrently.
type recorder struct {
	project, stack string
	provider       provider

	mu        sync.Mutex
	resources []graph.Resource
}

// NewResource implements [pulumi.MockResourceMonitor].
func (r *recorder) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	if args.RegisterRPC == nil {
		return "", nil, fmt.Errorf("%s %q reads an existing resource; this stack declares all that it uses", args.TypeToken, args.Name)
	}
	inputs, ok := plainValue(resource.NewObjectProperty(args.Inputs)).(map[string]any)
	if !ok {
		inputs = map[string]any{}
	}
	rpc := args.RegisterRPC
	urn := resource.NewURN(tokens.QName(r.stack), tokens.PackageName(r.project), parentType(rpc.GetParent()), tokens.Type(args.TypeToken), args.Name)
	id, computed := r.provider.create(args.TypeToken, args.Name, inputs)

	outputs := maps.Clone(inputs)
	maps.Copy(outputs, computed)
	state := args.Inputs.Copy()
	for key, value := range computed {
		state[resource.PropertyKey(key)] = resource.NewPropertyValue(value)
	}
	dependencies := map[string][]string{}
	for property, on := range rpc.GetPropertyDependencies() {
		if urns := on.GetUrns(); len(urns) > 0 {
			dependencies[property] = slices.Sorted(slices.Values(urns))
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.resources = append(r.resources, graph.Resource{
		URN: string(urn), Type: args.TypeToken, Name: args.Name, ID: id,
		Inputs: inputs, Outputs: outputs,
		Dependencies:         slices.Sorted(slices.Values(rpc.GetDependencies())),
		PropertyDependencies: dependencies,
	})
	return id, state, nil
}

// Call implements [pulumi.MockResourceMonitor]. It refuses every lookup: the answer would
// depend on an AWS account.
func (r *recorder) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	return nil, fmt.Errorf("the program calls %s, which needs an AWS account; pass the value as configuration instead", args.Token)
}

// parentType is the part of a URN that names the resource's component, "" where the
// stack itself is the parent.
func parentType(parent string) tokens.Type {
	if urn := resource.URN(parent); parent != "" && urn.QualifiedType() != resource.RootStackType {
		return urn.QualifiedType()
	}
	return ""
}

// plainValue turns a property into a value for JSON. It hides secrets, because a graph is
// printed and stored.
func plainValue(v resource.PropertyValue) any {
	return v.MapRepl(nil, func(v resource.PropertyValue) (any, bool) {
		switch {
		case v.IsSecret():
			return "[secret]", true
		case v.IsArchive():
			return map[string]any{"path": v.ArchiveValue().Path}, true
		case v.IsAsset():
			return map[string]any{"path": v.AssetValue().Path}, true
		}
		return nil, false
	})
}
