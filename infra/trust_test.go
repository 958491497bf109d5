package infra_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"account-api/infra"
	"account-api/internal/decision"
	"account-api/internal/token"
	"account-api/local/record"
)

// TestAuthorizersEnvironment shows what each setting adds to the function's environment.
func TestAuthorizersEnvironment(t *testing.T) {
	defaults := map[string]any{
		"JWKS_URI": "https://id.example.net/.well-known/jwks.json", "TOKEN_ISSUER": "https://id.example.net/", "AUDIENCE": "https://sample.example.net",
	}
	for name, row := range map[string]struct {
		settings []string
		adds     map[string]any
	}{
		"nothing set":         {nil, nil},
		"two audiences":       {[]string{`audience=["first","https://second.example.net"]`}, map[string]any{"AUDIENCE": "first https://second.example.net"}},
		"an audience in list": {[]string{`audience=["first"]`}, map[string]any{"AUDIENCE": "first"}},
		"a provider":          {[]string{"provider=rfc9068"}, map[string]any{"PROVIDER": "rfc9068"}},
		"the default by name": {[]string{"provider=auth0"}, map[string]any{"PROVIDER": "auth0"}},
		"algorithms":          {[]string{`algorithms=["RS256","EdDSA"]`}, map[string]any{"ALGORITHMS": "RS256 EdDSA"}},
		"one algorithm":       {[]string{`algorithms=["ES256"]`}, map[string]any{"ALGORITHMS": "ES256"}},
		"claims":              {[]string{`claims=["org_id","https://claims.example.net/roles"]`}, map[string]any{"CLAIMS": "org_id https://claims.example.net/roles"}},
		"an outage of 503":    {[]string{"outage=503"}, map[string]any{"OUTAGE": "503"}},
		"another issuer": {[]string{`otherIssuers=[{"issuer":"https://old.example.net/","audience":"old"}]`},
			map[string]any{"OTHER_ISSUERS": `[{"issuer":"https://old.example.net/","audience":["old"],"jwksUri":"https://old.example.net/.well-known/jwks.json"}]`}},
		"another issuer of another provider": {[]string{`otherIssuers=[{"issuer":"https://old.example.net/realms/a","audience":"a","provider":"keycloak"}]`},
			map[string]any{"OTHER_ISSUERS": `[{"issuer":"https://old.example.net/realms/a","audience":["a"],"provider":"keycloak","jwksUri":"https://old.example.net/realms/a/protocol/openid-connect/certs"}]`}},
		"another issuer with all": {[]string{`otherIssuers=[{"issuer":"https://old.example.net/realms/a","audience":["a","b"],"provider":"keycloak","jwksUri":"https://old.example.net/keys"}]`},
			map[string]any{"OTHER_ISSUERS": `[{"issuer":"https://old.example.net/realms/a","audience":["a","b"],"provider":"keycloak","jwksUri":"https://old.example.net/keys"}]`}},
	} {
		t.Run(name, func(t *testing.T) {
			got := variables(t, mustDeclare(t, "test", row.settings...), "authorizer")
			delete(got, "GOMAXPROCS") // every function has it
			want := map[string]any{}
			for _, part := range []map[string]any{defaults, row.adds} {
				for variable, value := range part {
					want[variable] = value
				}
			}
			expect(t, "environment", got, want)
		})
	}
}

func TestTrustIsChecked(t *testing.T) {
	other := func(members string) string {
		return `otherIssuers=[{"issuer":"https://old.example.net/","audience":"old"},{` + members + `}]`
	}
	for name, row := range map[string]struct{ setting, says string }{
		"an audience with a space":         {"audience=first second", "set several as a list: pulumi config set --path 'audience[1]' second"},
		"a list without an audience":       {"audience=[]", "audience: expected the API's identifier"},
		"an empty audience in a list":      {`audience=["first",""]`, "audience: expected the API's identifier"},
		"an audience that is a number":     {"audience=[1]", "audience: expected a list of texts, got [1]"},
		"an unknown provider":              {"provider=ping", "provider: expected a provider among auth0, okta, entra, cognito, keycloak, rfc9068, duende, got \"ping\": one that is not listed follows rfc9068"},
		"a provider in another case":       {"provider=Okta", "got \"Okta\": did you mean okta?"},
		"Okta's org authorization server":  {"provider=okta", "issuer: expected the form of okta's issuers"},
		"an HMAC":                          {`algorithms=["HS256"]`, "algorithms: expected algorithms among [RS256 PS256 ES256 EdDSA]"},
		"algorithms that are an object":    {`algorithms={"a":1}`, "algorithms: expected a list of texts"},
		"claims that are text":             {"claims=org_id", "claims: expected a list of texts, got org_id; pulumi config set --path 'claims[0]' VALUE"},
		"a claim twice":                    {`claims=["a","a"]`, "claims: expected claims to pass on, each once"},
		"a claim with a space":             {`claims=["a b"]`, "claims: expected one name in each element"},
		"an outage of 500":                 {"outage=500", "outage: expected 401 or 503, got 500; set 401"},
		"an outage that is no number":      {"outage=never", "outage: expected a whole number"},
		"other issuers as text":            {"otherIssuers=https://old.example.net/", "otherIssuers: expected a list"},
		"an entry with an unknown member":  {other(`"issuer":"https://c.example.net/","audience":"c","jwks":"x"`), "otherIssuers: expected a list of issuer, audience"},
		"an entry without an issuer":       {other(`"audience":"c"`), "otherIssuers: entry 2: expected an https URL"},
		"an entry without an audience":     {other(`"issuer":"https://c.example.net/"`), "otherIssuers: entry 2: expected the API's identifier"},
		"an entry with keys over http":     {other(`"issuer":"https://c.example.net/","audience":"c","jwksUri":"http://c.example.net/"`), "otherIssuers: entry 2: expected https"},
		"an entry of an unknown provider":  {other(`"issuer":"https://c.example.net/","audience":"c","provider":"x"`), "otherIssuers: entry 2: expected a provider among"},
		"an issuer twice among the others": {other(`"issuer":"https://old.example.net/","audience":"c"`), "otherIssuers: entry 2: expected each issuer once"},
		"the first issuer again":           {other(`"issuer":"https://id.example.net/","audience":"c"`), "otherIssuers: entry 2: expected each issuer once"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := declare(t, "test", row.setting); err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("expected %q, got %v", row.says, err)
			}
		})
	}
}

func TestIssuersOfEachProvider(t *testing.T) {
	for provider, issuer := range map[string]string{
		"okta": "https://id.example.net/oauth2/default", "entra": "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0",
		"cognito": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc", "keycloak": "https://id.example.net/auth/realms/a",
		"duende": "https://id.example.net", "rfc9068": "https://id.example.net/a",
	} {
		for _, accepted := range []string{issuer, "http://127.0.0.1:8081/"} { // the second is for a local run
			if _, err := declare(t, "test", "provider="+provider, "issuer="+accepted); err != nil {
				t.Errorf("%s: %v", provider, err)
			}
		}
	}
}

func TestOutageAnswers503(t *testing.T) {
	const response = "aws:apigateway/response:Response"
	kinds := []string{"gateway response AUTHORIZER_FAILURE", "gateway response AUTHORIZER_CONFIGURATION_ERROR"}
	for _, r := range mustDeclare(t, "test").OfType(response) {
		if slices.Contains(kinds, r.Name) {
			t.Errorf("expected no %s by default", r.Name)
		}
	}
	g := mustDeclare(t, "test", "outage=503")
	for _, kind := range []string{"AUTHORIZER_FAILURE", "AUTHORIZER_CONFIGURATION_ERROR"} {
		declared := find(t, g, response, kind).Inputs
		expect(t, "status", declared["statusCode"], any("503"))
		headers := declared["responseParameters"].(map[string]any)
		expect(t, "Retry-After", headers["gatewayresponse.header.Retry-After"], any("'5'"))
		expect(t, "origin", headers["gatewayresponse.header.Access-Control-Allow-Origin"], any("'https://pages.example.net'"))
		expect(t, "exposed", headers["gatewayresponse.header.Access-Control-Expose-Headers"], any("'WWW-Authenticate,x-amzn-RequestId,Retry-After'"))
	}
}

// A policy is checked with the claims of the stack that it is built for.
func TestBundlerGetsTheClaimsOfTheStack(t *testing.T) {
	for setting, want := range map[string][]string{
		`claims=["org_id","https://claims.example.net/roles"]`: {"org_id", "https://claims.example.net/roles"},
		`claims=[]`: {},
	} {
		override := record.Overrides{}
		if err := override.Set(setting); err != nil {
			t.Fatal(err)
		}
		bundled := 0
		program := infra.Fixture(func(_ *pulumi.Context, handler, _ string, stack decision.Stack) (string, error) {
			bundled++
			if !slices.Equal(stack.Claims, want) || stack.Name != "test" {
				t.Errorf("%s: %s of stack %s gets %q, want %q", setting, handler, stack.Name, stack.Claims, want)
			}
			return "", nil
		})
		root := project(t, map[string]string{"test": settings})
		_, err := record.Run(record.Stack{Root: root, Name: "test", Override: override}, program.Deploy, program.Settings)
		if err != nil || bundled == 0 {
			t.Errorf("%s: got %d packages, %v", setting, bundled, err)
		}
	}
}

// What no token of a stack fills, no rule can decide by there.
func TestBundlerGetsTheFieldsThatNoTokenFills(t *testing.T) {
	const others = `otherIssuers=[{"issuer":"https://other.example.net/","audience":"a","provider":"%s"}]`
	for name, row := range map[string]struct {
		settings []string
		absent   []string
		why      string
	}{
		"the default provider":                      {nil, []string{"issuer"}, "otherIssuers"},
		"a provider without permissions":            {[]string{"provider=rfc9068"}, []string{"permissions", "issuer"}, "tokens of rfc9068 have none, tokens of auth0 and entra do"},
		"two without":                               {[]string{"provider=rfc9068", fmt.Sprintf(others, "duende")}, []string{"permissions"}, "tokens of duende and rfc9068 have none"},
		"one of the other issuers' has permissions": {[]string{"provider=rfc9068", fmt.Sprintf(others, "auth0")}, nil, ""},
		"only the first issuer's provider has them": {[]string{fmt.Sprintf(others, "duende")}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			override := record.Overrides{}
			for _, setting := range row.settings {
				if err := override.Set(setting); err != nil {
					t.Fatal(err)
				}
			}
			bundled := 0
			program := infra.Fixture(func(_ *pulumi.Context, _, _ string, stack decision.Stack) (string, error) {
				bundled++
				var fields []string
				for _, absent := range stack.Absent {
					fields = append(fields, absent.Field)
				}
				if !slices.Equal(fields, row.absent) || row.why != "" && !strings.Contains(stack.Absent[0].Why, row.why) {
					t.Errorf("got %+v, want %q as %q", stack.Absent, row.absent, row.why)
				}
				return "", nil
			})
			root := project(t, map[string]string{"test": settings})
			_, err := record.Run(record.Stack{Root: root, Name: "test", Override: override}, program.Deploy, program.Settings)
			if err != nil || bundled == 0 {
				t.Errorf("got %d packages, %v", bundled, err)
			}
		})
	}
}

// The page about policies names the providers in words.
func TestTheFieldPermissionsNamesItsProviders(t *testing.T) {
	at := slices.IndexFunc(decision.Fields, func(f decision.Field) bool { return f.Name == "permissions" })
	for _, provider := range token.Providers() {
		if named := strings.Contains(decision.Fields[at].From, "`"+provider+"`"); named != token.HasPermissions(provider) {
			t.Errorf("provider %s: named %t in %q, has permissions %t", provider, named, decision.Fields[at].From, !named)
		}
	}
}
