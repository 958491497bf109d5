package declaration

// Pulumi type tokens of the resources that decide how a request is answered.
const (
	TypeRestAPI             = "aws:apigateway/restApi:RestApi"
	TypeResource            = "aws:apigateway/resource:Resource"
	TypeMethod              = "aws:apigateway/method:Method"
	TypeIntegration         = "aws:apigateway/integration:Integration"
	TypeMethodResponse      = "aws:apigateway/methodResponse:MethodResponse"
	TypeIntegrationResponse = "aws:apigateway/integrationResponse:IntegrationResponse"
	TypeAuthorizer          = "aws:apigateway/authorizer:Authorizer"
	TypeGatewayResponse     = "aws:apigateway/response:Response"
	TypeDeployment          = "aws:apigateway/deployment:Deployment"
	TypeStage               = "aws:apigateway/stage:Stage"
	TypeRequestValidator    = "aws:apigateway/requestValidator:RequestValidator"
	TypeMethodSettings      = "aws:apigateway/methodSettings:MethodSettings"
	TypePermission          = "aws:lambda/permission:Permission"
	TypeFunction            = "aws:lambda/function:Function"
	TypeAlias               = "aws:lambda/alias:Alias"
	TypeAccount             = "aws:apigateway/account:Account"
	TypeBasePathMapping     = "aws:apigateway/basePathMapping:BasePathMapping"
)
