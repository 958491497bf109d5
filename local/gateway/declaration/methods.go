package declaration

import (
	"slices"
	"strings"

	"account-api/local/gateway/gatewayresponse"
)

type methods []*Method

// readMethods reads the methods with their integrations and responses, and adds each to
// its resource.
func readMethods(d *document, resources map[string]*Resource, authorizers []*Authorizer, f functions) methods {
	validators := map[string]bool{} // ID → validates parameters
	d.each(TypeRequestValidator, func(r declared) { validators[r.ID] = value[bool](r, "validateRequestParameters") })
	var all methods
	d.each(TypeMethod, func(r declared) {
		m := &Method{Declared: r.Name, Verb: r.text("httpMethod", ""), OperationName: r.text("operationName", ""),
			Authorizer: authorizerOf(r, authorizers), Required: required(r, validators), Responses: map[int]MethodResponse{}, resourceID: r.text("resourceId", "")}
		if m.Verb != "ANY" && !slices.Contains(Verbs, m.Verb) {
			r.refuse("httpMethod", "expected ANY or one of %s, got %q", strings.Join(Verbs, ", "), m.Verb)
			return
		}
		parent := resources[m.resourceID]
		if parent == nil {
			r.refuse("resourceId", "names no resource of the API: use an apigateway.Resource's ID")
			return
		}
		if slices.ContainsFunc(parent.Methods, func(other *Method) bool { return other.Verb == m.Verb }) {
			r.refuse("httpMethod", "%s %s is declared twice: keep one", m.Verb, parent.Path)
		}
		m.Path, parent.Methods = parent.Path, append(parent.Methods, m)
		all = append(all, m)
	})
	d.each(TypeIntegration, func(r declared) {
		m := all.of(r)
		if m == nil {
			return
		}
		if m.Integration != nil {
			r.refuse("httpMethod", "the method has two integrations: keep one")
		}
		m.Integration = readIntegration(r, f)
	})
	d.each(TypeMethodResponse, func(r declared) {
		if m := all.of(r); m != nil {
			m.Responses[status(r)] = readMethodResponse(r)
		}
	})
	d.each(TypeIntegrationResponse, func(r declared) {
		m, response := all.of(r), readIntegrationResponse(r)
		if m == nil || m.Integration == nil || m.Integration.Mock == nil {
			return // a Lambda proxy answers with its own status and headers
		}
		mock := m.Integration.Mock
		for _, other := range mock.Responses {
			if other.Pattern == nil && response.Pattern == nil {
				r.refuse("selectionPattern", "%s is the default as well: give one of them a pattern", other.Declared)
			}
		}
		mock.Responses = append(mock.Responses, response)
	})
	for _, m := range all {
		if m.Integration == nil {
			d.add(TypeMethod, m.Declared, "", "the method has no integration, so the API cannot be deployed: declare an apigateway.Integration for it")
		}
	}
	return all
}

// authorizerOf returns the authorizer that a method declares; nil when it is open.
func authorizerOf(d declared, authorizers []*Authorizer) *Authorizer {
	switch authorization, id := d.text("authorization", ""), d.text("authorizerId", ""); {
	case authorization == "":
		d.refuse("authorization", "is missing: say NONE or CUSTOM")
	case authorization == "CUSTOM":
		for _, a := range authorizers {
			if a.ID == id {
				return a
			}
		}
		d.refuse("authorizerId", "names no authorizer of the API: use an apigateway.Authorizer's ID")
	case id != "":
		d.refuse("authorizerId", "has no effect with authorization NONE, so the method would be open: say CUSTOM or remove it")
	}
	return nil
}

// required reads the parameters that a request validator insists on. Without a validator,
// a required parameter is documentation.
func required(d declared, validators map[string]bool) []gatewayresponse.Reference {
	var all []gatewayresponse.Reference
	names, insists := members[bool](d, "requestParameters")
	for _, name := range names {
		reference, ok := gatewayresponse.ParseReference(name)
		if !ok || !reference.Parameter() {
			d.refuse("requestParameters", "expected method.request.header|querystring|path.<name>, got %q", name)
		}
		if insists[name] {
			all = append(all, reference)
		}
	}
	id := d.text("requestValidatorId", "")
	validates, known := validators[id]
	if id != "" && !known {
		d.refuse("requestValidatorId", "names no validator of the API: use an apigateway.RequestValidator's ID")
	}
	if !validates {
		return nil
	}
	return all
}

// of returns the method that a resource is about.
func (all methods) of(d declared) *Method {
	id, verb := d.text("resourceId", ""), d.text("httpMethod", "")
	for _, m := range all {
		if m.resourceID == id && m.Verb == verb {
			return m
		}
	}
	d.refuse("httpMethod", "names no method of the API: use the ResourceId and HttpMethod of an apigateway.Method")
	return nil
}

func readMethodResponse(d declared) MethodResponse {
	r := MethodResponse{Declared: d.Name}
	parameters, _ := members[bool](d, "responseParameters")
	for _, parameter := range parameters {
		r.Headers = append(r.Headers, d.headerIn("responseParameters", parameter, "method.response.header."))
	}
	return r
}
