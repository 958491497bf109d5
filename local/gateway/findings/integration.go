package findings

import (
	"fmt"
	"maps"
	"slices"

	"account-api/local/gateway/declaration"
)

// integrations finds methods that are always answered 500, and mocks that cannot be
// deployed.
func integrations(f *finder) {
	for _, m := range f.api.Methods {
		if i := m.Integration; i.Mock != nil {
			mockTemplates(f, m)
			mockResponses(f, m)
		} else if i.HTTPMethod != "POST" {
			f.add(declaration.TypeIntegration, i.Declared, `IntegrationHttpMethod: pulumi.String("POST")`,
				"%s %s is answered 500: a function is only called with POST, not %s", m.Verb, m.Path, i.HTTPMethod)
		}
	}
}

func mockTemplates(f *finder, m *declaration.Method) {
	i := m.Integration
	if len(i.Mock.Templates) == 0 {
		f.add(declaration.TypeIntegration, i.Declared, `RequestTemplates: pulumi.StringMap{"application/json": pulumi.String("{\"statusCode\": 200}")}`,
			"%s %s is answered 500: the mock has no request template", m.Verb, m.Path)
	}
	for _, contentType := range slices.Sorted(maps.Keys(i.Mock.Templates)) {
		switch t := i.Mock.Templates[contentType]; {
		case t.Err != nil:
			f.add(declaration.TypeIntegration, i.Declared, `write the template as {"statusCode": 200}`, "%s %s is answered 500: %v", m.Verb, m.Path, t.Err)
		case i.Mock.Select(t.Status) == nil:
			f.add(declaration.TypeIntegration, i.Declared, "declare an apigateway.IntegrationResponse without SelectionPattern",
				"%s %s is answered 500: no integration response matches status %d", m.Verb, m.Path, t.Status)
		}
	}
}

func mockResponses(f *finder, m *declaration.Method) {
	for _, r := range m.Integration.Mock.Responses {
		response, ok := m.Responses[r.Status]
		if !ok {
			f.add(declaration.TypeIntegrationResponse, r.Declared, fmt.Sprintf(`declare an apigateway.MethodResponse with StatusCode "%d"`, r.Status),
				"the update fails: the method has no response %d", r.Status)
			continue
		}
		for _, h := range r.Headers {
			if !slices.Contains(response.Headers, h.Name) {
				f.add(declaration.TypeIntegrationResponse, r.Declared, fmt.Sprintf(`add "method.response.header.%s": pulumi.Bool(true) to ResponseParameters of %s`, h.Name, response.Declared),
					"the update fails: it maps header %s, which the method response does not declare", h.Name)
			}
		}
	}
}
