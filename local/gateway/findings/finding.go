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

// finder collects what is found in one declaration.
type finder struct {
	graph *graph.Graph
	api   *declaration.API
	found []Finding
}

func (f *finder) add(token, name, fix, problem string, args ...any) {
	f.found = append(f.found, Finding{name, token, fmt.Sprintf(problem, args...), fix})
}
