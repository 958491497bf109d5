package infra

import (
	"iter"
	"slices"
	"strings"
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

// protected notes which resources are protected.
type protected struct {
	accepts
	found chan string
}

func (p protected) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	if args.RegisterRPC.GetProtect() {
		p.found <- args.TypeToken + " " + args.Name
	}
	return p.accepts.NewResource(args)
}

func TestWhatIsLostForGoodIsProtected(t *testing.T) {
	for setting, want := range map[bool]string{true: "aws:apigateway/restApi:RestApi account, aws:cloudwatch/logGroup:LogGroup access", false: ""} {
		p := protected{found: make(chan string, 9)}
		err := pulumi.RunErr(func(ctx *pulumi.Context) error {
			s := &stack{ctx: ctx, config: Config{Protect: setting}}
			if _, err := s.newAPI(); err != nil {
				return err
			}
			_, err := s.newLogGroup("access", pulumi.String("/access"))
			return err
		}, pulumi.WithMocks("sample", "test", p))
		if err != nil {
			t.Fatal(err)
		}
		close(p.found)
		if got := strings.Join(slices.Sorted(values(p.found)), ", "); got != want {
			t.Errorf("protect %v: expected %q, got %q", setting, want, got)
		}
	}
}

// values are what is in a closed channel.
func values(found chan string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for one := range found {
			if !yield(one) {
				return
			}
		}
	}
}
