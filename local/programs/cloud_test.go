package programs

import (
	"net/http"
	"path/filepath"
	"testing"

	"account-api/local/running"
)

// revealing answers with the names and values of what an SDK reads.
const revealing = `package main

import (
	"context"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(context.Context, events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
		var found []string
		for _, variable := range os.Environ() {
			if strings.HasPrefix(variable, "AWS_E") || strings.HasPrefix(variable, "AWS_SE") || strings.HasPrefix(variable, "AWS_AC") {
				found = append(found, variable)
			}
		}
		return events.APIGatewayProxyResponse{StatusCode: 200, Body: strings.Join(found, " ")}, nil
	})
}
`

func TestAHandlersProcessReachesALocalServer(t *testing.T) {
	root := cinema(t)
	running.Write(t, filepath.Join(root, "cmd", "seats", "main.go"), revealing)
	for _, row := range []struct {
		arguments []string
		want      string
	}{
		{nil, "AWS_ACCESS_KEY_ID=not-a-credential-local-emulation AWS_SECRET_ACCESS_KEY=not-a-credential-local-emulation AWS_SESSION_TOKEN=not-a-credential-local-emulation"},
		{[]string{"-aws", "http://127.0.0.1:8000"}, "AWS_ACCESS_KEY_ID=local AWS_ENDPOINT_URL=http://127.0.0.1:8000 AWS_SECRET_ACCESS_KEY=local"},
	} {
		c := serve(t, root, row.arguments...)
		c.enter(t, ticket).Expect(t, http.StatusOK, row.want)
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	}
}
