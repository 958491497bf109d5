// Package graph is what a Pulumi program declares for one stack: every resource with its
// inputs, its made-up outputs and its dependencies.
//
// The recorder runs the program and writes a graph. The gateway and tests read it without
// the Pulumi SDK.
package graph

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// Graph is one stack's declaration.
type Graph struct {
	Project string `json:"project"`
	Stack   string `json:"stack"`
	Region  string `json:"region"` // config aws:region
	Account string `json:"account"`
	// Bundles maps a deployment package, as a function's code names it, to the
	// directory of the handler that it is built from, relative to the project.
	Bundles map[string]string `json:"bundles"`
	// Endpoints are where functions reach AWS's services on this machine, by service.
	Endpoints map[string]string `json:"endpoints,omitempty"`
	Resources []Resource        `json:"resources"` // in URN order
	// Warnings are what the program logs for its operator.
	Warnings []string `json:"warnings,omitempty"`

	Unselected []string `json:"-"` // REST APIs that [Graph.Select] left out
}

// Resource is one declared resource.
type Resource struct {
	URN       string `json:"urn"`
	Type      string `json:"type"`                // Pulumi type token, e.g. "aws:apigateway/restApi:RestApi"
	Name      string `json:"name"`                // logical name in the program
	ID        string `json:"id"`                  // made up in the provider's form
	Existing  bool   `json:"existing,omitempty"`  // read by the program, not declared
	Deployed  bool   `json:"deployed,omitempty"`  // its outputs are those of a deployed stack
	Component bool   `json:"component,omitempty"` // only groups other resources
	// Inputs are the properties as declared. The provider's default applies to those that
	// are absent. An archive is {"path": "…"}.
	Inputs map[string]any `json:"inputs"`
	// Outputs are the inputs plus what a provider computes: arn, invokeArn, ….
	Outputs map[string]any `json:"outputs"`
	// Dependencies are the URNs that this resource waits for, by data or dependsOn.
	Dependencies []string `json:"dependencies,omitempty"`
	// PropertyDependencies are the URNs that each input was computed from.
	PropertyDependencies map[string][]string `json:"propertyDependencies,omitempty"`
}

// Read decodes a graph written by [Graph.Write].
func Read(r io.Reader) (*Graph, error) {
	var g Graph
	if err := json.NewDecoder(r).Decode(&g); err != nil {
		return nil, fmt.Errorf("read the stack's graph: %w", err)
	}
	return &g, nil
}

// Write encodes the graph as indented JSON, the same bytes for the same graph.
func (g *Graph) Write(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(g)
}

// OfType returns the resources of one Pulumi type token, in URN order.
func (g *Graph) OfType(token string) []Resource {
	var found []Resource
	for _, r := range g.Resources {
		if r.Type == token {
			found = append(found, r)
		}
	}
	return found
}

// One returns the only resource of a type. It errors if there is none or more than one.
func (g *Graph) One(token string) (Resource, error) {
	found := g.OfType(token)
	if len(found) != 1 {
		return Resource{}, fmt.Errorf("expected one resource of type %s, got %d", token, len(found))
	}
	return found[0], nil
}

// DependsOn reports whether the resource waits for urn.
func (r Resource) DependsOn(urn string) bool { return slices.Contains(r.Dependencies, urn) }

// String returns an output of the resource as text, or "" where it is absent or
// not text.
func (r Resource) String(property string) string {
	s, _ := r.Outputs[property].(string)
	return s
}

// Environment is what a function declares as its environment.
func (r Resource) Environment() map[string]string {
	declared, _ := r.Inputs["environment"].(map[string]any)
	variables, _ := declared["variables"].(map[string]any)
	values := make(map[string]string, len(variables))
	for name, value := range variables {
		values[name], _ = value.(string)
	}
	return values
}
