package infra

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// newDomain serves the stage under the stack's own host name, if it has one, and
// returns the URL below which the endpoints are.
//
// DNS is not touched: whoever owns the zone points the name at the output
// domainTarget. The stage's own address, the output stageUrl, keeps working, so that
// clients can move, until disableExecuteApiEndpoint.
func (s *stack) newDomain(a *api, served *stage) (pulumi.StringOutput, error) {
	if s.config.Domain == "" {
		return served.InvokeUrl, nil
	}
	domain, err := apigateway.NewDomainName(s.ctx, "account", &apigateway.DomainNameArgs{
		DomainName:             pulumi.String(s.config.Domain),
		RegionalCertificateArn: pulumi.String(s.config.CertificateARN),
		EndpointConfiguration:  &apigateway.DomainNameEndpointConfigurationArgs{Types: pulumi.String("REGIONAL")},
		// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-custom-domain-tls-version.html
		SecurityPolicy: pulumi.String("TLS_1_2"),
		Tags:           s.tags(),
	})
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	if _, err := apigateway.NewBasePathMapping(s.ctx, "account", &apigateway.BasePathMappingArgs{
		DomainName: domain.DomainName,
		RestApi:    a.ID(),
		StageName:  served.StageName,
	}); err != nil {
		return pulumi.StringOutput{}, err
	}
	s.ctx.Export("domainTarget", domain.RegionalDomainName)
	return pulumi.Sprintf("https://%s", domain.DomainName), nil
}
