package infra

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// accountWarning is shown before a stage is created, by a stack that does not manage the
// account's setting. It quotes AWS's error.
const accountWarning = `API Gateway writes logs with one role per account and region. If yours has none, creating the stage fails with ` +
	`"CloudWatch Logs role ARN must be set in account settings to enable logging". Then either let this stack set it, once and for all ` +
	`APIs of the region: pulumi config set manageApiGatewayAccount true; or set a role of your own: ` +
	`aws apigateway update-account --patch-operations op=replace,path=/cloudwatchRoleArn,value=<role ARN>`

// accountOptions lets API Gateway write logs, if the stack is the one to do so, and
// returns the options of a stage that has logs.
//
// The setting belongs to the account and region, not to a stack: two stacks that both
// managed it would undo each other. So no stack does unless told to, and what it sets
// stays when the stack goes, because other APIs log with it.
func (s *stack) accountOptions() ([]pulumi.ResourceOption, error) {
	if !s.config.ManageAPIGatewayAccount {
		return s.warnOfAccount()
	}
	stays := pulumi.RetainOnDelete(true)
	// A prefix, not a name: an earlier stack may have left a role of that name behind.
	prefix := pulumi.String(accountRole(s.ctx.Project()))
	role, err := iam.NewRole(s.ctx, "gateway-logs", &iam.RoleArgs{
		NamePrefix:          prefix,
		Description:         pulumi.String("Lets API Gateway write logs, for every API of the account"),
		AssumeRolePolicy:    assumedBy("apigateway.amazonaws.com"),
		PermissionsBoundary: s.boundary(),
		Tags:                s.tags(),
	}, stays)
	if err != nil {
		return nil, err
	}
	policy, err := iam.NewPolicy(s.ctx, "gateway-logs", &iam.PolicyArgs{
		NamePrefix:  prefix,
		Description: pulumi.String("Lets API Gateway write logs, for every API of the account"),
		// The actions of AWS's AmazonAPIGatewayPushToCloudWatchLogs. The resource is *,
		// because other APIs of the account log with this role, too:
		// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
		Policy: allow(map[string]any{
			"Action": []string{
				"logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams",
				"logs:PutLogEvents", "logs:GetLogEvents", "logs:FilterLogEvents",
			},
			"Resource": "*",
		}),
		Tags: s.tags(),
	}, stays)
	if err != nil {
		return nil, err
	}
	attachment, err := iam.NewRolePolicyAttachment(s.ctx, "gateway-logs", &iam.RolePolicyAttachmentArgs{
		Role:      role.Name,
		PolicyArn: policy.Arn,
	}, stays)
	if err != nil {
		return nil, err
	}
	account, err := apigateway.NewAccount(s.ctx, "gateway-logs", &apigateway.AccountArgs{
		CloudwatchRoleArn: role.Arn,
	}, pulumi.DependsOn([]pulumi.Resource{attachment}), stays)
	if err != nil {
		return nil, err
	}
	return []pulumi.ResourceOption{pulumi.DependsOn([]pulumi.Resource{account})}, nil
}

// accountRole is what the name of the account's log role begins with.
func accountRole(project string) string { return project + "-logs-" }

// warnOfAccount shows the warning only before a stage is created, in a preview too. A
// stack that has a stage is in an account that has the role.
func (s *stack) warnOfAccount() ([]pulumi.ResourceOption, error) {
	hook, err := s.ctx.RegisterResourceHook("warn-of-api-gateway-account", func(*pulumi.ResourceHookArgs) error {
		return s.ctx.Log.Warn(accountWarning, nil)
	}, &pulumi.ResourceHookOptions{OnDryRun: true})
	if err != nil {
		return nil, err
	}
	return []pulumi.ResourceOption{pulumi.ResourceHooks(&pulumi.ResourceHookBinding{BeforeCreate: []*pulumi.ResourceHook{hook}})}, nil
}
