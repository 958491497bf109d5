package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
	"time"

	"account-api/internal/jwks"
	"account-api/internal/refusal"
	"account-api/internal/signature"
	"account-api/internal/token"
	"account-api/internal/token/environment"
	"account-api/internal/token/tokentest"
	"account-api/local/record"
)

// issued is a token as a provider issues it.
type issued struct {
	opaque string         // instead of all else, if it is no JWT
	header map[string]any // beside alg and kid
	claims map[string]any // beside iss, sub, iat and exp; nil leaves one of these out
}

// provider is a row of the page: settings, and the tokens that the provider issues for them.
type provider struct {
	name                string
	settings            []string
	access, id, refresh issued
}

var (
	jwt, atJWT = map[string]any{"typ": "JWT"}, map[string]any{"typ": "at+jwt"}
	opaque     = issued{opaque: "an opaque text"}
	none       = issued{}
)

// providers are the profiles' own, and neighbours that one of the profiles fits, or none.
var providers = []provider{
	{"Auth0", []string{"issuer=https://TENANT.eu.auth0.com/", "audience=https://api.example.com"},
		issued{header: jwt, claims: map[string]any{"aud": []string{"https://api.example.com", "https://TENANT.eu.auth0.com/userinfo"}, "azp": "client", "scope": "openid read:items", "permissions": []string{"read:items"}}},
		issued{header: jwt, claims: map[string]any{"aud": "client", "nonce": "n", "sid": "s"}}, opaque},
	{"Auth0, ID token without a nonce", []string{"issuer=https://TENANT.eu.auth0.com/", "audience=https://api.example.com"},
		none, issued{header: jwt, claims: map[string]any{"aud": "client", "sid": "s"}}, none},
	{"Auth0, token profile RFC 9068", []string{"issuer=https://TENANT.eu.auth0.com/", "audience=https://api.example.com", "provider=rfc9068"},
		issued{header: atJWT, claims: map[string]any{"aud": "https://api.example.com", "client_id": "client", "jti": "1", "scope": "read:items"}},
		issued{header: jwt, claims: map[string]any{"aud": "client", "nonce": "n"}}, opaque},
	{"Okta", []string{"issuer=https://ORG.okta.com/oauth2/default", "audience=api://default", "provider=okta"},
		issued{claims: map[string]any{"ver": 1, "aud": "api://default", "cid": "client", "uid": "u", "scp": []string{"openid", "read:items"}}},
		issued{claims: map[string]any{"ver": 1, "aud": "client", "amr": []string{"pwd"}, "idp": "i", "auth_time": 1}}, opaque},
	{"Entra ID", []string{"issuer=https://login.microsoftonline.com/TENANT/v2.0", "audience=11111111-2222-3333-4444-555555555555", "provider=entra"},
		issued{header: jwt, claims: map[string]any{"ver": "2.0", "aud": "11111111-2222-3333-4444-555555555555", "azp": "client", "azpacr": "1", "scp": "read.items", "roles": []string{"Items.Read"}}},
		issued{header: jwt, claims: map[string]any{"ver": "2.0", "aud": "client", "roles": []string{"Items.Read"}}}, opaque},
	{"Cognito", []string{"issuer=https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Example", "audience=1example23456789", "provider=cognito"},
		issued{claims: map[string]any{"client_id": "1example23456789", "token_use": "access", "scope": "account/read:items", "version": 2}},
		issued{claims: map[string]any{"aud": "1example23456789", "token_use": "id", "cognito:username": "u"}}, issued{opaque: "a.b.c.d.e"}},
	{"Keycloak", []string{"issuer=https://id.example.com/realms/account", "audience=items", "provider=keycloak"},
		issued{header: jwt, claims: map[string]any{"typ": "Bearer", "aud": []string{"items", "account"}, "azp": "client", "scope": "profile read:items"}},
		issued{header: jwt, claims: map[string]any{"typ": "ID", "aud": "client", "azp": "client"}},
		issued{header: map[string]any{"typ": "JWT", "alg": "HS512"}, claims: map[string]any{"typ": "Refresh", "aud": "https://id.example.com/realms/account"}}},
	{"Keycloak 25, client without the scope basic", []string{"issuer=https://id.example.com/realms/account", "audience=items", "provider=keycloak"},
		issued{header: jwt, claims: map[string]any{"sub": nil, "typ": "Bearer", "aud": "items", "azp": "client", "scope": "read:items"}}, none, none},
	{"Duende IdentityServer", []string{"issuer=https://id.example.com", "audience=items", "provider=duende"},
		issued{header: atJWT, claims: map[string]any{"aud": "items", "client_id": "client", "scope": []string{"read:items", "offline_access"}}},
		issued{header: jwt, claims: map[string]any{"aud": "client", "nonce": "n", "at_hash": "h"}}, opaque},
	{"Duende IdentityServer, a machine", []string{"issuer=https://id.example.com", "audience=items", "provider=duende"},
		issued{header: atJWT, claims: map[string]any{"sub": nil, "aud": "items", "client_id": "machine", "scope": []string{"read:items"}}}, none, none},
	{"Ory Hydra, JWT access tokens", []string{"issuer=https://hydra.example.com", "audience=items"},
		issued{header: jwt, claims: map[string]any{"aud": []string{"items"}, "client_id": "client", "scp": []string{"read:items"}, "ext": map[string]any{}}},
		issued{header: jwt, claims: map[string]any{"aud": []string{"client"}, "at_hash": "h", "rat": 1}}, opaque},
	{"Google", []string{"issuer=https://accounts.google.com", "audience=items", "jwksUri=https://www.googleapis.com/oauth2/v3/certs"},
		opaque, issued{header: jwt, claims: map[string]any{"aud": "client", "azp": "client", "at_hash": "h"}}, opaque},
	{"Clerk", []string{"issuer=https://clerk.example.com", "audience=items"},
		issued{header: jwt, claims: map[string]any{"azp": "https://app.example.com", "sid": "s", "sts": "active"}}, none, opaque},
	{"Supabase", []string{"issuer=https://PROJECT.supabase.co/auth/v1", "audience=authenticated", `algorithms=["ES256"]`},
		issued{header: map[string]any{"typ": "JWT", "alg": "ES256"}, claims: map[string]any{"aud": "authenticated", "role": "authenticated", "session_id": "s"}}, none, opaque},
	{"Logto", []string{"issuer=https://TENANT.logto.app/oidc", "audience=items", "jwksUri=https://TENANT.logto.app/oidc/jwks", "provider=rfc9068", `algorithms=["ES256"]`},
		issued{header: map[string]any{"typ": "at+jwt", "alg": "ES384"}, claims: map[string]any{"aud": "items", "client_id": "client", "scope": "read:items"}},
		issued{header: map[string]any{"alg": "ES384"}, claims: map[string]any{"aud": "client", "at_hash": "h"}}, opaque},
	{"GitHub Actions", []string{"issuer=https://token.actions.githubusercontent.com", "audience=items", "jwksUri=https://token.actions.githubusercontent.com/.well-known/jwks"},
		none, issued{header: jwt, claims: map[string]any{"sub": "repo:owner/name:ref:refs/heads/main", "aud": "items", "jti": "1", "repository": "owner/name"}}, none},
	{"Cloudflare Access", []string{"issuer=https://TEAM.cloudflareaccess.com", "audience=items", "jwksUri=https://TEAM.cloudflareaccess.com/cdn-cgi/access/certs"},
		issued{claims: map[string]any{"aud": []string{"items"}, "type": "app", "identity_nonce": "n", "email": "a@example.com"}}, none, none},
	{"ADFS", []string{"issuer=https://adfs.example.com/adfs", "audience=microsoft:identityserver:items", "jwksUri=https://adfs.example.com/adfs/discovery/keys"},
		issued{header: jwt, claims: map[string]any{"iss": "http://adfs.example.com/adfs/services/trust", "aud": "microsoft:identityserver:items", "appid": "client", "scp": "read.items"}},
		issued{header: jwt, claims: map[string]any{"aud": "client", "nonce": "n", "upn": "u"}}, opaque},
	{"SAP BTP", []string{"issuer=https://TENANT.authentication.eu10.hana.ondemand.com/oauth/token", "audience=items", "jwksUri=https://TENANT.authentication.eu10.hana.ondemand.com/token_keys"},
		issued{header: map[string]any{"typ": "JWT", "jku": "https://TENANT.authentication.eu10.hana.ondemand.com/token_keys"}, claims: map[string]any{"aud": []string{"items"}, "azp": "client", "cid": "client", "scope": []string{"items.Read"}}},
		issued{header: jwt, claims: map[string]any{"aud": "client", "nonce": "n"}}, opaque},
}

// providersPage is the page about providers. Its table is what a verifier with each provider's
// settings says about really signed tokens.
func providersPage(root string) (string, error) {
	project, err := exampleProject(root)
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(project)
	var b, settings strings.Builder
	b.WriteString(providersIntroduction)
	b.WriteString("| provider | token | outcome, and what the log says |\n| --- | --- | --- |\n")
	settings.WriteString("\n## The settings above\n\nA preview accepts each of them. `otherIssuers` takes the same values, as `audience`, `provider` and `jwksUri` of each entry.\n\n")
	settings.WriteString("| provider | settings |\n| --- | --- |\n")
	for _, p := range providers {
		verify, err := p.verifier(project)
		if err != nil {
			return "", fmt.Errorf("%s: %w", p.name, err)
		}
		for _, t := range []struct {
			kind string
			issued
		}{{"access", p.access}, {"ID", p.id}, {"refresh", p.refresh}} {
			if t.opaque != "" || t.claims != nil {
				fmt.Fprintf(&b, "| %s | %s | %s |\n", p.name, t.kind, verify(t.issued))
			}
		}
		fmt.Fprintf(&settings, "| %s | `%s` |\n", p.name, strings.Join(p.settings, "`<br>`"))
	}
	return b.String() + settings.String() + providersDetails, nil
}

// verifier is the authorizer's, with the environment that a stack with the settings declares.
func (p provider) verifier(project string) (func(issued) string, error) {
	override := record.Overrides{}
	for _, setting := range p.settings {
		if err := override.Set(setting); err != nil {
			return nil, err
		}
	}
	g, err := declare(record.Stack{Root: project, Name: "example", Override: override})
	if err != nil {
		return nil, err
	}
	var trust environment.Trust
	for _, function := range g.OfType("aws:lambda/function:Function") {
		if variables := function.Environment(); variables["JWKS_URI"] != "" {
			trust, err = environment.Read(func(name string) string { return variables[name] })
		}
	}
	if err != nil {
		return nil, err
	}
	verifier, err := token.NewVerifier(trust.Expectation)
	if err != nil {
		return nil, err
	}
	set, err := jwks.Parse(tokentest.AlgorithmKeySet(), signature.Algorithms()...)
	if err != nil {
		return nil, err
	}
	keys := token.KeyFunc(func(_, kid string, _ *signature.Key) (*signature.Key, error) { return set.Key(kid) })
	return func(t issued) string {
		compact, err := t.sign(trust.Issuers[0].Name)
		if err != nil {
			return err.Error()
		}
		claims, err := verifier.Verify(compact, time.Now(), keys)
		if refused, ok := errors.AsType[*refusal.Error](err); ok {
			return "**refused**: `" + refused.Error() + "`"
		}
		says := []string{"**accepted**"}
		for _, found := range []struct{ name, value string }{
			{"principal", claims.Subject}, {"client", claims.AuthorizedParty}, {"scopes", claims.Scope}, {"permissions", strings.Join(claims.Permissions, " ")},
		} {
			if found.value == "" {
				says = append(says, "no "+found.name)
			} else {
				says = append(says, found.name+" `"+found.value+"`")
			}
		}
		return strings.Join(says, ", ")
	}, nil
}

// sign issues the token as the provider would, valid for an hour.
func (t issued) sign(issuer string) (string, error) {
	if t.opaque != "" {
		return t.opaque, nil
	}
	header := map[string]any{"alg": "RS256"}
	maps.Copy(header, t.header)
	algorithm := signature.Algorithm(header["alg"].(string))
	if !signature.Known(string(algorithm)) {
		algorithm = signature.RS256 // the header alone is looked at
	}
	header["kid"] = algorithm
	claims := map[string]any{"iss": issuer, "sub": "user", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()}
	maps.Copy(claims, t.claims)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	first, err := json.Marshal(header)
	if err != nil {
		return "", err
	}
	second, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	return tokentest.SignAs(algorithm, first, second), nil
}

const providersIntroduction = `# Identity providers

<!-- Generated by ` + "`make docs`" + `. -->

A provider fits if its access tokens are signed JWTs ([RFC 7519](https://www.rfc-editor.org/rfc/rfc7519)) that name this API in ` + "`aud`" + `,
with a key of its key set. Not every OpenID Connect provider does: Google's access tokens are opaque, and Clerk's, as they come, name
no audience. The table below shows what becomes of the tokens of many.

The setting ` + "`provider`" + ` names the profile of the access tokens: ` + "`auth0`" + ` (the default), ` + "`okta`, `entra`, `cognito`, `keycloak`, `duende`" + `,
or ` + "`rfc9068`" + ` for every provider that follows [RFC 9068](https://www.rfc-editor.org/rfc/rfc9068). The list is closed: a provider off it
uses ` + "`rfc9068`" + `, or the table in ` + "`internal/token/profile.go`" + ` is changed.

` + "```sh" + `
# needs Pulumi, or edit Pulumi.dev.yaml; every … is a value of the provider
pulumi config set issuer   …   # the iss claim, byte for byte
pulumi config set audience …   # one entry of the aud claim, byte for byte
pulumi config set provider …   # only where it is not auth0
pulumi config set jwksUri  …   # only where the keys are not in the usual place of that provider
` + "```" + `

` + "`make explain STACK=dev`" + ` compares the settings with what the provider publishes.

No setting switches these rules off:

- **The token must name the API's audience.** A provider signs the access tokens of all its APIs with the same key. Only
  the audience tells them apart ([RFC 8725, section 3.9](https://www.rfc-editor.org/rfc/rfc8725#section-3.9)).
- **The token must be an access token.** A provider signs ID, refresh and logout tokens with the same key, too
  ([RFC 8725, section 2.8](https://www.rfc-editor.org/rfc/rfc8725#section-2.8)). The profile says what an access token has. An
  Auth0 ID token without a nonce has no mark. Its audience is the client's ID, so the audience check refuses it.
- **Each issuer has its own keys, audiences and profile.** A key of one issuer never verifies a token of another.

## What becomes of each token

Each row is a really signed token, and the verdict of the authorizer with the settings below. The words are ` + "`reason` and `detail`" + ` in
its log; the client sees only 401. An opaque token does not reach the authorizer: API Gateway refuses it.

`

const providersDetails = `
## What to set up at the provider

- **Auth0**: request tokens with the ` + "`audience`" + ` parameter. Without it Auth0 issues an opaque token.
- **Okta**: use a custom authorization server; ` + "`default`" + ` is one. The tokens of the org authorization server are for Okta's own APIs.
- **Entra ID**: name the tenant, as no token has ` + "`common`" + ` as its issuer. Set ` + "`requestedAccessTokenVersion`" + ` to 2 in the API's manifest. A
  token of version 1 comes from ` + "`sts.windows.net`" + `. Delegated permissions are scopes; an application's roles are permissions.
- **Cognito**: access tokens name no API, only the client. So the audience is the list of the app clients' IDs. The scopes of a resource
  server keep its identifier in front: ` + "`account/read:items`" + `.
- **Keycloak**: add a client scope with a mapper of type *Audience*. Give each client the client scope ` + "`basic`" + `, which adds ` + "`sub`" + `.
  For realm roles, the stack has the setting ` + "`claims: [realm_access]`" + `: the whole claim, as a dot would be part of its name.
  A rule reads them so: ` + "`\"member\" in input.claims.realm_access.roles`" + `.
- **Duende IdentityServer**: register an API resource, whose name becomes the audience. A token of the client credentials grant has no
  ` + "`sub`" + `; its principal is the client's ID. Do not let a user have a client's ID as subject.

## Tried with a real provider

` + "`make test-provider`" + ` starts the OpenID provider of the npm package ` + "`oidc-provider`" + ` over https, signs a user in, and presents what
it issues to the authorizer under ` + "`provider=rfc9068`" + `: the access token is accepted, the ID and the refresh token are refused, and
tokens of the old and the new key are accepted after a rotation. It needs Node.js. CI runs it.

## When API Gateway's own authorizer suffices

API Gateway's own Cognito and JWT authorizers need no function. They suffice if issuer, audience and scopes of a method decide. This
authorizer adds what they lack: kinds of token, refusals with a reason, decisions by tested Rego rules, and a run on a laptop.
`
