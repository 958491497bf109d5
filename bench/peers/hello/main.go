// Command hello is the smallest Lambda function in Go: what the runtime library alone
// costs. It is the yardstick for the handlers.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
)

type hello struct{}

func (hello) Invoke(context.Context, []byte) ([]byte, error) {
	return []byte(`{"statusCode":200,"body":"hello"}`), nil
}

func main() { lambda.Start(hello{}) }
