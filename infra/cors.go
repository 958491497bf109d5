package infra

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const (
	// preflightStatus answers a preflight without a body. Any status from 200 to 299
	// does: https://fetch.spec.whatwg.org/#cors-preflight-fetch
	preflightStatus = "204"
	// preflightMaxAge, in seconds, is the longest that Chromium keeps a preflight's
	// answer; without it every call costs two requests.
	preflightMaxAge = "7200"
	// requestHeaders must name Authorization: the wildcard does not cover it
	// (https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name).
	requestHeaders = "Authorization,Content-Type"
	// exposedHeaders may be read by a page, next to the few that always may.
	exposedHeaders = "WWW-Authenticate,x-amzn-RequestId"
)

// quoted is a literal in API Gateway's parameter mappings, which need the quotes.
func quoted(literal string) string { return "'" + literal + "'" }

// declareGatewayResponses makes API Gateway's own errors readable for a page on the
// allowed origin: a handler's headers are not sent when its handler never ran.
//
// A response for one type replaces the family's default and inherits none of its
// headers, so UNAUTHORIZED repeats them. The templates are explicit because the
// built-in ones differ between types in the spelling of the message's key.
func (s *stack) declareGatewayResponses() error {
	headers := map[string]string{
		"Access-Control-Allow-Origin":   s.config.AllowedOrigin,
		"Access-Control-Allow-Headers":  requestHeaders,
		"Access-Control-Expose-Headers": exposedHeaders,
	}
	if s.config.AllowedOrigin != "*" {
		headers["Vary"] = "Origin"
	}
	for _, response := range []struct {
		kind  string
		extra map[string]string
	}{
		{"DEFAULT_4XX", nil},
		{"DEFAULT_5XX", nil},
		// RFC 9110 section 15.5.2: a 401 must say which scheme would help.
		{"UNAUTHORIZED", map[string]string{"WWW-Authenticate": "Bearer"}},
	} {
		parameters := pulumi.StringMap{}
		for _, set := range []map[string]string{headers, response.extra} {
			for header, value := range set {
				parameters["gatewayresponse.header."+header] = pulumi.String(quoted(value))
			}
		}
		args := &apigateway.ResponseArgs{
			RestApiId:          s.api.ID(),
			ResponseType:       pulumi.String(response.kind),
			ResponseParameters: parameters,
			ResponseTemplates: pulumi.StringMap{
				"application/json": pulumi.String(`{"message":$context.error.messageString}`),
			},
		}
		if response.kind == "UNAUTHORIZED" {
			args.StatusCode = pulumi.String("401")
		}
		r, err := apigateway.NewResponse(s.ctx, response.kind, args)
		if err != nil {
			return err
		}
		s.publish("gateway response "+response.kind, r, args)
	}
	return nil
}

// declarePreflights lets a browser ask whether it may call a path. The question
// carries no token, so it has no authorizer, and API Gateway answers it alone.
func (s *stack) declarePreflights() error {
	for _, path := range paths(s.endpoints) {
		if err := s.declarePreflight(path); err != nil {
			return err
		}
	}
	return nil
}

func (s *stack) declarePreflight(path string) error {
	name := "OPTIONS-" + resourceName(path)
	id := s.paths[path].ID()
	headers := map[string]string{
		"Access-Control-Allow-Origin":  s.config.AllowedOrigin,
		"Access-Control-Allow-Headers": requestHeaders,
		"Access-Control-Allow-Methods": strings.Join(methodsOf(path, s.endpoints), ","),
		"Access-Control-Max-Age":       preflightMaxAge,
	}
	if s.config.AllowedOrigin != "*" {
		headers["Vary"] = "Origin"
	}
	// Vary is declared even where it is not sent, so that another origin changes only
	// what is mapped.
	declared, mapped := pulumi.BoolMap{"method.response.header.Vary": pulumi.Bool(true)}, pulumi.StringMap{}
	for header, value := range headers {
		declared["method.response.header."+header] = pulumi.Bool(true)
		mapped["method.response.header."+header] = pulumi.String(quoted(value))
	}

	methodArgs := &apigateway.MethodArgs{
		RestApi: s.api.ID(), ResourceId: id,
		HttpMethod:    pulumi.String("OPTIONS"),
		Authorization: pulumi.String("NONE"),
	}
	method, err := apigateway.NewMethod(s.ctx, name, methodArgs)
	if err != nil {
		return err
	}
	integrationArgs := &apigateway.IntegrationArgs{
		RestApi: s.api.ID(), ResourceId: id, HttpMethod: method.HttpMethod,
		Type:                pulumi.String("MOCK"),
		PassthroughBehavior: pulumi.String("WHEN_NO_MATCH"),
		RequestTemplates: pulumi.StringMap{
			"application/json": pulumi.String(fmt.Sprintf(`{"statusCode": %s}`, preflightStatus)),
		},
	}
	integration, err := apigateway.NewIntegration(s.ctx, name, integrationArgs)
	if err != nil {
		return err
	}
	responseArgs := &apigateway.MethodResponseArgs{
		RestApi: s.api.ID(), ResourceId: id, HttpMethod: method.HttpMethod,
		StatusCode:         pulumi.String(preflightStatus),
		ResponseParameters: declared,
	}
	response, err := apigateway.NewMethodResponse(s.ctx, name, responseArgs)
	if err != nil {
		return err
	}
	mappingArgs := &apigateway.IntegrationResponseArgs{
		RestApi: s.api.ID(), ResourceId: id, HttpMethod: method.HttpMethod,
		StatusCode:         response.StatusCode,
		ResponseParameters: mapped,
	}
	// AWS refuses to map a response of an integration that does not exist yet.
	mapping, err := apigateway.NewIntegrationResponse(s.ctx, name, mappingArgs,
		pulumi.DependsOn([]pulumi.Resource{integration}))
	if err != nil {
		return err
	}
	s.publish("method "+name, method, methodArgs)
	s.publish("integration "+name, integration, integrationArgs)
	s.publish("method response "+name, response, responseArgs)
	s.publish("integration response "+name, mapping, mappingArgs)
	return nil
}
