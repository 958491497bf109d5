package gateway

// fault is an answer that the gateway gives itself, before it is rendered.
type fault struct {
	kind    string  // gateway response type
	status  int     // 0 = the type's own
	message *string // nil renders as null
	reason  string  // for the developer, never for the client
}

func newFault(kind, reason string) *fault {
	f := &fault{kind: kind, reason: reason}
	if message := builtIn[kind].message; message != "" {
		f.message = &message
	}
	return f
}

// saying replaces the type's own message.
func (f *fault) saying(message string) *fault {
	f.message = &message
	return f
}

// Gateway response types.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
const (
	accessDenied          = "ACCESS_DENIED"
	apiConfigurationError = "API_CONFIGURATION_ERROR"
	authorizerConfigError = "AUTHORIZER_CONFIGURATION_ERROR"
	authorizerFailure     = "AUTHORIZER_FAILURE"
	badRequestBody        = "BAD_REQUEST_BODY"
	badRequestParameters  = "BAD_REQUEST_PARAMETERS"
	default4XX            = "DEFAULT_4XX"
	default5XX            = "DEFAULT_5XX"
	expiredToken          = "EXPIRED_TOKEN"
	integrationFailure    = "INTEGRATION_FAILURE"
	integrationTimeout    = "INTEGRATION_TIMEOUT"
	invalidAPIKey         = "INVALID_API_KEY"
	invalidSignature      = "INVALID_SIGNATURE"
	missingAuthentication = "MISSING_AUTHENTICATION_TOKEN"
	quotaExceeded         = "QUOTA_EXCEEDED"
	requestTooLarge       = "REQUEST_TOO_LARGE"
	resourceNotFound      = "RESOURCE_NOT_FOUND"
	throttled             = "THROTTLED"
	unauthorized          = "UNAUTHORIZED"
	unsupportedMediaType  = "UNSUPPORTED_MEDIA_TYPE"
	wafFiltered           = "WAF_FILTERED"
)

// Built-in bodies. The first is what an uncustomised type is documented to have;
// the other two are what API Gateway sends nevertheless.
const (
	messageTemplate = `{"message":$context.error.messageString}`
	spacedTemplate  = `{"message": $context.error.messageString}`
	capitalTemplate = `{"Message":$context.error.messageString}`
)

type builtInResponse struct {
	status    int    // 0 for the two families
	message   string // "" = null
	errorType string // x-amzn-ErrorType
	template  string // "" = messageTemplate
}

// builtIn is what each type answers when the stack does not customise it.
var builtIn = map[string]builtInResponse{
	accessDenied:          {403, "User is not authorized to access this resource", "AccessDeniedException", capitalTemplate},
	apiConfigurationError: {500, internalServerError, "InternalServerErrorException", spacedTemplate},
	authorizerConfigError: {500, "", "AuthorizerConfigurationException", ""},
	authorizerFailure:     {500, "", "AuthorizerFailureException", ""},
	badRequestBody:        {400, "Invalid request body", "BadRequestException", spacedTemplate},
	badRequestParameters:  {400, "Missing required request parameters", "BadRequestException", spacedTemplate},
	default4XX:            {},
	default5XX:            {0, internalServerError, "InternalServerErrorException", spacedTemplate},
	expiredToken:          {403, "", "ExpiredTokenException", ""},
	integrationFailure:    {504, internalServerError, "InternalServerErrorException", spacedTemplate},
	integrationTimeout:    {504, "Endpoint request timed out", "InternalServerErrorException", spacedTemplate},
	invalidAPIKey:         {403, "Forbidden", "ForbiddenException", ""},
	invalidSignature:      {403, "", "InvalidSignatureException", ""},
	missingAuthentication: {403, "Missing Authentication Token", "MissingAuthenticationTokenException", ""},
	quotaExceeded:         {429, "Limit Exceeded", "LimitExceededException", ""},
	requestTooLarge:       {413, "Request Too Long", "RequestTooLargeException", ""},
	resourceNotFound:      {404, "", "NotFoundException", ""},
	throttled:             {429, "Too Many Requests", "TooManyRequestsException", ""},
	unauthorized:          {401, "Unauthorized", "UnauthorizedException", ""},
	unsupportedMediaType:  {415, "Unsupported Media Type", "BadRequestException", spacedTemplate},
	wafFiltered:           {403, "Forbidden", "ForbiddenException", ""},
}

const (
	internalServerError = "Internal server error"
	explicitDenyMessage = "User is not authorized to access this resource with an explicit deny in an identity-based policy"
)

// family is the default that a type inherits from.
func family(kind string) string {
	if builtIn[kind].status >= 500 || kind == default5XX {
		return default5XX
	}
	return default4XX
}
