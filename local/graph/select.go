package graph

import (
	"fmt"
	"slices"
	"strings"
)

const typeRestAPI = "aws:apigateway/restApi:RestApi"

// Select returns the graph with one of its REST APIs, by its logical name in the program
// or its name. "" is for the only one.
func (g *Graph) Select(name string) (*Graph, error) {
	apis := g.OfType(typeRestAPI)
	if name == "" && len(apis) < 2 {
		return g, nil
	}
	chosen := slices.IndexFunc(apis, func(r Resource) bool { return name != "" && (r.Name == name || r.String("name") == name) })
	if chosen < 0 {
		var names []string
		for _, r := range apis {
			names = append(names, r.Name)
		}
		there := strings.Join(names, ", ")
		if len(apis) < 2 {
			return nil, fmt.Errorf("no REST API of the stack is named %q: there is %s: make run without API=", name, there)
		}
		return nil, fmt.Errorf("the stack has %d REST APIs, %s, and one is served at a time: make run API=%s", len(apis), there, names[0])
	}
	selected := *g
	selected.Resources = nil
	for _, r := range g.Resources {
		switch owner := ownerOf(r); {
		case owner == "" || owner == apis[chosen].ID:
			selected.Resources = append(selected.Resources, r)
		case r.Type == typeRestAPI:
			selected.Unselected = append(selected.Unselected, r.Name)
		}
	}
	return &selected, nil
}

// ownerOf is the ID of the REST API that a resource belongs to, "" if to none.
func ownerOf(r Resource) string {
	if r.Type == typeRestAPI {
		return r.ID
	}
	if !strings.HasPrefix(r.Type, "aws:apigateway/") {
		return ""
	}
	for _, property := range []string{"restApi", "restApiId"} {
		if id, ok := r.Inputs[property].(string); ok {
			return id
		}
	}
	return ""
}
