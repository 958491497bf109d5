package infra

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

// Config is what one stack file says about the API. Pulumi.yaml declares the keys,
// their types and their defaults.
type Config struct {
	Issuer           string // the tokens' iss claim, byte for byte
	Audience         string // the API's identifier in the tokens' aud claim
	JWKSURI          string // where the issuer's public keys are
	AllowedOrigin    string // the origin whose pages may read answers, or "*"
	AuthorizerTTL    int    // seconds that API Gateway caches an authorizer's answer
	LogRetentionDays int    // days that CloudWatch keeps logs

	ThrottleRate        int // requests a second that a method answers on average
	ThrottleBurst       int // requests at once that a method answers
	ReservedConcurrency int // executions kept for, and allowed to, each function; unreserved if negative

	Domain         string // the API's own host name, or ""
	CertificateARN string // the domain's certificate in the stack's region
	WebACLARN      string // the WAF web ACL that filters requests, or ""
	KMSKeyARN      string // the key that encrypts the logs, or "" for CloudWatch's own
	AlarmTopicARN  string // the SNS topic that alarms notify, or ""

	// ManageAPIGatewayAccount makes this stack the one that lets API Gateway write
	// logs, for its whole account and region.
	ManageAPIGatewayAccount bool

	region string // aws:region, which ARNs are checked against
}

// unreserved is what Lambda's provider calls a function that shares the account's
// concurrency: https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
const unreserved = -1

// maxAuthorizerTTL is API Gateway's own limit, in seconds:
// https://docs.aws.amazon.com/apigateway/latest/api/API_Authorizer.html
const maxAuthorizerTTL = 3600

// logRetentions are the only periods that CloudWatch Logs accepts, in days:
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
var logRetentions = []int{
	1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
}

// loadConfig reads and checks the stack's configuration. It reports every wrong
// value at once, each with the value that would be right.
func loadConfig(ctx *pulumi.Context) (Config, error) {
	stack := config.New(ctx, "")
	var problems []error
	integer := func(key string) int {
		n, err := stack.TryInt(key)
		if err != nil {
			problems = append(problems, fmt.Errorf("  %s: expected a whole number, got %q", key, stack.Get(key)))
		}
		return n
	}
	boolean := func(key string) bool {
		b, err := stack.TryBool(key)
		if err != nil {
			problems = append(problems, fmt.Errorf("  %s: expected true or false, got %q", key, stack.Get(key)))
		}
		return b
	}
	c := Config{
		Issuer:                  stack.Get("issuer"),
		Audience:                stack.Get("audience"),
		JWKSURI:                 stack.Get("jwksUri"),
		AllowedOrigin:           stack.Get("allowedOrigin"),
		AuthorizerTTL:           integer("authorizerTtl"),
		LogRetentionDays:        integer("logRetentionDays"),
		ThrottleRate:            integer("throttleRate"),
		ThrottleBurst:           integer("throttleBurst"),
		ReservedConcurrency:     integer("reservedConcurrency"),
		Domain:                  stack.Get("domain"),
		CertificateARN:          stack.Get("certificateArn"),
		WebACLARN:               stack.Get("webAclArn"),
		KMSKeyARN:               stack.Get("kmsKeyArn"),
		AlarmTopicARN:           stack.Get("alarmTopicArn"),
		ManageAPIGatewayAccount: boolean("manageApiGatewayAccount"),
		region:                  config.Get(ctx, "aws:region"),
	}
	if c.JWKSURI == "" {
		// OpenID Connect Discovery 1.0 names no path for the key set; this is Auth0's.
		c.JWKSURI = strings.TrimSuffix(c.Issuer, "/") + "/.well-known/jwks.json"
	}
	if len(problems) == 0 {
		problems = c.problems()
	}
	problems = append(problems, stageProblems(ctx.Stack())...)
	if len(problems) > 0 {
		return Config{}, fmt.Errorf("stack %q cannot be deployed as configured:\n%w", ctx.Stack(), errors.Join(problems...))
	}
	return c, nil
}

// problems lists what is wrong with the values, in the order of the keys.
func (c Config) problems() []error {
	var found []error
	add := func(key string, err error) {
		if err != nil {
			found = append(found, fmt.Errorf("  %s: %w", key, err))
		}
	}
	add("issuer", checkIssuer(c.Issuer))
	add("audience", checkAudience(c.Audience))
	add("jwksUri", checkHTTPS(c.JWKSURI))
	add("allowedOrigin", checkOrigin(c.AllowedOrigin))
	add("authorizerTtl", checkRange("seconds", c.AuthorizerTTL, 0, maxAuthorizerTTL))
	if !slices.Contains(logRetentions, c.LogRetentionDays) {
		at, _ := slices.BinarySearch(logRetentions, c.LogRetentionDays)
		add("logRetentionDays", fmt.Errorf("CloudWatch does not know %d days; set %d",
			c.LogRetentionDays, logRetentions[min(at, len(logRetentions)-1)]))
	}
	add("throttleRate", checkRange("requests a second", c.ThrottleRate, 1, maxThrottle))
	add("throttleBurst", checkRange("requests", c.ThrottleBurst, 1, maxThrottle))
	if c.ReservedConcurrency == 0 || c.ReservedConcurrency < unreserved {
		add("reservedConcurrency", fmt.Errorf("expected at least 1, or %d for none reserved, got %d, with which no function would run; set %d",
			unreserved, c.ReservedConcurrency, unreserved))
	}
	add("domain", checkDomain(c.Domain, c.CertificateARN))
	add("certificateArn", checkCertificate(c.CertificateARN, c.Domain, c.region))
	add("webAclArn", checkARN(c.WebACLARN, webACLForm, c.region))
	add("kmsKeyArn", checkARN(c.KMSKeyARN, kmsKeyForm, c.region))
	add("alarmTopicArn", checkARN(c.AlarmTopicARN, topicForm, c.region))
	return found
}

// maxThrottle is far above what an account may be granted; it catches a slip of
// the keyboard. The quota of a new account is 10 000 a second and 5 000 at once:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
const maxThrottle = 1_000_000

func checkRange(unit string, n, low, high int) error {
	if n >= low && n <= high {
		return nil
	}
	return fmt.Errorf("expected %d to %d %s, got %d; set %d", low, high, unit, n, min(max(n, low), high))
}

// stageName is API Gateway's rule for a stage, which takes the stack's name:
// https://docs.aws.amazon.com/apigateway/latest/api/API_CreateStage.html
var stageName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

func stageProblems(stack string) []error {
	if stageName.MatchString(stack) {
		return nil
	}
	fixed := regexp.MustCompile(`[^A-Za-z0-9_-]+`).ReplaceAllString(stack, "-")
	return []error{fmt.Errorf("  the stack's name becomes the stage's, which has only letters, digits, - and _: pulumi stack rename %s", fixed)}
}

// placeholder reports whether the issuer is still the one of the example, which
// deploys but lets nobody in.
func placeholder(issuer string) bool {
	return strings.HasPrefix(issuer, "https://TENANT.") || strings.Contains(issuer, "://YOUR_")
}
