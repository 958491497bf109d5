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
	// answer. Without it every call costs two requests.
	preflightMaxAge = "7200"
	// requestHeaders must name Authorization: the wildcard does not cover it
	// (https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name).
	requestHeaders = "Authorization,Content-Type"
	// exposedHeaders are what a page may read beyond the safelisted headers.
	exposedHeaders = "WWW-Authenticate,x-amzn-RequestId"
	// retryAfter, in seconds, is when the authorizer has tried again to fetch the keys.
	retryAfter = "5"
)

// quoted is a literal in API Gateway's parameter mappings, which need the quotes.
func quoted(literal string) string { return "'" + literal + "'" }

// originHeaders allow the configured origin to read an answer.
func (s *stack) originHeaders() map[string]string {
	headers := map[string]string{
		"Access-Control-Allow-Origin":  s.config.AllowedOrigin,
		"Access-Control-Allow-Headers": requestHeaders,
	}
	if s.config.AllowedOrigin != "*" {
		headers["Vary"] = "Origin"
	}
	return headers
}

// newGatewayResponses makes API Gateway's own errors readable for a page on the
// allowed origin: if no handler ran, no handler's headers are sent.
//
// A response for one type replaces the family's default and inherits none of its
// headers, so UNAUTHORIZED repeats them. The templates are explicit because the
// built-in ones differ between types in the spelling of the message's key.
func (s *stack) newGatewayResponses(a *api) (published, error) {
	var parts published
	kinds := []string{"DEFAULT_4XX", "DEFAULT_5XX", "UNAUTHORIZED"}
	if s.config.Outage == 503 {
		// Which of the two it is when an authorizer fails, the records disagree on.
		kinds = append(kinds, "AUTHORIZER_FAILURE", "AUTHORIZER_CONFIGURATION_ERROR")
	}
	for _, kind := range kinds {
		headers := s.originHeaders()
		headers["Access-Control-Expose-Headers"] = exposedHeaders
		args := &apigateway.ResponseArgs{
			RestApiId:    a.ID(),
			ResponseType: pulumi.String(kind),
			ResponseTemplates: pulumi.StringMap{
				"application/json": pulumi.String(`{"message":$context.error.messageString}`),
			},
		}
		if kind == "UNAUTHORIZED" {
			args.StatusCode = pulumi.String("401")
			// RFC 9110 section 15.5.2: a 401 must say which scheme would help.
			headers["WWW-Authenticate"] = "Bearer"
		}
		if strings.HasPrefix(kind, "AUTHORIZER_") {
			args.StatusCode = pulumi.String("503")
			headers["Retry-After"] = retryAfter
			headers["Access-Control-Expose-Headers"] += ",Retry-After"
		}
		parameters := pulumi.StringMap{}
		for header, value := range headers {
			parameters["gatewayresponse.header."+header] = pulumi.String(quoted(value))
		}
		args.ResponseParameters = parameters
		if _, err := publish(s, &parts, apigateway.NewResponse, "gateway response "+kind, kind, args); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// addPreflight lets a browser ask whether it may call a path. The request carries no
// token, so the method has no authorizer, and API Gateway answers it alone.
func (r *routes) addPreflight(path string, methods []string) error {
	s, name, id := r.stack, "OPTIONS-"+resourceName(path), r.paths[path].ID()
	headers := s.originHeaders()
	headers["Access-Control-Allow-Methods"] = strings.Join(methods, ",")
	headers["Access-Control-Max-Age"] = preflightMaxAge
	// Vary is declared even where it is not sent, so that another origin changes only
	// what is mapped.
	declared, mapped := pulumi.BoolMap{"method.response.header.Vary": pulumi.Bool(true)}, pulumi.StringMap{}
	for header, value := range headers {
		declared["method.response.header."+header] = pulumi.Bool(true)
		mapped["method.response.header."+header] = pulumi.String(quoted(value))
	}
	method, err := publish(s, &r.published, apigateway.NewMethod, "method "+name, name, &apigateway.MethodArgs{
		RestApi: r.api.ID(), ResourceId: id,
		HttpMethod:    pulumi.String("OPTIONS"),
		Authorization: pulumi.String("NONE"),
	})
	if err != nil {
		return err
	}
	integration, err := publish(s, &r.published, apigateway.NewIntegration, "integration "+name, name, &apigateway.IntegrationArgs{
		RestApi: r.api.ID(), ResourceId: id, HttpMethod: method.HttpMethod,
		Type:                pulumi.String("MOCK"),
		PassthroughBehavior: pulumi.String("WHEN_NO_MATCH"),
		RequestTemplates: pulumi.StringMap{
			"application/json": pulumi.String(fmt.Sprintf(`{"statusCode": %s}`, preflightStatus)),
		},
	})
	if err != nil {
		return err
	}
	response, err := publish(s, &r.published, apigateway.NewMethodResponse, "method response "+name, name, &apigateway.MethodResponseArgs{
		RestApi: r.api.ID(), ResourceId: id, HttpMethod: method.HttpMethod,
		StatusCode:         pulumi.String(preflightStatus),
		ResponseParameters: declared,
	})
	if err != nil {
		return err
	}
	// AWS refuses to map a response of an integration that does not exist yet.
	after := pulumi.DependsOn([]pulumi.Resource{integration})
	_, err = publish(s, &r.published, apigateway.NewIntegrationResponse, "integration response "+name, name, &apigateway.IntegrationResponseArgs{
		RestApi: r.api.ID(), ResourceId: id, HttpMethod: method.HttpMethod,
		StatusCode:         response.StatusCode,
		ResponseParameters: mapped,
	}, after)
	return err
}
