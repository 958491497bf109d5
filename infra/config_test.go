package infra_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"account-api/infra"
)

func TestConfigurationIsRefusedWithItsCorrection(t *testing.T) {
	for name, row := range map[string]struct{ setting, says string }{
		"Auth0 issuer without the slash":    {"issuer=https://t.eu.auth0.com", `set "https://t.eu.auth0.com/"`},
		"Auth0 issuer with a path":          {"issuer=https://t.eu.auth0.com/oauth", `set "https://t.eu.auth0.com/"`},
		"issuer over http":                  {"issuer=http://t.eu.auth0.com/", `set "https://t.eu.auth0.com/"`},
		"issuer without a scheme":           {"issuer=t.eu.auth0.com/", `set "https://t.eu.auth0.com/"`},
		"issuer that is empty":              {"issuer=", "issuer: expected an https URL, got nothing"},
		"issuer with a space":               {"issuer=https://t.eu.auth0.com/ ", `set "https://t.eu.auth0.com/"`},
		"issuer with a password":            {"issuer=https://u:p@t.eu.auth0.com/", `set "https://t.eu.auth0.com/"`},
		"issuer with a fragment":            {"issuer=https://t.eu.auth0.com/#x", `set "https://t.eu.auth0.com/"`},
		"issuer with a query":               {"issuer=https://t.eu.auth0.com/?a=b", `set "https://t.eu.auth0.com/"`},
		"issuer with another scheme":        {"issuer=ftp://t.eu.auth0.com/", `set "https://t.eu.auth0.com/"`},
		"issuer without a host":             {"issuer=https:///x", "with a host"},
		"audience that is empty":            {"audience=", "audience: expected the API's identifier"},
		"audience with a space":             {"audience= https://a ", `set "https://a"`},
		"JWKS URI over http":                {"jwksUri=http://keys.example.com/jwks", `set "https://keys.example.com/jwks"`},
		"TTL below zero":                    {"authorizerTtl=-1", "set 0"},
		"TTL above API Gateway's limit":     {"authorizerTtl=3601", "set 3600"},
		"TTL that is no number":             {"authorizerTtl=soon", `expected a whole number, got "soon"`},
		"retention that CloudWatch lacks":   {"logRetentionDays=31", "set 60"},
		"retention beyond CloudWatch's":     {"logRetentionDays=9999", "set 3653"},
		"origin with a slash":               {"allowedOrigin=https://app.example.com/", `set "https://app.example.com"`},
		"origin with a path":                {"allowedOrigin=https://app.example.com/x", `set "https://app.example.com"`},
		"origin in capitals":                {"allowedOrigin=https://App.example.com", `set "https://app.example.com"`},
		"two origins":                       {"allowedOrigin=https://a.example.com,https://b.example.com", "expected * or one origin"},
		"origin null":                       {"allowedOrigin=null", "expected * or one origin"},
		"origin that would end the literal": {"allowedOrigin=https://a'b", "expected * or one origin"},

		"rate that lets nobody in":           {"throttleRate=0", "throttleRate: expected 1 to 1000000 requests a second, got 0; set 1"},
		"burst that is no number":            {"throttleBurst=lots", `expected a whole number, got "lots"`},
		"concurrency that stops everything":  {"reservedConcurrency=0", "set -1"},
		"concurrency below nothing":          {"reservedConcurrency=-2", "set -1"},
		"domain without its certificate":     {"domain=api.example.com", "set certificateArn as well"},
		"domain that is a URL":               {"domain=https://API.example.com/v1", `set "api.example.com"`},
		"domain with a port":                 {"domain=api.example.com:443", `set "api.example.com"`},
		"domain that ends in a dot":          {"domain=api.example.com.", `set "api.example.com"`},
		"domain that is none":                {"domain=-", `set "api.example.com"`},
		"certificate without its domain":     {"certificateArn=arn:aws:acm:eu-central-1:123456789012:certificate/1", "set domain as well"},
		"web ACL of CloudFront's":            {"webAclArn=arn:aws:wafv2:us-east-1:123456789012:global/webacl/w/1", "scope REGIONAL"},
		"web ACL of another region":          {"webAclArn=arn:aws:wafv2:us-west-2:123456789012:regional/webacl/w/1", `"arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/w/1"`},
		"web ACL by its name":                {"webAclArn=account", "arn:aws:wafv2:eu-west-1:"},
		"key by its alias":                   {"kmsKeyArn=arn:aws:kms:eu-central-1:123456789012:alias/logs", "aws kms describe-key"},
		"key by its ID":                      {"kmsKeyArn=11111111-2222-3333-4444-555555555555", "aws kms describe-key"},
		"topic of another service":           {"alarmTopicArn=arn:aws:sqs:eu-central-1:123456789012:alarms", "arn:aws:sns:eu-west-1:"},
		"boundary that is a role":            {"permissionsBoundaryArn=arn:aws:iam::123456789012:role/r", `set for example "arn:aws:iam::123456789012:policy/boundary"`},
		"no endpoint of API Gateway's":       {"disableExecuteApiEndpoint=true", "disableExecuteApiEndpoint: nobody could call the API without its own domain: set domain and certificateArn as well"},
		"protection that is no boolean":      {"protect=yes", `protect: expected true or false, got "yes"`},
		"account setting that is no boolean": {"manageApiGatewayAccount=maybe", `manageApiGatewayAccount: expected true or false, got "maybe"`},
		"account setting of another case":    {"manageApiGatewayAccount=True", `manageApiGatewayAccount: expected true or false, got "True"`},
		"number that is missing":             {"throttleRate=", `throttleRate: expected a whole number, got ""`},
		"number with a fraction":             {"throttleRate=1.5", `throttleRate: expected a whole number, got "1.5"`},

		"key with a letter too many":   {"allowedOrigins=https://pages.example.net", "allowedOrigins: unknown setting; did you mean allowedOrigin? Rename it in the stack file"},
		"key in another case":          {"jwksURI=https://id.example.net/keys", "jwksURI: unknown setting; did you mean jwksUri?"},
		"key that resembles none":      {"colour=red", "colour: unknown setting; remove it with pulumi config rm colour"},
		"key that is empty":            {"sample:=red", ": unknown setting; remove it"},
		"region that is missing":       {"aws:region=", `aws:region: expected a region, got ""; pulumi config set aws:region eu-central-1`},
		"region with a letter too few": {"aws:region=eu-west1", `aws:region: expected a region, got "eu-west1"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := declare(t, "test", row.setting)
			if err == nil {
				t.Fatalf("expected %s to be refused", row.setting)
			}
			if !strings.Contains(err.Error(), row.says) {
				t.Errorf("expected the error to say %s, got:\n%v", row.says, err)
			}
		})
	}
}

func TestConfigurationIsAccepted(t *testing.T) {
	for name, setting := range map[string]string{
		"an issuer without a slash that is not Auth0's": "issuer=https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_abc",
		"an issuer on this machine":                     "issuer=http://127.0.0.1:8081/",
		"an audience that is no URL":                    "audience=account",
		"a TTL at the limit":                            "authorizerTtl=3600",
		"an origin with a port":                         "allowedOrigin=http://localhost:3000",
		"a key in another partition":                    "kmsKeyArn=arn:aws-us-gov:kms:eu-west-1:123456789012:key/1",
		"a boundary of the account":                     "permissionsBoundaryArn=arn:aws:iam::123456789012:policy/team/boundary",
		"a boundary of AWS's":                           "permissionsBoundaryArn=arn:aws:iam::aws:policy/PowerUserAccess",
		"a first-in-first-out topic":                    "alarmTopicArn=arn:aws:sns:eu-west-1:123456789012:alarms.fifo",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := declare(t, "test", setting); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestJWKSURI(t *testing.T) {
	for name, row := range map[string]struct {
		config []string
		want   string
	}{
		"follows an issuer with a slash":    {[]string{"issuer=https://t.eu.auth0.com/"}, "https://t.eu.auth0.com/.well-known/jwks.json"},
		"follows an issuer without a slash": {[]string{"issuer=https://id.example.com/pool"}, "https://id.example.com/pool/.well-known/jwks.json"},
		"is Keycloak's":                     {[]string{"issuer=https://id.example.com/realms/a", "provider=keycloak"}, "https://id.example.com/realms/a/protocol/openid-connect/certs"},
		"is Okta's":                         {[]string{"issuer=https://a.okta.com/oauth2/default", "provider=okta"}, "https://a.okta.com/oauth2/default/v1/keys"},
		"is Entra ID's":                     {[]string{"issuer=https://login.microsoftonline.com/a/v2.0", "provider=entra"}, "https://login.microsoftonline.com/a/discovery/v2.0/keys"},
		"is Duende's":                       {[]string{"issuer=https://id.example.com", "provider=duende"}, "https://id.example.com/.well-known/openid-configuration/jwks"},
		"is the local issuer's for any":     {[]string{"issuer=http://127.0.0.1:8081/", "provider=keycloak"}, "http://127.0.0.1:8081/.well-known/jwks.json"},
		"is what the stack sets":            {[]string{"jwksUri=https://id.example.com/keys"}, "https://id.example.com/keys"},
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, "JWKS_URI", variables(t, mustDeclare(t, "test", row.config...), "authorizer")["JWKS_URI"], row.want)
		})
	}
}

func TestAnExamplesIssuerIsWarnedOf(t *testing.T) {
	for issuer, warns := range map[string]bool{"https://TENANT.eu.auth0.com/": true, "https://tenant.eu.auth0.com/": false} {
		warnings := strings.Join(mustDeclare(t, "test", "issuer="+issuer).Warnings, "\n")
		if strings.Contains(warnings, "issuer is still the example's: nobody gets in until you run pulumi config set issuer") != warns {
			t.Errorf("%s: expected a warning %t, got %q", issuer, warns, warnings)
		}
	}
}

func TestEveryMistakeIsReportedAtOnce(t *testing.T) {
	_, err := declare(t, "test", "issuer=http://a.example.net", "audience=", "authorizerTtl=4000", "throttleRate=soon",
		"alowedOrigin=*", "aws:region=", "domain=api.example.net", "alarmTopicArn=alarms")
	if err == nil {
		t.Fatal("expected the mistakes to be refused")
	}
	for _, key := range []string{
		"issuer", "audience", "authorizerTtl", "throttleRate", "alowedOrigin", "aws:region", "domain", "alarmTopicArn",
	} {
		if n := strings.Count(err.Error(), "\n  "+key+": "); n != 1 {
			t.Errorf("expected one line for %s, got %d in:\n%v", key, n, err)
		}
	}
	if n := strings.Count(err.Error(), "\n"); n != 8 {
		t.Errorf("expected a line for each of 8 mistakes, got %d in:\n%v", n, err)
	}
	if strings.Contains(err.Error(), "arn:aws:sns::") {
		t.Errorf("expected an example with a region, got:\n%v", err)
	}
}

func TestNames(t *testing.T) {
	// sample-, -authorizer: 18 of 64 characters.
	longest := strings.Repeat("s", 46)
	for name, row := range map[string]struct{ stack, says string }{
		"a name that just fits":         {longest, ""},
		"a name too long for functions": {longest + "s", "stack's name: expected at most 64 letters, digits, - and _ in a function's name"},
		"the name that fits instead":    {longest + "s", "pulumi stack rename " + longest + "\n"},
		"a name of other characters":    {"feature.one", "pulumi stack rename feature-one"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := declare(t, row.stack)
			if row.says == "" && err != nil || row.says != "" && (err == nil || !strings.Contains(err.Error()+"\n", row.says)) {
				t.Errorf("expected %q, got %v", row.says, err)
			}
		})
	}
}

// The account's log role has a generated name, of which AWS's provider makes up the end.
func TestTheAccountsRoleHasAName(t *testing.T) {
	for project, fits := range map[string]bool{strings.Repeat("p", 32): true, strings.Repeat("p", 33): false} {
		for manages, works := range map[bool]bool{false: true, true: fits} {
			err := infra.CheckNames(project, manages)
			if (err == nil) != works || err != nil && !strings.Contains(err.Error(), "give the project a shorter name") {
				t.Errorf("%s, %v: expected it to work to be %v, got %v", project, manages, works, err)
			}
		}
	}
}

// A key that only one of them knows would be refused, or have no default.
func TestPulumiYAMLDeclaresTheSettings(t *testing.T) {
	p, err := workspace.LoadProject("../Pulumi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "settings", slices.Sorted(maps.Keys(p.Config)), slices.Sorted(maps.Keys(infra.Keys())))
	for key, declared := range p.Config {
		if declared.Description == "" || declared.Default == nil || declared.IsExplicitlyTyped() {
			t.Errorf("%s: expected a description, a default and no type, got %+v", key, declared)
		}
	}
}

// run runs the program with settings as the engine hands them over.
func run(config map[string]string, secrets ...string) error {
	program := infra.Fixture(builds)
	return pulumi.RunErr(program.Deploy, pulumi.WithMocks("sample", "test", refuses{}), func(info *pulumi.RunInfo) {
		info.Config, info.ConfigSecretKeys = config, secrets
	}, program.Settings)
}

// refuses stands for an engine of which nothing may be asked.
type refuses struct{}

func (refuses) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	return "", nil, errors.New("expected the settings to be refused, got a resource " + args.Name)
}

func (refuses) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	return nil, errors.New("expected the settings to be refused, got a call of " + args.Token)
}

func TestSettingsOfTheEngineAreRefused(t *testing.T) {
	for name, row := range map[string]struct {
		config  map[string]string
		secrets []string
		says    string
	}{
		"none at all":                        {nil, nil, "run it with the option Program.Settings"},
		"an unknown one":                     {map[string]string{"sample:audiense": "a"}, nil, "audiense: unknown setting; did you mean audience?"},
		"those of the project's former name": {map[string]string{"former:issuer": "https://id.example.net/"}, nil, "rename every former: key of the stack file"},
		"one of a misspelt project":          {map[string]string{"sample:issuer": "https://id.example.net/", "smaple:protect": "hush"}, nil, "smaple:protect: expected sample:protect, as the project's name is sample"},
		"a secret":                           {map[string]string{"sample:issuer": "hush"}, []string{"sample:issuer"}, "issuer: this setting must not be a secret"},
		"a secret that is unknown":           {map[string]string{"sample:isuer": "hush"}, []string{"sample:isuer"}, "isuer: unknown setting; did you mean issuer?"},
		"a secret of the wrong type":         {map[string]string{"sample:throttleRate": "hush"}, []string{"sample:throttleRate"}, "throttleRate: this setting must not be a secret"},
	} {
		t.Run(name, func(t *testing.T) {
			err := run(row.config, row.secrets...)
			if err == nil || !strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(), "hush") {
				t.Errorf("expected %q and no secret, got %v", row.says, err)
			}
		})
	}
}

func TestSettingsOfOthersAreIgnored(t *testing.T) {
	if _, err := declare(t, "test", "aws:profile=team", "auth0:domain=tenant.example.net", "pulumi:tags={}"); err != nil {
		t.Error(err)
	}
}
