package record

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"account-api/local/graph"
)

// recorder notes every resource that a program registers. The SDK registers
// resources concurrently.
type recorder struct {
	stack    Stack
	project  string
	region   string // of the default provider
	account  string
	shapes   shapes
	values   Values  // of this machine
	deployed *Export // nil without one

	mu        sync.Mutex
	resources []graph.Resource
	providers map[string]string // region by URN
	apiRegion string            // of the provider that has the REST API
}

// NewResource implements [pulumi.MockResourceMonitor].
func (r *recorder) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	if args.TypeToken == "pulumi:pulumi:StackReference" {
		return r.stackReference(args)
	}
	if args.ReadRPC != nil && graph.Decides(args.TypeToken) {
		return "", nil, fmt.Errorf("%s %q reads an existing resource, which decides how requests are answered: declare it in this stack", args.TypeToken, args.Name)
	}
	declared, parent, provider := args.RegisterRPC.GetObject(), args.RegisterRPC.GetParent(), args.RegisterRPC.GetProvider()
	if args.ReadRPC != nil {
		declared, parent, provider = args.ReadRPC.GetProperties(), args.ReadRPC.GetParent(), args.ReadRPC.GetProvider()
	}
	// The mocks drop what is unknown, so the properties are read again.
	given, err := plugin.UnmarshalProperties(declared, plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true, KeepResources: true})
	if err != nil {
		return "", nil, err
	}
	inputs, _ := r.plain(resource.NewProperty(given), args.TypeToken).(map[string]any)
	urn := string(resource.NewURN(tokens.QName(r.stack.Name), tokens.PackageName(r.project), parentType(parent), tokens.Type(args.TypeToken), args.Name))
	id, computed := maker{
		region: r.regionOf(provider), account: r.account, urn: urn, token: args.TypeToken, name: args.Name,
		existing: args.ReadRPC.GetId(), inputs: inputs, shape: r.shapes.of(args.TypeToken),
	}.make()
	switch {
	case args.ReadRPC != nil:
		id = args.ReadRPC.GetId()
	case !args.Custom: // a component computes its outputs itself
		id, computed = "", map[string]any{}
	}
	state := given.Copy()
	for key, value := range computed {
		state[resource.PropertyKey(key)] = resource.NewPropertyValue(value)
	}
	id, isDeployed := r.known(urn, args, id, state)
	outputs, _ := r.plain(resource.NewProperty(state), args.TypeToken).(map[string]any)
	if outputs == nil {
		outputs = map[string]any{}
	}
	if inputs == nil {
		inputs = map[string]any{}
	}
	dependencies := map[string][]string{}
	for property, on := range args.RegisterRPC.GetPropertyDependencies() {
		if urns := on.GetUrns(); len(urns) > 0 {
			dependencies[property] = slices.Sorted(slices.Values(urns))
		}
	}
	region := r.regionOf(provider)
	r.mu.Lock()
	defer r.mu.Unlock()
	if args.TypeToken == "aws:apigateway/restApi:RestApi" {
		r.apiRegion = region
	}
	if region, ok := inputs["region"].(string); ok && strings.HasPrefix(args.TypeToken, "pulumi:providers:") {
		r.providers[urn] = region
	}
	r.resources = append(r.resources, graph.Resource{
		URN: urn, Type: args.TypeToken, Name: args.Name, ID: id, Existing: args.ReadRPC != nil, Deployed: isDeployed, Component: args.ReadRPC == nil && !args.Custom,
		Inputs: inputs, Outputs: outputs,
		Dependencies:         slices.Sorted(slices.Values(args.RegisterRPC.GetDependencies())),
		PropertyDependencies: dependencies,
	})
	return id, state, nil
}

// known replaces what was made up by what is known: outputs of the deployed resource, and
// those of the file of local values. It returns the ID. What is made here itself, such as
// the API, keeps its own.
func (r *recorder) known(urn string, args pulumi.MockResourceArgs, id string, state resource.PropertyMap) (newID string, isDeployed bool) {
	if !graph.Decides(args.TypeToken) {
		if deployed := r.deployed.find(urn, args.TypeToken, args.Name); deployed != nil {
			id, isDeployed = deployed.ID, true
			maps.Copy(state, deployed.properties())
		}
	}
	for key, value := range r.values.outputs(args.TypeToken, args.Name) {
		if key == "id" {
			id = fmt.Sprint(value)
			continue
		}
		state[resource.PropertyKey(key)] = resource.NewPropertyValue(value)
	}
	return id, isDeployed
}

// regionOf is the region of a provider, given as its URN and ID.
func (r *recorder) regionOf(provider string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for urn, region := range r.providers {
		if strings.HasPrefix(provider, urn+"::") {
			return region
		}
	}
	return r.region
}

// parentType is the part of a URN that names the resource's component, "" where the
// stack itself is the parent.
func parentType(parent string) tokens.Type {
	if urn := resource.URN(parent); parent != "" && urn.QualifiedType() != resource.RootStackType {
		return urn.QualifiedType()
	}
	return ""
}

// plain turns a property into a value for JSON. It hides secrets, because a graph is
// printed and stored. Functions that run on this machine need theirs.
func (r *recorder) plain(v resource.PropertyValue, token string) any {
	reveal := r.stack.Local && token == "aws:lambda/function:Function"
	var plain func(v resource.PropertyValue) (any, bool)
	plain = func(v resource.PropertyValue) (any, bool) {
		switch {
		case v.IsSecret() && reveal:
			return v.SecretValue().Element.MapRepl(nil, plain), true
		case v.IsSecret():
			return graph.Secret, true
		case v.IsComputed(), v.IsOutput():
			return graph.Unknown, true
		case v.IsArchive():
			return map[string]any{"path": v.ArchiveValue().Path}, true
		case v.IsAsset():
			return map[string]any{"path": v.AssetValue().Path}, true
		case v.IsResourceReference():
			return string(v.ResourceReferenceValue().URN), true
		}
		return nil, false
	}
	return v.MapRepl(nil, plain)
}
