package declaration

import "account-api/local/graph"

// document is the part of a graph that declares one REST API.
type document struct {
	*problems
	graph *graph.Graph
	apiID string
}

// each calls read for every resource of a type that belongs to the API.
func (d *document) each(token string, read func(declared)) {
	property := "restApi"
	if token == TypeGatewayResponse {
		property = "restApiId"
	}
	for _, r := range d.graph.OfType(token) {
		resource := declared{r, d.problems}
		if owner := resource.text(property, ""); owner != d.apiID {
			resource.refuse(property, "expected the ID of the stack's REST API, %q, got %q", d.apiID, owner)
			continue
		}
		read(resource)
	}
}
