package gateway

import (
	"net/url"
	"strings"
	"time"
)

// proxyEvent is the payload (format version 1.0) of a Lambda proxy integration.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
type proxyEvent struct {
	Resource          string              `json:"resource"`
	Path              string              `json:"path"`
	HTTPMethod        string              `json:"httpMethod"`
	Headers           map[string]string   `json:"headers"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
	Query             map[string]string   `json:"queryStringParameters"`
	MultiValueQuery   map[string][]string `json:"multiValueQueryStringParameters"`
	PathParameters    map[string]string   `json:"pathParameters"`
	StageVariables    map[string]string   `json:"stageVariables"`
	RequestContext    requestContext      `json:"requestContext"`
	Body              *string             `json:"body"`
	IsBase64Encoded   bool                `json:"isBase64Encoded"`
}

type requestContext struct {
	ResourceID        string         `json:"resourceId"`
	Authorizer        map[string]any `json:"authorizer,omitempty"`
	ResourcePath      string         `json:"resourcePath"`
	OperationName     string         `json:"operationName,omitempty"`
	HTTPMethod        string         `json:"httpMethod"`
	ExtendedRequestID string         `json:"extendedRequestId"`
	RequestTime       string         `json:"requestTime"`
	Path              string         `json:"path"`
	AccountID         string         `json:"accountId"`
	Protocol          string         `json:"protocol"`
	Stage             string         `json:"stage"`
	DomainPrefix      string         `json:"domainPrefix"`
	RequestTimeEpoch  int64          `json:"requestTimeEpoch"`
	RequestID         string         `json:"requestId"`
	Identity          identity       `json:"identity"`
	DomainName        string         `json:"domainName"`
	DeploymentID      string         `json:"deploymentId"`
	APIID             string         `json:"apiId"`
}

// identity is mostly null: its fields belong to IAM and Cognito callers.
type identity struct {
	CognitoIdentityPoolID         *string `json:"cognitoIdentityPoolId"`
	AccountID                     *string `json:"accountId"`
	CognitoIdentityID             *string `json:"cognitoIdentityId"`
	Caller                        *string `json:"caller"`
	SourceIP                      string  `json:"sourceIp"`
	PrincipalOrgID                *string `json:"principalOrgId"`
	AccessKey                     *string `json:"accessKey"`
	CognitoAuthenticationType     *string `json:"cognitoAuthenticationType"`
	CognitoAuthenticationProvider *string `json:"cognitoAuthenticationProvider"`
	UserARN                       *string `json:"userArn"`
	UserAgent                     *string `json:"userAgent"`
	User                          *string `json:"user"`
}

// event builds what the function is invoked with.
func (c *call) event() proxyEvent {
	headers := c.forwarded()
	query := parseQuery(c.request.URL.RawQuery)
	verb := c.exchange.Method
	e := proxyEvent{
		Resource: c.match.resource.path, Path: c.path, HTTPMethod: verb,
		Headers: lastOf(headers), MultiValueHeaders: headers,
		Query: lastOf(query), MultiValueQuery: query,
		PathParameters: c.match.parameters,
		RequestContext: requestContext{
			ResourceID: c.match.resource.id, ResourcePath: c.match.resource.path,
			OperationName: c.match.method.operationName, HTTPMethod: verb,
			ExtendedRequestID: c.exchange.ExtendedRequestID, RequestID: c.exchange.RequestID,
			RequestTime: requestTime(c.exchange.Time), RequestTimeEpoch: c.exchange.Time.UnixMilli(),
			Path: "/" + c.stage.name + c.path, AccountID: c.gateway.api.account, Protocol: c.request.Proto,
			Stage: c.stage.name, DomainPrefix: c.gateway.api.id, DomainName: c.gateway.api.domainName(),
			DeploymentID: c.stage.deploymentID, APIID: c.gateway.api.id,
			Identity: identity{SourceIP: c.exchange.SourceIP},
		},
	}
	if agent := c.request.Header.Values("User-Agent"); len(agent) > 0 {
		e.RequestContext.Identity.UserAgent = ptr(last(agent))
	}
	if len(c.stage.variables) > 0 {
		e.StageVariables = c.stage.variables
	}
	if len(c.body) > 0 {
		// Without binary media types a body is text; what is not UTF-8 does not survive.
		e.Body = ptr(strings.ToValidUTF8(string(c.body), "\uFFFD"))
	}
	if c.granted != nil {
		e.RequestContext.Authorizer = c.granted.forIntegration(c.authorizerLatency)
	}
	return e
}

// domainName is the host of the deployed API. The Host header keeps the local one.
func (a *api) domainName() string { return a.id + ".execute-api." + a.region + ".amazonaws.com" }

// requestTime formats a time as access logs do.
func requestTime(t time.Time) string { return t.UTC().Format("02/Jan/2006:15:04:05 -0700") }

// lastOf keeps the last of several values; nil for none at all, which is null.
func lastOf[M ~map[string][]string](values M) map[string]string {
	if values == nil {
		return nil
	}
	single := make(map[string]string, len(values))
	for name, list := range values {
		single[name] = last(list)
	}
	return single
}

// parseQuery decodes a query string; nil when there is none. Only "&" separates,
// and what cannot be decoded is passed on as it came.
func parseQuery(raw string) map[string][]string {
	var values map[string][]string
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		if values == nil {
			values = map[string][]string{}
		}
		name, value, _ := strings.Cut(pair, "=")
		name, value = decode(name), decode(value)
		values[name] = append(values[name], value)
	}
	return values
}

func decode(s string) string {
	decoded, err := url.QueryUnescape(s)
	if err != nil {
		return s
	}
	return decoded
}
