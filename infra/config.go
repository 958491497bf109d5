package infra

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"account-api/internal/origin"
	"account-api/internal/spelling"
)

// Config is what one stack file says about the API. Pulumi.yaml declares the same keys
// with their defaults, but no types: the CLI would refuse a wrong type alone, before
// the program lists everything that is wrong.
type Config struct {
	Issuer           string   // the tokens' iss claim, byte for byte
	Audience         []string // the API's identifiers, of which the tokens name one
	JWKSURI          string   // where the issuer's public keys are
	Provider         string   // the profile of the issuer's access tokens
	OtherIssuers     []issuer // further issuers that are trusted
	Algorithms       []string // of the issuers' keys
	Claims           []string // of the tokens, passed on to the policies
	Outage           int      // the status while no keys can be fetched, 401 or 503
	AllowedOrigin    string   // the origin whose pages may read answers, or "*"
	AuthorizerTTL    int      // seconds that API Gateway caches an authorizer's answer
	LogRetentionDays int      // days that CloudWatch keeps logs

	ThrottleRate        int // requests a second that a method answers on average
	ThrottleBurst       int // requests at once that a method answers
	ReservedConcurrency int // executions kept for, and allowed to, each function; unreserved if negative

	Domain         string // the API's own host name, or ""
	CertificateARN string // the domain's certificate in the stack's region
	WebACLARN      string // the WAF web ACL that filters requests, or ""
	KMSKeyARN      string // the key that encrypts the logs, or "" for CloudWatch's own
	AlarmTopicARN  string // the SNS topic that alarms notify, or ""

	PermissionsBoundaryARN    string // the policy that limits every role of the stack, or ""
	Protect                   bool   // the API and the logs from a destroy
	DisableExecuteAPIEndpoint bool   // so that only the domain reaches the API

	// ManageAPIGatewayAccount makes this stack the one that lets API Gateway write
	// logs, for its whole account and region.
	ManageAPIGatewayAccount bool

	region string // aws:region, which dashboards name and ARNs are checked against
}

// keys are the settings' names and the fields that they fill, each a *string, an *int,
// a *bool, or one that takes a list.
func (c *Config) keys() map[string]any {
	return map[string]any{
		"issuer":                    &c.Issuer,
		"audience":                  &c.Audience,
		"jwksUri":                   &c.JWKSURI,
		"provider":                  &c.Provider,
		"otherIssuers":              &c.OtherIssuers,
		"algorithms":                &c.Algorithms,
		"claims":                    &c.Claims,
		"outage":                    &c.Outage,
		"allowedOrigin":             &c.AllowedOrigin,
		"authorizerTtl":             &c.AuthorizerTTL,
		"logRetentionDays":          &c.LogRetentionDays,
		"throttleRate":              &c.ThrottleRate,
		"throttleBurst":             &c.ThrottleBurst,
		"reservedConcurrency":       &c.ReservedConcurrency,
		"domain":                    &c.Domain,
		"certificateArn":            &c.CertificateARN,
		"webAclArn":                 &c.WebACLARN,
		"kmsKeyArn":                 &c.KMSKeyARN,
		"alarmTopicArn":             &c.AlarmTopicARN,
		"permissionsBoundaryArn":    &c.PermissionsBoundaryARN,
		"protect":                   &c.Protect,
		"disableExecuteApiEndpoint": &c.DisableExecuteAPIEndpoint,
		"manageApiGatewayAccount":   &c.ManageAPIGatewayAccount,
	}
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

// faults are what is wrong with a stack's configuration, by setting. The first fault
// of a setting counts: a value of the wrong type is not judged further.
type faults map[string]error

func (f faults) add(setting string, err error) {
	if f[setting] == nil && err != nil {
		f[setting] = err
	}
}

// error lists the faults, one on a line.
func (f faults) error(stack string) error {
	if len(f) == 0 {
		return nil
	}
	var lines []error
	for _, setting := range slices.Sorted(maps.Keys(f)) {
		lines = append(lines, fmt.Errorf("  %s: %w", setting, f[setting]))
	}
	return fmt.Errorf("stack %q cannot be deployed as configured:\n%w", stack, errors.Join(lines...))
}

// loadConfig reads and checks the settings of a project, which are among those given
// by full key. It reports every fault at once, each with its fix.
func loadConfig(project string, given map[string]string, secrets []string) (Config, faults) {
	var c Config
	wrong := faults{}
	keys := c.keys()
	// First, so that no other fault shows a secret's value.
	for _, full := range secrets {
		if namespace, key, _ := strings.Cut(full, ":"); namespace == project && keys[key] != nil {
			wrong.add(key, errors.New("this setting must not be a secret: anyone who can read the stack's functions can read its value; set it with pulumi config set --plaintext"))
		}
	}
	for key, field := range keys {
		value := given[project+":"+key]
		switch field := field.(type) {
		case *string:
			*field = value
		case *int:
			var err error
			if *field, err = strconv.Atoi(value); err != nil {
				wrong.add(key, fmt.Errorf("expected a whole number, got %q; set one, or remove the key for its default", value))
			}
		case *bool:
			if *field = value == "true"; !*field && value != "false" {
				wrong.add(key, fmt.Errorf("expected true or false, got %q; set one, or remove the key for its default", value))
			}
		case *[]string:
			var err error
			if key == "audience" && value != "" && !strings.HasPrefix(value, "[") { // one needs no list
				*field = []string{value}
				break
			}
			*field, err = readList(key, value)
			wrong.add(key, err)
		case *[]issuer:
			var err error
			*field, err = readIssuers(value)
			wrong.add(key, err)
		}
	}
	others := map[string]bool{}
	for _, full := range slices.Sorted(maps.Keys(given)) {
		namespace, key, _ := strings.Cut(full, ":")
		switch {
		case namespace == project && keys[key] == nil:
			wrong.add(key, fmt.Errorf("unknown setting; %s", suggestion(key, slices.Sorted(maps.Keys(keys)))))
		// A renamed project leaves its settings behind in the stack files, and a name may be
		// misspelt. One line is enough for each name. Pulumi's Auth0 provider has two of ours:
		// https://www.pulumi.com/registry/packages/auth0/installation-configuration/
		case namespace != project && keys[key] != nil && key != "audience" && key != "domain" && !others[namespace]:
			others[namespace] = true
			wrong.add(full, fmt.Errorf("expected %s:%s, as the project's name is %s; rename every %s: key of the stack file, or remove it with pulumi config rm %s",
				project, key, project, namespace, full))
		}
	}
	c.region = given["aws:region"]
	c.check(wrong)
	c.JWKSURI = cmp.Or(c.JWKSURI, defaultKeys(c.Issuer, c.Provider))
	return c, wrong
}

// suggestion says what to do about an unknown key.
func suggestion(key string, known []string) string {
	nearest := spelling.Nearest(key, known)
	if nearest == "" {
		return "remove it with pulumi config rm " + key + ", or choose one of Pulumi.yaml"
	}
	return "did you mean " + nearest + "? Rename it in the stack file"
}

// check adds what is wrong with the values.
func (c Config) check(wrong faults) {
	wrong.add("aws:region", checkRegion(c.region))
	wrong.add("issuer", checkIssuer(c.Issuer, c.Provider))
	wrong.add("audience", checkAudiences("audience", c.Audience))
	c.checkTrust(wrong)
	if c.JWKSURI != "" {
		wrong.add("jwksUri", checkHTTPS(c.JWKSURI))
	}
	wrong.add("allowedOrigin", origin.Check(c.AllowedOrigin))
	wrong.add("authorizerTtl", checkRange("seconds", c.AuthorizerTTL, 0, maxAuthorizerTTL))
	if !slices.Contains(logRetentions, c.LogRetentionDays) {
		at, _ := slices.BinarySearch(logRetentions, c.LogRetentionDays)
		wrong.add("logRetentionDays", fmt.Errorf("CloudWatch does not know %d days; set %d",
			c.LogRetentionDays, logRetentions[min(at, len(logRetentions)-1)]))
	}
	wrong.add("throttleRate", checkRange("requests a second", c.ThrottleRate, 1, maxThrottle))
	wrong.add("throttleBurst", checkRange("requests", c.ThrottleBurst, 1, maxThrottle))
	if c.ReservedConcurrency == 0 || c.ReservedConcurrency < unreserved {
		wrong.add("reservedConcurrency", fmt.Errorf("expected at least 1, or %d for none reserved, got %d, with which no function would run; set %d",
			unreserved, c.ReservedConcurrency, unreserved))
	}
	wrong.add("domain", checkDomain(c.Domain, c.CertificateARN))
	wrong.add("certificateArn", checkCertificate(c.CertificateARN, c.Domain, c.region))
	wrong.add("webAclArn", checkARN(c.WebACLARN, webACLForm, c.region))
	wrong.add("kmsKeyArn", checkARN(c.KMSKeyARN, kmsKeyForm, c.region))
	wrong.add("alarmTopicArn", checkARN(c.AlarmTopicARN, topicForm, c.region))
	wrong.add("permissionsBoundaryArn", checkARN(c.PermissionsBoundaryARN, boundaryForm, c.region))
	if c.DisableExecuteAPIEndpoint && c.Domain == "" {
		wrong.add("disableExecuteApiEndpoint", errors.New("nobody could call the API without its own domain: set domain and certificateArn as well, or set it to false"))
	}
}

// regionName is the form of a region's name, such as us-gov-west-1.
var regionName = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-\d+$`)

// checkRegion demands a region in the configuration: dashboards and ARNs name it, and
// the program cannot see one that the AWS provider finds in the environment.
func checkRegion(region string) error {
	if regionName.MatchString(region) {
		return nil
	}
	return fmt.Errorf("expected a region, got %q; pulumi config set aws:region eu-central-1", region)
}

// maxThrottle is far above any account's quota, and catches a typing error. The quota of
// a new account is 10,000 a second and 5,000 at once:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
const maxThrottle = 1_000_000

func checkRange(unit string, n, low, high int) error {
	if n >= low && n <= high {
		return nil
	}
	return fmt.Errorf("expected %d to %d %s, got %d; set %d", low, high, unit, n, min(max(n, low), high))
}

// physicalName is what a stage, a function, a role and a dashboard may all be called.
// Functions and roles take 64 characters, the fewest:
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
var physicalName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// maxPrefix is what a role's generated name leaves for its beginning: 64 characters less
// the provider's 26.
const maxPrefix = 38

// checkNames demands a project and a stack that physical names can be made of.
func checkNames(project, stack string, functions []string, managesAccount bool) error {
	if managesAccount && len(accountRole(project)) > maxPrefix {
		return fmt.Errorf("expected a role's name to begin with at most %d characters, got %q; give the project a shorter name in Pulumi.yaml, or set manageApiGatewayAccount to false",
			maxPrefix, accountRole(project))
	}
	longest := slices.MaxFunc(functions, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
	name := strings.Join([]string{project, stack, longest}, "-")
	if physicalName.MatchString(name) {
		return nil
	}
	fixed := regexp.MustCompile(`[^A-Za-z0-9_-]+`).ReplaceAllString(stack, "-")
	room := 64 - (len(name) - len(stack))
	fix := "give the project a shorter name in Pulumi.yaml"
	if physicalName.MatchString(project) && room > 0 {
		fix = "pulumi stack rename " + fixed[:min(len(fixed), room)]
	}
	return fmt.Errorf("expected at most 64 letters, digits, - and _ in a function's name, got %q; %s", name, fix)
}

// placeholder reports whether the issuer is still an example's. A stack with it can be
// deployed, but refuses every token.
func placeholder(issuer string) bool {
	return strings.HasPrefix(issuer, "https://TENANT.") || strings.Contains(issuer, "://YOUR_")
}
