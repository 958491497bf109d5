// Command profile is the Lambda function behind GET /profile. It names its policy and has the
// answer for callers whom the policy allows; the rest is package endpoint's. It never parses
// a token, and names no scope.
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
