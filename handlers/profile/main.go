// Command profile is the Lambda function behind GET /profile.
//
// It decides whether the caller may read a profile, by asking an embedded Rego policy
// about what API Gateway says of the caller, and answers the Lambda proxy integration.
// It does not authenticate: the authorizer has verified the token before API Gateway
// invokes this function. It never sees the token, reads no request header, and leaves
// paths and verbs to the gateway. Nor does it name a scope; only the policy does.
//
// Environment:
//
//	ALLOWED_ORIGIN  The origin whose pages may read the answers, e.g.
//	                https://app.example.com, or * for any. Optional: without it,
//	                answers carry no CORS headers.
package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"account-api/policies"
)

func main() {
	logger := newLogger(os.Stderr)
	handler, err := newHandler(context.Background(), config{
		policy:        policies.Profile,
		allowedOrigin: os.Getenv("ALLOWED_ORIGIN"),
		labels: []slog.Attr{
			slog.String("app", "account-api"),
			slog.String("function", os.Getenv("AWS_LAMBDA_FUNCTION_NAME")),
			slog.String("version", os.Getenv("AWS_LAMBDA_FUNCTION_VERSION")),
		},
		logger: logger,
		now:    time.Now,
	})
	if err != nil {
		logger.Error("cannot start", slog.String("error", err.Error()))
		os.Exit(1)
	}
	lambda.StartWithOptions(handler)
}
