// Command account is the Lambda function behind GET /accounts/{account}/profile.
package main

import (
	"context"
	"encoding/json"

	"account-api/internal/endpoint"
	"account-api/policies"
)

func main() {
	endpoint.Serve(endpoint.Config{
		Policy:     policies.For("account"),
		Entrypoint: "account/decision",
		Answer:     answer,
	})
}

func answer(_ context.Context, request endpoint.Request) (endpoint.Reply, error) {
	content, err := request.Content()
	if err != nil {
		return endpoint.Reply{}, err
	}
	body, err := json.Marshal(map[string]string{"account": content.Path["account"]})
	return endpoint.Reply{Body: body}, err
}
