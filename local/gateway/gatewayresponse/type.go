// Package gatewayresponse is what API Gateway itself answers: the response types with
// their defaults, and what a stack makes of them. Its templates and headers are parsed
// values. It reads no declaration and answers no request.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
package gatewayresponse

// Type is a gateway response type.
type Type string

// The types that this gateway answers with, of those that are documented.
const (
	AccessDenied          Type = "ACCESS_DENIED"
	APIConfigurationError Type = "API_CONFIGURATION_ERROR"
	AuthorizerConfigError Type = "AUTHORIZER_CONFIGURATION_ERROR"
	BadRequestBody        Type = "BAD_REQUEST_BODY"
	BadRequestParameters  Type = "BAD_REQUEST_PARAMETERS"
	Default4XX            Type = "DEFAULT_4XX"
	Default5XX            Type = "DEFAULT_5XX"
	IntegrationFailure    Type = "INTEGRATION_FAILURE"
	IntegrationTimeout    Type = "INTEGRATION_TIMEOUT"
	MissingAuthentication Type = "MISSING_AUTHENTICATION_TOKEN"
	RequestTooLarge       Type = "REQUEST_TOO_LARGE"
	Throttled             Type = "THROTTLED"
	Unauthorized          Type = "UNAUTHORIZED"
	UnsupportedMediaType  Type = "UNSUPPORTED_MEDIA_TYPE"
)

// The built-in templates. The first is the documented one. Some types are answered with
// one of the others.
var (
	message        = mustParse(`{"message":$context.error.messageString}`)
	spacedMessage  = mustParse(`{"message": $context.error.messageString}`)
	capitalMessage = mustParse(`{"Message":$context.error.messageString}`)
)

// BuiltIn is what a type answers when the stack does not customise it.
type BuiltIn struct {
	Status    int    // 0 for the two families
	Message   string // "" = null
	ErrorType string // x-amzn-ErrorType
	Template  Template
}

const internalServerError = "Internal server error"

// Defaults has every type.
var Defaults = map[Type]BuiltIn{
	AccessDenied:          {403, "User is not authorized to access this resource", "AccessDeniedException", capitalMessage},
	APIConfigurationError: {500, internalServerError, "InternalServerErrorException", spacedMessage},
	AuthorizerConfigError: {500, "", "AuthorizerConfigurationException", message},
	"AUTHORIZER_FAILURE":  {500, "", "AuthorizerFailureException", message},
	BadRequestBody:        {400, "Invalid request body", "BadRequestException", spacedMessage},
	BadRequestParameters:  {400, "Missing required request parameters", "BadRequestException", spacedMessage},
	Default4XX:            {0, "", "", message},
	Default5XX:            {0, internalServerError, "InternalServerErrorException", spacedMessage},
	"EXPIRED_TOKEN":       {403, "", "ExpiredTokenException", message},
	IntegrationFailure:    {504, internalServerError, "InternalServerErrorException", spacedMessage},
	IntegrationTimeout:    {504, "Endpoint request timed out", "InternalServerErrorException", spacedMessage},
	"INVALID_API_KEY":     {403, "Forbidden", "ForbiddenException", message},
	"INVALID_SIGNATURE":   {403, "", "InvalidSignatureException", message},
	MissingAuthentication: {403, "Missing Authentication Token", "MissingAuthenticationTokenException", message},
	"QUOTA_EXCEEDED":      {429, "Limit Exceeded", "LimitExceededException", message},
	RequestTooLarge:       {413, "Request Too Long", "RequestTooLargeException", message},
	"RESOURCE_NOT_FOUND":  {404, "", "NotFoundException", message},
	Throttled:             {429, "Too Many Requests", "TooManyRequestsException", message},
	Unauthorized:          {401, "Unauthorized", "UnauthorizedException", message},
	UnsupportedMediaType:  {415, "Unsupported Media Type", "BadRequestException", spacedMessage},
	"WAF_FILTERED":        {403, "Forbidden", "ForbiddenException", message},
}

// Family is the default type that t inherits from.
func (t Type) Family() Type {
	if t == Default5XX || Defaults[t].Status >= 500 {
		return Default5XX
	}
	return Default4XX
}
