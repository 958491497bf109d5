package infra

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// publication is a part of the API that clients see only after a new deployment.
type publication struct {
	name     string
	resource pulumi.CustomResource
	args     any
}

// publish notes a part of the API that takes a new deployment to go live.
func (s *stack) publish(name string, resource pulumi.CustomResource, args any) {
	s.published = append(s.published, publication{name, resource, args})
}

// declareStage declares a deployment of everything published so far, and the stage
// that serves it under the stack's name.
func (s *stack) declareStage() error {
	var parts []pulumi.Resource
	for _, p := range s.published {
		parts = append(parts, p.resource)
	}
	deployment, err := apigateway.NewDeployment(s.ctx, "account", &apigateway.DeploymentArgs{
		RestApi:  s.api.ID(),
		Triggers: pulumi.StringMap{"published": s.fingerprint()},
	}, pulumi.DependsOn(parts))
	if err != nil {
		return err
	}
	accessLog, err := s.declareAccessLog()
	if err != nil {
		return err
	}
	executionLog, err := s.declareExecutionLog()
	if err != nil {
		return err
	}
	options, err := s.declareAccount()
	if err != nil {
		return err
	}
	s.stage, err = apigateway.NewStage(s.ctx, "account", &apigateway.StageArgs{
		RestApi:            s.api.ID(),
		Deployment:         deployment.ID(),
		StageName:          pulumi.String(s.ctx.Stack()),
		Description:        pulumi.Sprintf("Account API, stack %s", s.ctx.Stack()),
		AccessLogSettings:  accessLog,
		XrayTracingEnabled: pulumi.Bool(true),
		Tags:               s.tags(),
	}, append(options, pulumi.DependsOn([]pulumi.Resource{executionLog}))...)
	if err != nil {
		return err
	}
	return s.declareLimits()
}

// declareLimits declares what holds for every method of the stage.
func (s *stack) declareLimits() error {
	_, err := apigateway.NewMethodSettings(s.ctx, "account", &apigateway.MethodSettingsArgs{
		RestApi:    s.api.ID(),
		StageName:  s.stage.StageName,
		MethodPath: pulumi.String("*/*"),
		Settings: &apigateway.MethodSettingsSettingsArgs{
			LoggingLevel: pulumi.String("ERROR"),
			// A trace of the data would write bearer tokens to the log.
			DataTraceEnabled:     pulumi.Bool(false),
			ThrottlingRateLimit:  pulumi.Float64(float64(s.config.ThrottleRate)),
			ThrottlingBurstLimit: pulumi.Int(s.config.ThrottleBurst),
		},
	})
	return err
}

// fingerprint is the SHA-256 of every published part's declaration. A deployment is
// an immutable snapshot, so a change to any part needs a new one, and a change to
// anything else, such as a function's code, must not make one.
func (s *stack) fingerprint() pulumi.StringOutput {
	declared := map[string]any{}
	for _, p := range s.published {
		// The ID makes the trigger depend on the part itself, not only on its inputs.
		declared[p.name] = []any{p.resource.ID(), p.args}
	}
	return pulumi.JSONMarshal(declared).ApplyT(func(document string) (string, error) {
		canonical, err := withoutNulls(document)
		if err != nil {
			return "", err
		}
		sum := sha256.Sum256(canonical)
		return hex.EncodeToString(sum[:]), nil
	}).(pulumi.StringOutput)
}

// withoutNulls drops absent members, so that a newer SDK, which knows more optional
// properties, does not redeploy an API that nobody changed.
func withoutNulls(document string) ([]byte, error) {
	var v any
	if err := json.Unmarshal([]byte(document), &v); err != nil {
		return nil, err
	}
	return json.Marshal(prune(v))
}

func prune(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			if member == nil {
				delete(v, key)
			} else {
				v[key] = prune(member)
			}
		}
	case []any:
		for i := range v {
			v[i] = prune(v[i])
		}
	}
	return v
}
