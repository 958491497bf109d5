package infra

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// allow is an IAM policy of version 2012-10-17 that allows what the statements say.
// The effect is added here, so that no statement can be anything else.
func allow(statements ...map[string]any) pulumi.StringOutput {
	document := make([]any, 0, len(statements))
	for _, statement := range statements {
		statement["Effect"] = "Allow"
		document = append(document, statement)
	}
	return pulumi.JSONMarshal(map[string]any{"Version": "2012-10-17", "Statement": document})
}

// assumedBy is the trust policy of a role that one AWS service may assume.
func assumedBy(service string) pulumi.StringOutput {
	return allow(map[string]any{"Action": "sts:AssumeRole", "Principal": map[string]any{"Service": service}})
}

// boundary is the policy that limits what any role may be allowed, nil if there is none:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
func (s *stack) boundary() pulumi.StringPtrInput {
	if s.config.PermissionsBoundaryARN == "" {
		return nil
	}
	return pulumi.String(s.config.PermissionsBoundaryARN)
}

// statement allows actions on resources. Neither may be a wildcard: policies/infra says
// which exceptions there are.
type statement struct {
	actions    []string           // "dynamodb:GetItem"
	resources  pulumi.StringArray // ARNs
	conditions map[string]any     // as IAM writes them; nil if there are none
}

// document is the statement as a part of a policy.
func (s statement) document() map[string]any {
	document := map[string]any{"Action": s.actions, "Resource": s.resources}
	if s.conditions != nil {
		document["Condition"] = s.conditions
	}
	return document
}

// newRole declares a function's role. Only Lambda may assume it. It may write to the
// function's log group, which it may not create, send traces, and do what further
// statements allow.
func (s *stack) newRole(name, fullName string, logs *cloudwatch.LogGroup, further []statement) (*iam.Role, pulumi.Resource, error) {
	role, err := iam.NewRole(s.ctx, name, &iam.RoleArgs{
		// Named, so that a deployer's permissions can be limited to roles of this project.
		Name:                pulumi.String(fullName),
		Description:         pulumi.String("Runs the Lambda function " + fullName),
		AssumeRolePolicy:    assumedBy("lambda.amazonaws.com"),
		PermissionsBoundary: s.boundary(),
		Tags:                s.tags(),
	}, s.options()...)
	if err != nil {
		return nil, nil, err
	}
	// Neither an inline policy nor one of AWS's: both are audit findings, and
	// AWSLambdaBasicExecutionRole may create and write any log group.
	statements := []map[string]any{
		{
			"Action":   []string{"logs:CreateLogStream", "logs:PutLogEvents"},
			"Resource": pulumi.Sprintf("%s:*", logs.Arn),
		},
		{
			"Action": []string{"xray:PutTraceSegments", "xray:PutTelemetryRecords"},
			// X-Ray knows no resources for these two actions:
			// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
			"Resource": "*",
		},
	}
	for _, one := range further {
		statements = append(statements, one.document())
	}
	policy, err := iam.NewPolicy(s.ctx, name, &iam.PolicyArgs{
		Name: pulumi.String(fullName),
		// A new description would replace the policy, so it names no statement.
		Description: pulumi.String("Lets the Lambda function " + fullName + " write its log and its traces"),
		Policy:      allow(statements...),
		Tags:        s.tags(),
	}, s.options()...)
	if err != nil {
		return nil, nil, err
	}
	attachment, err := iam.NewRolePolicyAttachment(s.ctx, name, &iam.RolePolicyAttachmentArgs{
		Role:      role.Name,
		PolicyArn: policy.Arn,
	}, s.options()...)
	return role, attachment, err
}
