package infra

import (
	"fmt"
	"path"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const (
	// functionTimeout, in seconds, is Lambda's default. The authorizer's key fetch
	// is bounded to half of it, so that a slow provider ends in a 401 and never in
	// the 500 that a timed-out authorizer becomes.
	functionTimeout = 3
	// functionMemory, in megabytes, is the smallest that Lambda offers. Both
	// handlers peak far below it, and it buys enough CPU for an invocation.
	functionMemory = 128
)

// functionSpec is what differs between functions.
type functionSpec struct {
	handler     string // directory of the handler's main package
	description string
	environment pulumi.StringMap
}

// declareFunction declares a function with its own log group and a role that may
// write to that log group and nothing else.
func (s *stack) declareFunction(spec functionSpec) (*lambda.Function, error) {
	name := path.Base(spec.handler)
	fullName := fmt.Sprintf("%s-%s-%s", s.ctx.Project(), s.ctx.Stack(), name)

	zip := path.Join("dist", name+".zip")
	if err := s.bundle(s.ctx.Context(), spec.handler, zip); err != nil {
		return nil, err
	}
	// Declared before the function: Lambda would create it on the first invocation,
	// without retention and outside this stack.
	logs, err := cloudwatch.NewLogGroup(s.ctx, name, &cloudwatch.LogGroupArgs{
		Name:            pulumi.String("/aws/lambda/" + fullName),
		RetentionInDays: pulumi.Int(s.config.LogRetentionDays),
		Tags:            s.tags(),
	})
	if err != nil {
		return nil, err
	}
	role, mayLog, err := s.declareRole(name, fullName, logs)
	if err != nil {
		return nil, err
	}
	return lambda.NewFunction(s.ctx, name, &lambda.FunctionArgs{
		Name:          pulumi.String(fullName),
		Description:   pulumi.String(spec.description),
		Runtime:       pulumi.String(lambda.RuntimeCustomAL2023),
		Architectures: pulumi.StringArray{pulumi.String("arm64")},
		Handler:       pulumi.String("bootstrap"),
		Code:          pulumi.NewFileArchive(zip),
		Role:          role.Arn,
		MemorySize:    pulumi.Int(functionMemory),
		Timeout:       pulumi.Int(functionTimeout),
		Environment:   &lambda.FunctionEnvironmentArgs{Variables: spec.environment},
		LoggingConfig: &lambda.FunctionLoggingConfigArgs{LogFormat: pulumi.String("JSON"), LogGroup: logs.Name},
		Tags:          s.tags(),
	}, pulumi.DependsOn([]pulumi.Resource{mayLog}))
}

// declareRole declares a function's role: only Lambda may assume it, and it may
// only write to the function's log group. It may not create one.
func (s *stack) declareRole(name, fullName string, logs *cloudwatch.LogGroup) (*iam.Role, pulumi.Resource, error) {
	role, err := iam.NewRole(s.ctx, name, &iam.RoleArgs{
		Description: pulumi.String("Runs the Lambda function " + fullName),
		AssumeRolePolicy: pulumi.JSONMarshal(map[string]any{
			"Version": "2012-10-17",
			"Statement": []any{map[string]any{
				"Effect":    "Allow",
				"Action":    "sts:AssumeRole",
				"Principal": map[string]any{"Service": "lambda.amazonaws.com"},
			}},
		}),
		Tags: s.tags(),
	})
	if err != nil {
		return nil, nil, err
	}
	policy, err := iam.NewPolicy(s.ctx, name, &iam.PolicyArgs{
		Description: pulumi.String("Lets the Lambda function " + fullName + " write its log"),
		Policy: pulumi.JSONMarshal(map[string]any{
			"Version": "2012-10-17",
			"Statement": []any{map[string]any{
				"Effect":   "Allow",
				"Action":   []string{"logs:CreateLogStream", "logs:PutLogEvents"},
				"Resource": pulumi.Sprintf("%s:*", logs.Arn),
			}},
		}),
		Tags: s.tags(),
	})
	if err != nil {
		return nil, nil, err
	}
	attachment, err := iam.NewRolePolicyAttachment(s.ctx, name, &iam.RolePolicyAttachmentArgs{
		Role:      role.Name,
		PolicyArn: policy.Arn,
	})
	return role, attachment, err
}
