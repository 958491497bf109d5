package infra

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// stage is a deployment in service, with a log of its requests.
type stage struct {
	*apigateway.Stage
	accessLog *cloudwatch.LogGroup
}

// newStage declares a deployment of the API's parts, and the stage that serves it under
// the stack's name. It waits until API Gateway may invoke what the deployment calls.
func (s *stack) newStage(a *api, parts published, permissions []pulumi.Resource) (*stage, error) {
	deployment, err := apigateway.NewDeployment(s.ctx, "account", &apigateway.DeploymentArgs{
		RestApi:  a.ID(),
		Triggers: pulumi.StringMap{"published": parts.fingerprint()},
	}, pulumi.DependsOn(parts.resources()))
	if err != nil {
		return nil, err
	}
	accessLog, err := s.newLogGroup("access", pulumi.String("/aws/apigateway/"+s.name("access")))
	if err != nil {
		return nil, err
	}
	format, err := accessLogFormat()
	if err != nil {
		return nil, err
	}
	// API Gateway would create this one itself, without retention and outside this
	// stack. The name is API Gateway's:
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
	executionLog, err := s.newLogGroup("execution", pulumi.Sprintf("API-Gateway-Execution-Logs_%s/%s", a.ID(), s.ctx.Stack()))
	if err != nil {
		return nil, err
	}
	options, err := s.accountOptions()
	if err != nil {
		return nil, err
	}
	served, err := apigateway.NewStage(s.ctx, "account", &apigateway.StageArgs{
		RestApi:            a.ID(),
		Deployment:         deployment.ID(),
		StageName:          pulumi.String(s.ctx.Stack()),
		Description:        pulumi.Sprintf("Account API, stack %s", s.ctx.Stack()),
		AccessLogSettings:  &apigateway.StageAccessLogSettingsArgs{DestinationArn: accessLog.Arn, Format: pulumi.String(format)},
		XrayTracingEnabled: pulumi.Bool(true),
		Tags:               s.tags(),
	}, append(options, pulumi.DependsOn(append(permissions, executionLog)))...)
	if err != nil {
		return nil, err
	}
	_, err = apigateway.NewMethodSettings(s.ctx, "account", &apigateway.MethodSettingsArgs{
		RestApi:    a.ID(),
		StageName:  served.StageName,
		MethodPath: pulumi.String("*/*"),
		Settings: &apigateway.MethodSettingsSettingsArgs{
			LoggingLevel: pulumi.String("ERROR"),
			// A trace of the data would write bearer tokens to the log.
			DataTraceEnabled:     pulumi.Bool(false),
			ThrottlingRateLimit:  pulumi.Float64(float64(s.config.ThrottleRate)),
			ThrottlingBurstLimit: pulumi.Int(s.config.ThrottleBurst),
		},
	})
	return &stage{served, accessLog}, err
}
