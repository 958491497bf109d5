package infra

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// arnForm is the form of one kind of ARN. Its expression has one group, the region, which
// is empty in a global service.
type arnForm struct {
	expression *regexp.Regexp
	example    string // with REGION for the region
	hint       string // what a near miss usually is, and the way out
}

// The forms are those of the service authorization reference:
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
var (
	webACLForm = arnForm{
		expression: regexp.MustCompile(`^arn:aws[a-z-]*:wafv2:([a-z0-9-]+):\d{12}:regional/webacl/[A-Za-z0-9_-]+/[A-Za-z0-9-]+$`),
		example:    "arn:aws:wafv2:REGION:123456789012:regional/webacl/account/11111111-2222-3333-4444-555555555555",
		hint:       "a global web ACL is for CloudFront: create one of scope REGIONAL",
	}
	kmsKeyForm = arnForm{
		expression: regexp.MustCompile(`^arn:aws[a-z-]*:kms:([a-z0-9-]+):\d{12}:key/[A-Za-z0-9-]+$`),
		example:    "arn:aws:kms:REGION:123456789012:key/11111111-2222-3333-4444-555555555555",
		hint:       "CloudWatch Logs takes no alias and no bare ID: aws kms describe-key prints the key's Arn",
	}
	topicForm = arnForm{
		expression: regexp.MustCompile(`^arn:aws[a-z-]*:sns:([a-z0-9-]+):\d{12}:[A-Za-z0-9_.-]+$`),
		example:    "arn:aws:sns:REGION:123456789012:alarms",
		hint:       "aws sns list-topics prints the ARNs",
	}
	boundaryForm = arnForm{
		expression: regexp.MustCompile(`^arn:aws[a-z-]*:iam:():(?:aws|\d{12}):policy/[A-Za-z0-9_+=,.@/-]+$`),
		example:    "arn:aws:iam::123456789012:policy/boundary",
		hint:       "aws iam list-policies --scope Local prints the ARNs",
	}
	certificateForm = arnForm{
		expression: regexp.MustCompile(`^arn:aws[a-z-]*:acm:([a-z0-9-]+):\d{12}:certificate/[A-Za-z0-9-]+$`),
		example:    "arn:aws:acm:REGION:123456789012:certificate/11111111-2222-3333-4444-555555555555",
		hint:       "aws acm list-certificates prints the ARNs",
	}
)

// checkARN accepts nothing at all, or an ARN of the form in the stack's region:
// none of these services is reached across regions. Without a region, which is a
// fault of its own, only the form is checked.
func checkARN(arn string, form arnForm, region string) error {
	if arn == "" {
		return nil
	}
	found := form.expression.FindStringSubmatch(arn)
	switch {
	case found == nil:
		return fmt.Errorf("%s; got %q, set for example %q", form.hint, arn, strings.Replace(form.example, "REGION", cmp.Or(region, "eu-central-1"), 1))
	case region != "" && found[1] != "" && found[1] != region:
		return fmt.Errorf("expected one in the stack's region %s, got %q; create it there, so that it reads %q",
			region, arn, strings.Replace(arn, ":"+found[1]+":", ":"+region+":", 1))
	}
	return nil
}

// hostName is a DNS name of at least two labels (RFC 1123 section 2.1) in the lower
// case that API Gateway wants.
var hostName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// checkDomain accepts no domain, or a host name that comes with a certificate.
func checkDomain(domain, certificate string) error {
	switch {
	case domain == "":
		return nil
	case !hostName.MatchString(domain):
		fixed := strings.ToLower(strings.TrimSpace(domain))
		if _, host, found := strings.Cut(fixed, "://"); found {
			fixed = host
		}
		fixed, _, _ = strings.Cut(fixed, "/")
		fixed, _, _ = strings.Cut(fixed, ":")
		fixed = strings.TrimSuffix(fixed, ".")
		if !hostName.MatchString(fixed) {
			fixed = "api.example.com"
		}
		return fmt.Errorf("expected a host name, got %q; set %q", domain, fixed)
	case certificate == "":
		return errors.New("a domain needs its certificate: set certificateArn as well")
	}
	return nil
}

// checkCertificate accepts a certificate only with the domain that it is for.
func checkCertificate(certificate, domain, region string) error {
	if certificate != "" && domain == "" {
		return errors.New("a certificate without a domain does nothing: set domain as well, or remove certificateArn")
	}
	return checkARN(certificate, certificateForm, region)
}
