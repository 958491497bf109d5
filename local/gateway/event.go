package gateway

import "unicode/utf8"

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
	Identity          caller         `json:"identity"`
	DomainName        string         `json:"domainName"`
	DeploymentID      string         `json:"deploymentId"`
	APIID             string         `json:"apiId"`
}

// caller is mostly null: its other members are for IAM and Cognito callers.
type caller struct {
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
	headers, query := c.forwarded(), parseQuery(c.request.URL.RawQuery)
	api, resource, e := c.gateway.api, c.match.resource, c.exchange
	event := proxyEvent{
		Resource: resource.Path, Path: c.path, HTTPMethod: e.Method,
		Headers: lastOf(headers), MultiValueHeaders: headers,
		Query: lastOf(query), MultiValueQuery: query,
		PathParameters: c.match.parameters, StageVariables: c.stage.Variables,
		RequestContext: requestContext{
			ResourceID: resource.ID, ResourcePath: resource.Path, OperationName: c.match.method.OperationName, HTTPMethod: e.Method,
			ExtendedRequestID: e.ExtendedRequestID, RequestID: e.RequestID,
			RequestTime: requestTime(e.Time), RequestTimeEpoch: e.Time.UnixMilli(),
			Path: "/" + c.stage.Name + c.sent, AccountID: api.Account, Protocol: c.request.Proto, Stage: c.stage.Name,
			DomainPrefix: api.ID, DomainName: api.DomainName(), DeploymentID: c.stage.DeploymentID, APIID: api.ID,
			Identity: caller{SourceIP: e.SourceIP},
		},
	}
	if agent := c.request.Header.Values("User-Agent"); len(agent) > 0 {
		event.RequestContext.Identity.UserAgent = new(last(agent))
	}
	if len(c.body) > 0 {
		event.Body = new(bodyText(c.body))
		if !utf8.Valid(c.body) {
			c.step(Differs, "the body is not UTF-8: here each wrong byte becomes a replacement character, which is not recorded of AWS; send it in base64, or declare a binary media type")
		}
	}
	if c.granted != nil {
		event.RequestContext.Authorizer = c.granted.forIntegration(c.authorizerLatency)
	}
	return event
}
