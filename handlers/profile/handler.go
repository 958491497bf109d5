package main

import (
	"context"

	"account-api/internal/endpoint"
)

// answer returns the caller's profile. A real one would look it up by request.Principal.
func answer(context.Context, endpoint.Request) (endpoint.Reply, error) {
	return endpoint.Reply{Body: []byte(`{"name":"Daniël"}`)}, nil
}
