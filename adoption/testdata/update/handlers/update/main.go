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
		Answer: func(context.Context, endpoint.Request) ([]byte, error) {
			return []byte(`{"updated":true}`), nil
		},
	})
}
