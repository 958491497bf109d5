package main

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"account-api/infra"
	"account-api/internal/decision"
	"account-api/internal/token/environment"
	"account-api/local/gateway/declaration"
	"account-api/local/record"
)

// authorizer is what a stack declares about its authorizer.
type authorizer struct {
	environment.Trust
	expression *declaration.Expression // that the whole header has to match at the gateway
	warnings   []string                // of the program
}

// readAuthorizer runs the Pulumi program against mocks and reads the authorizer from what it
// declares. The program's defaults and checks apply as in a deployment.
func readAuthorizer(s settings) (authorizer, error) {
	program := infra.New(func(*pulumi.Context, string, string, decision.Stack) (string, error) { return "", nil })
	g, err := record.Run(record.Stack{Root: s.root, Name: s.stack, Override: s.override}, program.Deploy, program.Settings)
	if err != nil {
		return authorizer{}, err
	}
	declared, err := g.One("aws:apigateway/authorizer:Authorizer")
	if err != nil {
		return authorizer{}, err
	}
	expression, err := declaration.ParseExpression(declared.String("identityValidationExpression"))
	if err != nil {
		return authorizer{}, fmt.Errorf("the authorizer's identityValidationExpression: %w", err)
	}
	invoked, err := g.Target(declared.String("authorizerUri"))
	if err != nil {
		return authorizer{}, fmt.Errorf("the authorizer's authorizerUri: %w", err)
	}
	variables := invoked.Function.Environment()
	trust, err := environment.Read(func(name string) string { return variables[name] })
	return authorizer{trust, expression, g.Warnings}, err
}
