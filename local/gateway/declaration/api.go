// Package declaration reads what a stack declares of one REST API into a typed model, for
// the gateway that serves it. All parsing happens here, once. It refuses by name every
// resource and property that is not modelled, and answers no request.
package declaration

import (
	"cmp"
	"fmt"
	"strings"

	"account-api/local/gateway/gatewayresponse"
	"account-api/local/graph"
)

// API is a REST API as the stack declares it. It is only read after [Read].
type API struct {
	ID           string
	Region       string
	Account      string
	ExecutionARN string // arn:aws:execute-api:REGION:ACCOUNT:API
	Root         *Resource
	Methods      []*Method
	Authorizers  []*Authorizer
	Stages       map[string]*Stage // by name
	Responses    map[gatewayresponse.Type]*gatewayresponse.Response

	permissions []permission
}

// Read reads the stack. Its error is an [*Unsupported].
func Read(g *graph.Graph) (*API, error) {
	p := &problems{}
	checkModelled(g, p)
	apis := g.OfType(TypeRestAPI)
	if len(apis) != 1 {
		p.add(TypeRestAPI, g.Stack, "", "expected one REST API in the stack, got %d%s", len(apis), otherAPIs(g))
		return nil, &Unsupported{p.list}
	}
	r := declared{apis[0], p}
	if endpoint := value[map[string]any](r, "endpointConfiguration"); strings.Contains(fmt.Sprint(endpoint["types"]), "PRIVATE") {
		r.refuse("endpointConfiguration", "a private API is not modelled: use REGIONAL or EDGE")
	}
	rootID := r.String("rootResourceId")
	if rootID == "" {
		r.refuse("rootResourceId", "the recorded API has no root resource ID")
	}
	d := &document{problems: p, graph: g, apiID: cmp.Or(r.ID, r.String("id"))}
	functions := readFunctions(d)
	authorizers := readAuthorizers(d, functions)
	resources := readResources(d, rootID)
	methods := readMethods(d, resources, authorizers, functions)
	api := &API{
		ID: d.apiID, Region: g.Region, Account: g.Account,
		ExecutionARN: cmp.Or(r.String("executionArn"), fmt.Sprintf("arn:aws:execute-api:%s:%s:%s", g.Region, g.Account, d.apiID)),
		Root:         resources[rootID],
		Methods:      methods,
		Authorizers:  authorizers,
		Stages:       readStages(d, r.Name, methods),
		Responses:    readGatewayResponses(d),
		permissions:  readPermissions(d),
	}
	if len(p.list) > 0 {
		return nil, &Unsupported{p.list}
	}
	return api, nil
}

// otherAPIs names APIs of a kind that is not modelled.
func otherAPIs(g *graph.Graph) string {
	for _, r := range g.Resources {
		if strings.HasPrefix(r.Type, "aws:apigatewayv2/api:") || strings.HasPrefix(r.Type, "aws-native:apigateway:RestApi") ||
			strings.HasPrefix(r.Type, "aws-native:apigatewayv2:Api") {
			return fmt.Sprintf("; %s (%s) is of another kind: declare it as apigateway.RestApi of the aws provider", r.Name, r.Type)
		}
	}
	return ""
}

// DomainName is the host of the deployed API.
func (a *API) DomainName() string { return a.ID + ".execute-api." + a.Region + ".amazonaws.com" }

// SourceARN is the caller of a method's function, as the function's resource policy sees
// it: "*" stands for a path parameter.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html
func (a *API) SourceARN(stage, verb string, m *Method) string {
	return a.ExecutionARN + "/" + stage + "/" + verb + m.SourcePath()
}

// AuthorizerARN is the caller of an authorizer's function.
func (a *API) AuthorizerARN(authorizer *Authorizer) string {
	return a.ExecutionARN + "/authorizers/" + authorizer.ID
}

// Forbids evaluates the functions' resource policies: may API Gateway, acting for source,
// invoke f? It returns "" if so, else why each permission that is about f does not match.
// https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
func (a *API) Forbids(f *Function, source string) (why string) {
	var near []string
	for _, p := range a.permissions {
		if !p.about(f) {
			continue
		}
		problem := p.refuses(f, source, a.Account)
		if problem == "" {
			return ""
		}
		near = append(near, p.name+": "+problem)
	}
	if len(near) == 0 {
		return fmt.Sprintf("no lambda.Permission lets %s invoke %s", principalAPIGateway, f)
	}
	return fmt.Sprintf("no lambda.Permission for %s matches (%s)", f, strings.Join(near, "; "))
}
