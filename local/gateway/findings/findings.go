// Package findings checks a declaration for what would only fail after the deployment,
// for the developer who sees it work here. It reads the model and the graph. It changes
// neither, refuses nothing, and answers no request.
package findings

import (
	"fmt"

	"account-api/local/gateway/declaration"
	"account-api/local/graph"
)

// Finding is something that works here, or nearly, and fails once it is deployed.
type Finding struct {
	Resource string // logical name in the program
	Type     string // Pulumi type token
	Problem  string // what will happen in the cloud
	Fix      string // the line to change
}

func (f Finding) String() string {
	return fmt.Sprintf("%s (%s): %s; fix: %s", f.Resource, f.Type, f.Problem, f.Fix)
}

// Of returns what would only fail in the cloud, by concern. It is the same for the same
// graph.
func Of(g *graph.Graph, api *declaration.API) []Finding {
	f := &finder{graph: g, api: api}
	permissions(f)
	deployments(f)
	integrations(f)
	logging(f)
	endpoint(f)
	gatewayResponses(f)
	preflights(f)
	return f.found
}

// finder collects what is found in one declaration.
type finder struct {
	graph *graph.Graph
	api   *declaration.API
	found []Finding
}

func (f *finder) add(token, name, fix, problem string, args ...any) {
	f.found = append(f.found, Finding{name, token, fmt.Sprintf(problem, args...), fix})
}
