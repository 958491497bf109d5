// Package findings checks a declaration for what would only fail after the deployment,
// for the developer who sees it work here. It reads the model and the graph. It changes
// neither, refuses nothing, and answers no request.
package findings

import (
	"account-api/local/gateway/declaration"
	"account-api/local/graph"
)

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
