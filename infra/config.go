package infra

import (
	"errors"
	"fmt"
	"net"
	"net/url"
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
}

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
			problems = append(problems, fmt.Errorf("%s: expected a whole number, got %q", key, stack.Get(key)))
		}
		return n
	}
	c := Config{
		Issuer:           stack.Get("issuer"),
		Audience:         stack.Get("audience"),
		JWKSURI:          stack.Get("jwksUri"),
		AllowedOrigin:    stack.Get("allowedOrigin"),
		AuthorizerTTL:    integer("authorizerTtl"),
		LogRetentionDays: integer("logRetentionDays"),
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
	if c.AuthorizerTTL < 0 || c.AuthorizerTTL > maxAuthorizerTTL {
		add("authorizerTtl", fmt.Errorf("expected 0 to %d seconds, got %d; set %d",
			maxAuthorizerTTL, c.AuthorizerTTL, min(max(c.AuthorizerTTL, 0), maxAuthorizerTTL)))
	}
	if !slices.Contains(logRetentions, c.LogRetentionDays) {
		at, _ := slices.BinarySearch(logRetentions, c.LogRetentionDays)
		add("logRetentionDays", fmt.Errorf("CloudWatch does not know %d days; set %d",
			c.LogRetentionDays, logRetentions[min(at, len(logRetentions)-1)]))
	}
	return found
}

// checkIssuer refuses an issuer that no token of the provider could name. The iss
// claim is compared byte for byte (RFC 7519 section 4.1.1), so a slash too few is
// a 401 for everybody.
func checkIssuer(issuer string) error {
	if err := checkHTTPS(issuer); err != nil {
		return err
	}
	u, err := url.Parse(issuer)
	if err != nil {
		return err
	}
	if u.RawQuery != "" || u.ForceQuery {
		u.RawQuery, u.ForceQuery = "", false
		return fmt.Errorf("an issuer has no query (OpenID Connect Core 1.0 section 2), got %q; set %q", issuer, u)
	}
	if strings.HasSuffix(strings.ToLower(u.Hostname()), ".auth0.com") && u.Path != "/" {
		u.Path = "/"
		return fmt.Errorf("Auth0's issuer is the tenant's host and a slash, got %q; set %q", issuer, u)
	}
	return nil
}

func checkAudience(audience string) error {
	switch trimmed := strings.TrimSpace(audience); {
	case trimmed == "":
		return errors.New(`expected the API's identifier at the provider, got nothing; set for example "https://api.example.com/account"`)
	case trimmed != audience:
		return fmt.Errorf("expected no space around it, got %q; set %q", audience, trimmed)
	}
	return nil
}

// checkHTTPS accepts an absolute https URL. Plain http is accepted for a loopback
// host only, which is how a stack runs against an issuer on the same machine and
// which lets nobody in when deployed.
func checkHTTPS(raw string) error {
	if strings.TrimSpace(raw) != raw {
		return fmt.Errorf("expected no space around it, got %q; set %q", raw, strings.TrimSpace(raw))
	}
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		return errors.New(`expected an https URL, got nothing; set for example "https://TENANT.eu.auth0.com/"`)
	case err != nil:
		return fmt.Errorf("expected an https URL, got %q, which does not parse", raw)
	case u.User != nil:
		return fmt.Errorf("expected an https URL without user or password; set %q", (&url.URL{Scheme: "https", Host: u.Host, Path: u.Path}))
	case u.Fragment != "" || strings.Contains(raw, "#"):
		u.Fragment, u.RawFragment = "", ""
		return fmt.Errorf("expected no fragment, got %q; set %q", raw, strings.TrimSuffix(u.String(), "#"))
	case u.Scheme == "" && u.Host == "":
		return fmt.Errorf("expected an https URL, got %q; set %q", raw, "https://"+strings.TrimLeft(raw, "/"))
	case u.Host == "":
		return fmt.Errorf("expected an https URL with a host, got %q; set for example %q", raw, "https://TENANT.eu.auth0.com/")
	case u.Scheme == "http" && !loopback(u.Hostname()), u.Scheme != "http" && u.Scheme != "https":
		u.Scheme = "https"
		return fmt.Errorf("expected https, got %q; set %q", raw, u)
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// checkOrigin accepts what a browser sends as Origin (RFC 6454 section 6.2), or *.
// "null" is refused: every sandboxed page of every site shares it.
func checkOrigin(origin string) error {
	if origin == "*" {
		return nil
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.ContainsAny(origin, "'*, \t") {
		return fmt.Errorf("expected * or one origin, got %q; set for example %q", origin, "https://app.example.com")
	}
	if want := strings.ToLower(u.Scheme + "://" + u.Host); origin != want {
		return fmt.Errorf("a browser sends an origin in lower case, without path or final slash, got %q; set %q", origin, want)
	}
	return nil
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
