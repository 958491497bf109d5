package endpoint

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"account-api/internal/logline"
)

// Serve is the main function of a handler. It answers invocations until Lambda ends the
// process, and does not return.
//
// Environment:
//
//	ALLOWED_ORIGIN  The origin whose pages may read the answers, e.g.
//	                https://app.example.com, or * for any. Optional: without it,
//	                answers carry no CORS headers.
//	EXPLAIN_DENIALS If true, the log shows which expressions of the policy failed, and the
//	                whole input with its claims. Only for a developer's own machine: make
//	                run sets it, and no stack may.
//	REVEAL_ERRORS   If true, the log has the messages of errors and the values of panics.
//	                Likewise.
//
// A wrong value or an incomplete c ends the process with exit code 1. The log has the cause.
func Serve(c Config) {
	handler, err := New(context.Background(), c, Environment{
		AllowedOrigin: os.Getenv("ALLOWED_ORIGIN"),
		Labels: []slog.Attr{
			slog.String("function", os.Getenv("AWS_LAMBDA_FUNCTION_NAME")),
			slog.String("version", os.Getenv("AWS_LAMBDA_FUNCTION_VERSION")),
		},
		Log: os.Stderr,
		Now: time.Now,

		ExplainDenials: os.Getenv("EXPLAIN_DENIALS") == "true",
		RevealErrors:   os.Getenv("REVEAL_ERRORS") == "true",
	})
	if err != nil {
		logline.New(os.Stderr).Error("cannot start", slog.String("error", err.Error()))
		os.Exit(1)
	}
	lambda.StartWithOptions(handler)
}
