package infra

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"account-api/internal/decision"
	"account-api/internal/token"
	"account-api/internal/token/environment"
)

// issuer is one of the further issuers, in the setting and in the function's environment.
type issuer struct {
	Issuer   string   `json:"issuer"`
	Audience audience `json:"audience"`
	Provider string   `json:"provider,omitempty"`
	JWKSURI  string   `json:"jwksUri"`
}

// audience is written as text or as a list.
type audience []string

// UnmarshalJSON implements [json.Unmarshaler].
func (a *audience) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*a = audience{one}
		return nil
	}
	var several []string
	err := json.Unmarshal(text, &several)
	*a = several
	return err
}

// readList reads a list of texts, which Pulumi hands over as JSON.
func readList(setting, value string) ([]string, error) {
	var list []string
	if err := json.Unmarshal([]byte(value), &list); err != nil && value != "" {
		return nil, fmt.Errorf("expected a list of texts, got %s; pulumi config set --path '%s[0]' VALUE", value, setting)
	}
	return list, nil
}

// readIssuers reads a list of objects. A member that is not known would be left out.
func readIssuers(value string) ([]issuer, error) {
	if value == "" {
		return nil, nil
	}
	var list []issuer
	decoder := json.NewDecoder(strings.NewReader(value))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&list); err != nil {
		return nil, errors.New("expected a list of issuer, audience, provider and jwksUri, got something else; pulumi config set --path 'otherIssuers[0].issuer' https://TENANT.eu.auth0.com/")
	}
	return list, nil
}

// keyPaths are where providers have their keys below the issuer. OpenID Connect Discovery 1.0 names
// no path for the key set. Auth0, Cognito and the local run's issuer have wellKnownKeys.
var keyPaths = map[string]string{
	"okta":     "/v1/keys",                               // https://developer.okta.com/docs/api/openapi/okta-oauth/oauth/tag/CustomAS/
	"keycloak": "/protocol/openid-connect/certs",         // https://www.keycloak.org/securing-apps/oidc-layers
	"duende":   "/.well-known/openid-configuration/jwks", // https://docs.duendesoftware.com/identityserver/reference/endpoints/discovery/
	"entra":    "/discovery/v2.0/keys",                   // https://learn.microsoft.com/en-us/entra/identity-platform/access-tokens
}

const wellKnownKeys = "/.well-known/jwks.json"

// defaultKeys is where the keys are unless it is set. The issuer of the local run has no https.
func defaultKeys(issuer, provider string) string {
	path := wellKnownKeys
	if strings.HasPrefix(issuer, "https://") {
		path = cmp.Or(keyPaths[provider], path)
	}
	if provider == "entra" {
		issuer = strings.TrimSuffix(issuer, "/v2.0") // a part of the issuer only
	}
	return strings.TrimSuffix(issuer, "/") + path
}

// issuerForms are what the issuers of a provider look like, where all look alike. The sources
// are those of the profiles in package token.
var issuerForms = map[string]*regexp.Regexp{
	"okta":     regexp.MustCompile(`^https://[^/]+/oauth2/[^/]+$`),
	"entra":    regexp.MustCompile(`^https://[^/]+/[^/]+/v2\.0$`),
	"cognito":  regexp.MustCompile(`^https://cognito-idp\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[^/]+$`),
	"keycloak": regexp.MustCompile(`^https://.+/realms/[^/]+$`),
}

// checkTrust adds what the authorizer would not start with. Each setting is checked by itself,
// so that every fault is reported at once.
func (c Config) checkTrust(wrong faults) {
	for i, other := range c.OtherIssuers {
		entry := func(err error) error {
			if err == nil {
				return nil
			}
			return fmt.Errorf("entry %d: %w", i+1, err)
		}
		wrong.add("otherIssuers", entry(checkIssuer(other.Issuer, other.Provider)))
		wrong.add("otherIssuers", entry(checkAudiences(fmt.Sprintf("otherIssuers[%d].audience", i), other.Audience)))
		if other.JWKSURI != "" {
			wrong.add("otherIssuers", entry(checkHTTPS(other.JWKSURI)))
		}
		c.OtherIssuers[i].JWKSURI = cmp.Or(other.JWKSURI, defaultKeys(other.Issuer, other.Provider))
	}
	all := c.environment()
	for setting, variable := range map[string]string{
		"provider": "PROVIDER", "otherIssuers": "OTHER_ISSUERS", "algorithms": "ALGORITHMS", "claims": "CLAIMS",
	} {
		alone := map[string]string{"JWKS_URI": "any", "TOKEN_ISSUER": "any", "AUDIENCE": "any", variable: all[variable]}
		if setting == "otherIssuers" && c.Issuer != "" {
			alone["TOKEN_ISSUER"] = c.Issuer
		}
		if _, err := environment.Read(func(name string) string { return alone[name] }); err != nil {
			wrong.add(setting, errors.New(strings.TrimPrefix(err.Error(), "config_error: "+variable+": ")))
		}
	}
	for _, name := range c.Claims {
		if strings.ContainsAny(name, " \t\r\n") {
			wrong.add("claims", fmt.Errorf("expected one name in each element, got %q; pulumi config set --path 'claims[1]' %s", name, strings.Fields(name + " NAME")[1]))
		}
	}
	if c.Outage != 401 && c.Outage != 503 {
		wrong.add("outage", fmt.Errorf("expected 401 or 503, got %d; set 401", c.Outage))
	}
}

// absent are the fields of a policy's input that no token of the stack fills.
func (c Config) absent() (fields []decision.Absent) {
	providers := []string{cmp.Or(c.Provider, token.Providers()[0])}
	for _, other := range c.OtherIssuers {
		providers = append(providers, cmp.Or(other.Provider, token.Providers()[0]))
	}
	slices.Sort(providers)
	if !slices.ContainsFunc(providers, token.HasPermissions) {
		with := slices.DeleteFunc(token.Providers(), func(name string) bool { return !token.HasPermissions(name) })
		fields = append(fields, decision.Absent{Field: "permissions", Why: fmt.Sprintf("tokens of %s have none, tokens of %s do",
			strings.Join(slices.Compact(providers), " and "), strings.Join(with, " and "))})
	}
	if len(c.OtherIssuers) == 0 {
		fields = append(fields, decision.Absent{Field: "issuer", Why: "it trusts one issuer, and the setting otherIssuers would add more"})
	}
	return fields
}

// environment is what the authorizer is told. A setting with its default is left out.
func (c Config) environment() map[string]string {
	variables := map[string]string{
		"JWKS_URI":     c.JWKSURI,
		"TOKEN_ISSUER": c.Issuer,
		"AUDIENCE":     strings.Join(c.Audience, " "),
		"PROVIDER":     c.Provider,
		"ALGORITHMS":   strings.Join(c.Algorithms, " "),
		"CLAIMS":       strings.Join(c.Claims, " "),
	}
	if len(c.OtherIssuers) > 0 {
		text, _ := json.Marshal(c.OtherIssuers) // texts only
		variables["OTHER_ISSUERS"] = string(text)
	}
	if c.Outage == 503 {
		variables["OUTAGE"] = strconv.Itoa(c.Outage)
	}
	if c.AuthorizerTTL > 0 {
		// API Gateway applies a cached answer to every method that the token is used
		// for. If it named only the method called first, all others would answer 403:
		// https://repost.aws/knowledge-center/api-gateway-lambda-authorization-errors
		variables["POLICY_SCOPE"] = "api"
	}
	for name, value := range variables {
		if value == "" {
			delete(variables, name)
		}
	}
	return variables
}

// stringMap is a map of strings as an input.
func stringMap(values map[string]string) pulumi.StringMap {
	inputs := pulumi.StringMap{}
	for name, value := range values {
		inputs[name] = pulumi.String(value)
	}
	return inputs
}
