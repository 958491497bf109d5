package infra

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// awsProvider is the version of the AWS provider that go.mod pins.
const awsProvider = "6.83.4"

// newFirewall puts the stage behind the stack's web ACL, if it names one.
//
// It does without the SDK's package for WAF: 12 MB of source for this one resource of
// two properties would add minutes to the first build.
func (s *stack) newFirewall(served *stage) error {
	if s.config.WebACLARN == "" {
		return nil
	}
	var association struct{ pulumi.CustomResourceState }
	return s.ctx.RegisterResource("aws:wafv2/webAclAssociation:WebAclAssociation", "account", pulumi.Map{
		"resourceArn": served.Arn,
		"webAclArn":   pulumi.String(s.config.WebACLARN),
	}, &association, pulumi.Version(awsProvider))
}
