package infra_test

import (
	"strings"
	"testing"
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
		"web ACL of another region":          {"webAclArn=arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/w/1", `"arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/w/1"`},
		"web ACL by its name":                {"webAclArn=account", "arn:aws:wafv2:eu-central-1:"},
		"key by its alias":                   {"kmsKeyArn=arn:aws:kms:eu-central-1:123456789012:alias/logs", "aws kms describe-key"},
		"key by its ID":                      {"kmsKeyArn=11111111-2222-3333-4444-555555555555", "aws kms describe-key"},
		"topic of another service":           {"alarmTopicArn=arn:aws:sqs:eu-central-1:123456789012:alarms", "arn:aws:sns:eu-central-1:"},
		"account setting that is no boolean": {"manageApiGatewayAccount=maybe", `expected true or false, got "maybe"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := declare("dev", row.setting)
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
		"a key in another partition":                    "kmsKeyArn=arn:aws-us-gov:kms:eu-central-1:123456789012:key/1",
		"a first-in-first-out topic":                    "alarmTopicArn=arn:aws:sns:eu-central-1:123456789012:alarms.fifo",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := declare("dev", setting); err != nil {
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
		"is what the stack sets":            {[]string{"jwksUri=https://id.example.com/keys"}, "https://id.example.com/keys"},
	} {
		t.Run(name, func(t *testing.T) {
			f := find(t, mustDeclare(t, "dev", row.config...), function, "authorizer")
			expect(t, "JWKS_URI", f.Inputs["environment"].(map[string]any)["variables"].(map[string]any)["JWKS_URI"], row.want)
		})
	}
}

func TestEveryMistakeIsReportedAtOnce(t *testing.T) {
	_, err := declare("dev", "issuer=http://a.example.com", "audience=", "authorizerTtl=4000")
	if err == nil {
		t.Fatal("expected three mistakes to be refused")
	}
	for _, key := range []string{"issuer:", "audience:", "authorizerTtl:"} {
		if !strings.Contains(err.Error(), key) {
			t.Errorf("expected the error to name %s got:\n%v", key, err)
		}
	}
}
