package infra

import (
	"cmp"
	"maps"
	"path"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"account-api/internal/decision"
)

const (
	// functionTimeout, in seconds, is Lambda's default. The authorizer's key fetch takes
	// half of it at most: a slow provider ends in a 401, and not in the 500 of an
	// authorizer that timed out.
	functionTimeout = 3
	// functionMemory, in megabytes, is the smallest that Lambda offers. Both
	// handlers peak far below it, and it buys enough CPU for an invocation.
	functionMemory = 128
	// oneProcessor, in megabytes, is the memory with which Lambda gives a function one
	// processor. Below, it shows two and gives less than one:
	// https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html.
	// Waking threads on the second was a quarter of an invocation
	// (docs/performance.md), so GOMAXPROCS makes Go use one.
	oneProcessor = 1769
)

// function is a Lambda function with its own log group and a role that may write to
// that log group, report its traces, and do what its endpoint needs.
//
// API Gateway invokes the alias, which names a published version: a version's code and
// settings never change, so the alias moves callers to new ones at once. Without it they
// would run old code with new settings for some seconds:
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-aliases.html
type function struct {
	*lambda.Function
	name   string // of the handler's directory, without its parents
	sha256 string // of the package
	logs   *cloudwatch.LogGroup
	alias  *lambda.Alias
}

// live is the alias of every function.
const live = "live"

// settings are how a function runs, and what it may do beyond writing its log and traces.
type settings struct {
	memory, timeout int // 0 means the default
	environment     pulumi.StringMap
	allow           []statement
}

// newFunction declares the function of the handler in a directory.
func (s *stack) newFunction(handler, description string, set settings) (*function, error) {
	f := &function{name: path.Base(handler)}
	fullName := s.name(f.name)

	zip := path.Join("dist", f.name+".zip")
	var err error
	if f.sha256, err = s.bundle(s.ctx, handler, zip, decision.Stack{Name: s.ctx.Stack(), Claims: s.config.Claims, Absent: s.config.absent()}); err != nil {
		return nil, err
	}
	// Declared before the function: Lambda would create it on the first invocation,
	// without retention and outside this stack.
	if f.logs, err = s.newLogGroup(f.name, pulumi.String("/aws/lambda/"+fullName)); err != nil {
		return nil, err
	}
	role, mayLog, err := s.newRole(f.name, fullName, f.logs, set.allow)
	if err != nil {
		return nil, err
	}
	memory := cmp.Or(set.memory, functionMemory)
	variables := pulumi.StringMap{}
	if memory < oneProcessor {
		variables["GOMAXPROCS"] = pulumi.String("1")
	}
	maps.Copy(variables, set.environment)
	args := &lambda.FunctionArgs{
		Name:          pulumi.String(fullName),
		Description:   pulumi.String(description),
		Runtime:       pulumi.String(lambda.RuntimeCustomAL2023),
		Architectures: pulumi.StringArray{pulumi.String("arm64")},
		Handler:       pulumi.String("bootstrap"),
		Code:          pulumi.NewFileArchive(zip),
		Role:          role.Arn,
		MemorySize:    pulumi.Int(memory),
		Timeout:       pulumi.Int(cmp.Or(set.timeout, functionTimeout)),
		Environment:   &lambda.FunctionEnvironmentArgs{Variables: variables},
		LoggingConfig: &lambda.FunctionLoggingConfigArgs{
			LogFormat: pulumi.String("JSON"), LogGroup: f.logs.Name,
			// Lambda's defaults. The provider takes an absent level for a change, and would
			// publish a version at every update.
			ApplicationLogLevel: pulumi.String("INFO"), SystemLogLevel: pulumi.String("INFO"),
		},
		TracingConfig: &lambda.FunctionTracingConfigArgs{Mode: pulumi.String("Active")},
		// An update publishes a version. Those before stay, for a rollback.
		Publish: pulumi.Bool(true),
		Tags:    s.tags(),
	}
	if s.config.ReservedConcurrency != unreserved {
		args.ReservedConcurrentExecutions = pulumi.Int(s.config.ReservedConcurrency)
	}
	if f.Function, err = lambda.NewFunction(s.ctx, f.name, args, s.options(pulumi.DependsOn([]pulumi.Resource{mayLog}))...); err != nil {
		return nil, err
	}
	// No routing to a second version: answers would differ from request to request, and a
	// revoked access would last for some of them.
	f.alias, err = lambda.NewAlias(s.ctx, f.name, &lambda.AliasArgs{
		Name:            pulumi.String(live),
		Description:     pulumi.String("The version that API Gateway invokes"),
		FunctionName:    f.Name,
		FunctionVersion: f.Version,
	}, s.options()...)
	return f, err
}

// newPermission lets API Gateway invoke the function's alias for one source.
func (s *stack) newPermission(name string, f *function, source pulumi.StringInput) (*lambda.Permission, error) {
	return lambda.NewPermission(s.ctx, name, &lambda.PermissionArgs{
		Action:    pulumi.String("lambda:InvokeFunction"),
		Function:  f.Name,
		Qualifier: f.alias.Name,
		Principal: pulumi.String("apigateway.amazonaws.com"),
		SourceArn: source,
	}, s.options()...)
}
