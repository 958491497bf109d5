package infra

import (
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// accepts stands for a provider that keeps what it is given.
type accepts struct{}

func (accepts) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	return args.Name, args.Inputs, nil
}

func (accepts) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) { return nil, nil }

// trigger is the fingerprint of an API that is declared with the arguments.
func trigger(t *testing.T, args apigateway.RestApiArgs) string {
	t.Helper()
	found := make(chan string, 1)
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		api, err := apigateway.NewRestApi(ctx, "account", &args)
		if err != nil {
			return err
		}
		published{{"rest api", api, deployedArgs(args)}}.fingerprint().ApplyT(func(sum string) string {
			found <- sum
			return sum
		})
		return nil
	}, pulumi.WithMocks("sample", "test", accepts{}))
	if err != nil {
		t.Fatal(err)
	}
	return <-found
}

func TestTheAPIItselfIsRedeployed(t *testing.T) {
	before := trigger(t, apigateway.RestApiArgs{Name: pulumi.String("sample")})
	for name, row := range map[string]struct {
		args      apigateway.RestApiArgs
		redeploys bool
	}{
		"a resource policy":      {apigateway.RestApiArgs{Policy: pulumi.String("{}")}, true},
		"binary media types":     {apigateway.RestApiArgs{BinaryMediaTypes: pulumi.StringArray{pulumi.String("image/png")}}, true},
		"no default endpoint":    {apigateway.RestApiArgs{DisableExecuteApiEndpoint: pulumi.Bool(true)}, true},
		"compression":            {apigateway.RestApiArgs{MinimumCompressionSize: pulumi.String("0")}, true},
		"the source of API keys": {apigateway.RestApiArgs{ApiKeySource: pulumi.String("AUTHORIZER")}, true},
		"another name":           {apigateway.RestApiArgs{Name: pulumi.String("other")}, false},
		"a description":          {apigateway.RestApiArgs{Description: pulumi.String("Sample")}, false},
		"a tag":                  {apigateway.RestApiArgs{Tags: pulumi.StringMap{"team": pulumi.String("accounts")}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := trigger(t, row.args) != before; got != row.redeploys {
				t.Errorf("expected a new deployment to be %v, got %v", row.redeploys, got)
			}
		})
	}
}
