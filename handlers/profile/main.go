// Command profile is the Lambda function behind GET /profile.
//
// It decides whether the caller may read a profile, by asking an embedded Rego policy
// about what API Gateway says of the caller, and answers the Lambda proxy integration.
// It does not authenticate: the authorizer has verified the token before API Gateway
// invokes this function. It never sees the token, reads no request header, and leaves
// paths and verbs to the gateway. Nor does it name a scope; only the policy does.
//
// All of that is package endpoint's, and so is the environment that it reads. Here is
// what sets this endpoint apart: its policy, and what it answers.
package main

import (
	"account-api/internal/endpoint"
	"account-api/policies"
)

func main() {
	endpoint.Serve(profile())
}

func profile() endpoint.Config {
	return endpoint.Config{
		Policy:     policies.For("profile"),
		Entrypoint: "profile/decision",
		Answer:     answer,
	}
}
