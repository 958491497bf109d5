package graph

import "path"

// Paths maps the resources of the REST APIs to their paths, such as /orders/{order}. That of an
// API's root is "/". A resource whose parents are not all declared has none.
func (g *Graph) Paths() map[string]string {
	paths := map[string]string{}
	for _, api := range g.OfType("aws:apigateway/restApi:RestApi") {
		paths[api.String("rootResourceId")] = "/"
	}
	resources := g.OfType("aws:apigateway/resource:Resource")
	for range resources { // each round finds at least the children of the one before
		for _, r := range resources {
			if parent, known := paths[r.String("parentId")]; known {
				paths[r.ID] = path.Join(parent, r.String("pathPart"))
			}
		}
	}
	return paths
}
