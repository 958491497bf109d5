package infra

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// Keys are the names of all settings.
func Keys() map[string]any { return new(Config).keys() }

// CheckNames checks the names of a project with a stack named test.
func CheckNames(project string, managesAccount bool) error {
	return checkNames(project, "test", []string{"authorizer"}, managesAccount)
}

// Fixture is the program with endpoints of the tests' own: two methods that share a
// handler, and a path with a parameter, whose handler needs a log of its own.
func Fixture(bundle Bundler) *Program {
	return &Program{bundle: bundle, endpoints: []endpoint{
		{method: "GET", path: "items", handler: "handlers/items", description: "Lists the items", memory: 1769, timeout: 9},
		{method: "PUT", path: "items", handler: "handlers/items"},
		{method: "GET", path: "owners/{owner}/items", handler: "handlers/owners", description: "Lists an owner's items", needs: journal},
	}}
}

func journal(s *stack) (needs, error) {
	log, err := s.newLogGroup("journal", pulumi.String("/journal/"+s.name()))
	if err != nil {
		return needs{}, err
	}
	return needs{
		environment: pulumi.StringMap{"JOURNAL": log.Name},
		allow: []statement{{
			actions: []string{"logs:PutLogEvents"}, resources: pulumi.StringArray{pulumi.Sprintf("%s:*", log.Arn)},
			conditions: map[string]any{"StringEquals": map[string]any{"aws:ResourceTag/stack": s.ctx.Stack()}},
		}},
	}, nil
}
