// Command counter answers what it is configured with.
package main

import (
	"context"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

func main() {
	lambda.Start(func(ctx context.Context, _ events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
		called, _ := lambdacontext.FromContext(ctx)
		_, alias, _ := strings.Cut(called.InvokedFunctionArn, ":function:")
		return events.APIGatewayProxyResponse{StatusCode: 200, Body: strings.Join([]string{
			os.Getenv("TABLE"), os.Getenv("QUEUE"), os.Getenv("SALT"), os.Getenv("AWS_ENDPOINT_URL_DYNAMODB"),
			os.Getenv("AWS_LAMBDA_FUNCTION_VERSION"), alias,
		}, " ")}, nil
	})
}
