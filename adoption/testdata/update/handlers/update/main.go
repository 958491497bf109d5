// Command update is the Lambda function behind PUT /profile.
package main

import (
	"context"

	"account-api/internal/endpoint"
	"account-api/policies"
)

func main() {
	endpoint.Serve(endpoint.Config{
		Policy:     policies.For("update"),
		Entrypoint: "update/decision",
		Answer: func(context.Context, endpoint.Request) (endpoint.Reply, error) {
			return endpoint.Reply{Body: []byte(`{"updated":true}`)}, nil
		},
	})
}
