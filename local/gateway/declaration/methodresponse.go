package declaration

import (
	"strings"

	"account-api/local/gateway/field"
	"account-api/local/graph"
)

// MethodResponse lists the headers that a method may answer with one status.
type MethodResponse struct {
	Declared graph.Resource
	Status   int
	Headers  []string
}

func readMethodResponse(d declared) MethodResponse {
	r := MethodResponse{Declared: d.Resource, Status: status(d)}
	parameters, _ := members[bool](d, "responseParameters")
	for _, parameter := range parameters {
		header, ok := strings.CutPrefix(parameter, "method.response.header.")
		if !ok || !field.ValidName(header) {
			d.refuse("responseParameters", "expected method.response.header.<name>, got %q", parameter)
		}
		r.Headers = append(r.Headers, header)
	}
	return r
}
