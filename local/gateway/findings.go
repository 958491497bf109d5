package gateway

import (
	"fmt"
	"slices"
	"time"

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

// Findings returns what would only fail in the cloud, in the order of the graph's
// resources by concern. It is the same for the same graph.
func (g *Gateway) Findings() []Finding { return slices.Clone(g.findings) }

type finder struct {
	graph *graph.Graph
	api   *api
	found []Finding
}

func (f *finder) add(r graph.Resource, fix, problem string, args ...any) {
	f.found = append(f.found, Finding{r.Name, r.Type, fmt.Sprintf(problem, args...), fix})
}

func find(g *graph.Graph, a *api) []Finding {
	f := &finder{graph: g, api: a}
	f.permissions()
	f.deployments()
	f.authorizers()
	f.integrations()
	f.logging()
	f.endpoint()
	f.cors()
	return f.found
}

// methods are all methods of the API, in the order of the graph.
func (f *finder) methods() []*method {
	var all []*method
	var walk func(r *resource)
	walk = func(r *resource) {
		for _, verb := range names(r.methods) {
			all = append(all, r.methods[verb])
		}
		for _, part := range names(r.static) {
			walk(r.static[part])
		}
		for _, child := range []*resource{r.variable, r.greedy} {
			if child != nil {
				walk(child)
			}
		}
	}
	walk(f.api.root)
	return all
}

// permissions: without them, every request is a 500.
func (f *finder) permissions() {
	for _, id := range names(f.api.authorizers) {
		a := f.api.authorizers[id]
		if ok, why := f.api.permitted(a.function, f.api.executionARN+"/authorizers/"+id); !ok {
			f.add(a.declared, `declare a lambda.Permission with SourceArn: pulumi.Sprintf("%s/authorizers/%s", api.ExecutionArn, authorizer.ID())`,
				`every request to a protected method is answered 500 {"message":null}: %s`, why)
		}
	}
	for _, m := range f.methods() {
		if m.integration.mock {
			continue
		}
		for _, stage := range names(f.api.stages) {
			for _, verb := range m.verbs() {
				source := fmt.Sprintf("%s/%s/%s%s", f.api.executionARN, stage, verb, m.resource.sourcePath())
				if ok, why := f.api.permitted(m.integration.function, source); !ok {
					f.add(m.integration.declared, fmt.Sprintf(`declare a lambda.Permission with SourceArn: pulumi.Sprintf("%%s/*/%s%s", api.ExecutionArn)`, anyAsStar(m.verb), m.resource.sourcePath()),
						"%s %s is answered 500 Internal server error: %s", verb, m.resource.path, why)
					break
				}
			}
		}
	}
}

func (m *method) verbs() []string {
	if m.verb == "ANY" {
		return anyVerb
	}
	return []string{m.verb}
}

func anyAsStar(verb string) string {
	if verb == "ANY" {
		return "*"
	}
	return verb
}

// published are the types that only a new deployment makes live.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/updating-api.html
var published = []string{
	typeMethod, typeIntegration, typeMethodResponse, typeIntegrationResponse, typeAuthorizer,
	typeGatewayResponse, typeRequestValidator, typeResource,
}

// deployments: a snapshot that is taken too early, or never again, lacks what was
// declared. That the triggers hash a resource cannot be read off the graph unless
// it is an output that they use; that the deployment waits for it can.
func (f *finder) deployments() {
	for _, d := range f.graph.OfType(typeDeployment) {
		if empty(d.Inputs["triggers"]) {
			f.add(d, `set Triggers to a hash of the methods, integrations, authorizer and gateway responses`,
				"a change is not live after an update, since nothing replaces the deployment")
		}
		for _, token := range published {
			for _, r := range f.graph.OfType(token) {
				if !f.waits(d, r.URN) {
					f.add(d, fmt.Sprintf("add %s to Triggers, or to pulumi.DependsOn", r.Name),
						"it does not depend on %s (%s), so it may be taken before that exists and never contain it", r.Name, r.Type)
				}
			}
		}
	}
}

// waits reports whether the deployment waits for urn, itself or through what it
// waits for.
func (f *finder) waits(d graph.Resource, urn string) bool {
	byURN := map[string]graph.Resource{}
	for _, r := range f.graph.Resources {
		byURN[r.URN] = r
	}
	seen := map[string]bool{}
	pending := dependencies(d)
	for len(pending) > 0 {
		next := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		if next == urn {
			return true
		}
		if !seen[next] {
			seen[next] = true
			pending = append(pending, dependencies(byURN[next])...)
		}
	}
	return false
}

func dependencies(r graph.Resource) []string {
	all := slices.Clone(r.Dependencies)
	for _, property := range names(r.PropertyDependencies) {
		all = append(all, r.PropertyDependencies[property]...)
	}
	return all
}

// authorizers: a cached policy for one method refuses every other.
func (f *finder) authorizers() {
	for _, id := range names(f.api.authorizers) {
		a := f.api.authorizers[id]
		if a.ttl > 0 && a.function.environment["POLICY_SCOPE"] != "api" {
			f.add(a.declared, `set POLICY_SCOPE to "api" in the authorizer function's Environment, or AuthorizerResultTtlInSeconds to 0`,
				"results are cached for %d s, but %s answers a policy for one method only: with the same token every other method is answered 403 until the entry expires", a.ttl/time.Second, a.function.name)
		}
	}
}

func (f *finder) integrations() {
	for _, m := range f.methods() {
		i := m.integration
		if !i.mock && i.httpMethod != "POST" {
			f.add(i.declared, `IntegrationHttpMethod: pulumi.String("POST")`,
				"%s %s is answered 500: a function is only called with POST, not %s", m.verb, m.resource.path, i.httpMethod)
		}
		if i.mock {
			f.mock(m)
		}
	}
}

func (f *finder) mock(m *method) {
	i := m.integration
	if len(i.templates) == 0 {
		f.add(i.declared, `RequestTemplates: pulumi.StringMap{"application/json": pulumi.String("{\"statusCode\": 200}")}`,
			"%s %s is answered 500: the mock has no request template", m.verb, m.resource.path)
	}
	for _, contentType := range names(i.templates) {
		t := i.templates[contentType]
		switch {
		case t.problem != "":
			f.add(i.declared, `write the template as {"statusCode": 200}`, "%s %s is answered 500: %s", m.verb, m.resource.path, t.problem)
		case i.selects(t.status) == nil:
			f.add(i.declared, "declare an apigateway.IntegrationResponse without SelectionPattern",
				"%s %s is answered 500: no integration response matches status %d", m.verb, m.resource.path, t.status)
		}
	}
	for _, r := range i.responses {
		declared, ok := m.responses[fmt.Sprint(r.status)]
		if !ok {
			f.add(r.declared, fmt.Sprintf(`declare an apigateway.MethodResponse with StatusCode "%d"`, r.status),
				"the update fails: the method has no response %d", r.status)
			continue
		}
		for _, name := range names(r.headers) {
			if _, ok := declared.headers[name]; !ok {
				f.add(r.declared, fmt.Sprintf(`add "method.response.header.%s": pulumi.Bool(true) to ResponseParameters of %s`, name, declared.declared.Name),
					"the update fails: it maps header %s, which the method response does not declare", name)
			}
		}
	}
}

// logging: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
func (f *finder) logging() {
	if len(f.graph.OfType(typeAccount)) > 0 {
		return
	}
	for _, name := range names(f.api.stages) {
		for _, l := range f.api.stages[name].limits {
			if l.logs {
				f.add(l.declared, `if it has none, declare an apigateway.Account (config manageApiGatewayAccount: true), or set LoggingLevel to "OFF"`,
					`in an AWS account without a log role for API Gateway, the update fails with "CloudWatch Logs role ARN must be set in account settings to enable logging"`)
			}
		}
	}
}

func (f *finder) endpoint() {
	for _, r := range f.graph.OfType(typeRestAPI) {
		disabled, _ := r.Inputs["disableExecuteApiEndpoint"].(bool)
		if disabled && len(f.graph.OfType(typeBasePathMapping)) == 0 {
			f.add(r, "declare an apigateway.DomainName and a BasePathMapping, or remove DisableExecuteApiEndpoint",
				"the API cannot be reached: its own endpoint is disabled and no domain is mapped to it")
		}
	}
	for _, kind := range names(f.api.responses) {
		if r := f.api.responses[kind]; r.status >= 200 && r.status < 300 {
			f.add(r.declared, "remove StatusCode, so that each type keeps its own", "a refused request is answered %d, which clients take for success", r.status)
		}
	}
	if r, ok := f.api.responses[requestTooLarge]; ok {
		f.add(r.declared, "remove it", "it has no effect: this type cannot be customised")
	}
}
