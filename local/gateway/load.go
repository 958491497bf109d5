package gateway

import (
	"fmt"
	"strings"
	"time"

	"account-api/local/graph"
)

// loader turns a graph into an api and notes every problem on the way.
type loader struct {
	*problems
	graph     *graph.Graph
	api       *api
	resources map[string]*resource // by ID
	methods   map[string]*method   // by resource ID and verb
}

func load(g *graph.Graph) (*api, error) {
	l := &loader{problems: &problems{}, graph: g}
	check(g, l.problems)
	apis := g.OfType(typeRestAPI)
	if len(apis) != 1 {
		l.list = append(l.list, Problem{Resource: g.Stack, Type: typeRestAPI,
			Message: fmt.Sprintf("expected one REST API in the stack, got %d", len(apis))})
		return nil, l.err()
	}
	l.rest(apis[0])
	l.functions()
	l.tree()
	l.loadAuthorizers()
	l.loadMethods()
	l.loadMethodResponses()
	l.loadIntegrations()
	l.loadIntegrationResponses()
	l.loadGatewayResponses()
	l.loadPermissions()
	l.loadStages()
	l.loadLimits()
	for _, key := range names(l.methods) {
		if m := l.methods[key]; m.integration == nil {
			l.add(m.declared, "", "the method has no integration, so the API cannot be deployed: declare an apigateway.Integration for it")
		}
	}
	return l.api, l.err()
}

// each calls read for every resource of a type that belongs to the API.
func (l *loader) each(token string, read func(declared)) {
	for _, r := range l.graph.OfType(token) {
		d := declared{r, l.problems}
		property := "restApi"
		if token == typeGatewayResponse {
			property = "restApiId"
		}
		if owner := d.text(property, ""); owner != l.api.id {
			d.refuse(property, "expected the ID of the stack's REST API, %q, got %q", l.api.id, owner)
			continue
		}
		read(d)
	}
}

func (l *loader) rest(r graph.Resource) {
	d := declared{r, l.problems}
	l.api = &api{
		id: r.ID, name: d.text("name", r.Name), region: l.graph.Region, account: l.graph.Account,
		executionARN: r.String("executionArn"),
		stages:       map[string]*stage{}, authorizers: map[string]*authorizer{},
		responses: map[string]*gatewayResponse{}, functions: map[string]*function{},
	}
	if l.api.id == "" {
		l.api.id = r.String("id")
	}
	if l.api.executionARN == "" {
		l.api.executionARN = fmt.Sprintf("arn:aws:execute-api:%s:%s:%s", l.graph.Region, l.graph.Account, l.api.id)
	}
	if endpoint, ok := r.Inputs["endpointConfiguration"].(map[string]any); ok && strings.Contains(fmt.Sprint(endpoint["types"]), "PRIVATE") {
		d.refuse("endpointConfiguration", "a private API is not modelled: use REGIONAL or EDGE")
	}
	rootID := r.String("rootResourceId")
	if rootID == "" {
		d.refuse("rootResourceId", "the recorded API has no root resource ID")
	}
	l.api.root = newResource(rootID, "/")
	l.resources = map[string]*resource{rootID: l.api.root}
}

func (l *loader) functions() {
	for _, r := range l.graph.OfType(typeFunction) {
		f := &function{name: r.String("name"), arn: r.String("arn"), environment: map[string]string{}}
		if f.arn == "" || f.name == "" {
			l.add(r, "arn", "the recorded function has no ARN or no name")
			continue
		}
		if block, ok := r.Inputs["environment"].(map[string]any); ok {
			variables, _ := block["variables"].(map[string]any)
			for name, value := range variables {
				f.environment[name], _ = value.(string)
			}
		}
		l.api.functions[f.arn] = f
	}
}

// invoked resolves an integration or authorizer URI to the function it names.
// https://docs.aws.amazon.com/apigateway/latest/api/API_PutIntegration.html (uri)
func (l *loader) invoked(d declared, property string) *function {
	uri := d.text(property, "")
	prefix := fmt.Sprintf("arn:aws:apigateway:%s:lambda:path/2015-03-31/functions/", l.graph.Region)
	rest, ok := strings.CutPrefix(uri, prefix)
	arn, end := strings.CutSuffix(rest, "/invocations")
	if !ok || !end {
		d.refuse(property, "expected %s<function ARN>/invocations: use the function's InvokeArn", prefix)
		return nil
	}
	f := l.api.functions[arn]
	if f == nil {
		d.refuse(property, "names a function that the stack does not declare: use the InvokeArn of one that it does")
	}
	return f
}

func (l *loader) loadAuthorizers() {
	l.each(typeAuthorizer, func(d declared) {
		a := &authorizer{declared: d.Resource, id: d.ID, name: d.text("name", d.Name)}
		a.function = l.invoked(d, "authorizerUri")
		source := d.text("identitySource", "method.request.header.Authorization")
		header, ok := strings.CutPrefix(source, "method.request.header.")
		if !ok || !validHeaderName(header) {
			d.refuse("identitySource", "expected method.request.header.<name>, got %q: a TOKEN authorizer reads one header", source)
		}
		a.header = header
		a.source = d.text("identityValidationExpression", "")
		if a.source != "" {
			expression, err := compileJava(a.source)
			if err != nil {
				d.refuse("identityValidationExpression", "%v", err)
			}
			a.expression = expression
		}
		// Default and range: https://docs.aws.amazon.com/apigateway/latest/api/API_CreateAuthorizer.html
		a.ttl = time.Duration(d.integer("authorizerResultTtlInSeconds", 300, 0, 3600)) * time.Second
		l.api.authorizers[a.id] = a
	})
}

func (l *loader) loadGatewayResponses() {
	l.each(typeGatewayResponse, func(d declared) {
		response := parseGatewayResponse(d)
		if response == nil {
			return
		}
		if _, ok := l.api.responses[response.kind]; ok {
			d.refuse("responseType", "%s is declared twice: keep one", response.kind)
		}
		l.api.responses[response.kind] = response
	})
}

func (l *loader) loadPermissions() {
	for _, r := range l.graph.OfType(typePermission) {
		d := declared{r, l.problems}
		l.api.permissions = append(l.api.permissions, permission{
			declared: r,
			action:   d.text("action", ""), function: d.text("function", ""), principal: d.text("principal", ""),
			sourceARN: d.text("sourceArn", ""), sourceAccount: d.text("sourceAccount", ""), qualifier: d.text("qualifier", ""),
		})
	}
}

func (l *loader) loadStages() {
	deployments := map[string]bool{}
	l.each(typeDeployment, func(d declared) { deployments[d.ID] = true })
	l.each(typeStage, func(d declared) {
		s := &stage{declared: d.Resource, name: d.text("stageName", ""), deploymentID: d.text("deployment", ""), variables: d.texts("variables")}
		if s.name == "" || strings.Trim(s.name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			d.refuse("stageName", "expected letters, digits, hyphens and underscores, got %q", s.name)
		}
		if !deployments[s.deploymentID] {
			d.refuse("deployment", "names no deployment of the stack: use the ID of an apigateway.Deployment")
		}
		if _, ok := l.api.stages[s.name]; ok {
			d.refuse("stageName", "%q is declared twice: keep one", s.name)
		}
		l.api.stages[s.name] = s
	})
	if len(l.api.stages) == 0 {
		l.list = append(l.list, Problem{Resource: l.api.name, Type: typeRestAPI, Message: "the API has no stage, so nothing is live: declare an apigateway.Stage"})
	}
}
