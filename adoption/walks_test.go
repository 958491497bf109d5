package adoption

import (
	"cmp"
	"net/http"
	"strings"
	"testing"
)

// walk is one thing that a team does on the first day.
type walk struct {
	name       string
	documented string // how README.md names it, before its cost; "" if it is a variation of another
	edits      []edit
	generates  bool   // whether the generated documents change
	team       string // whose edits are tested together: the suites take minutes; "" for none
	suites     string // the packages that are tested right after these edits, which fit no team's

	stackName string            // the stack that is run; "" for dev
	aud       string            // the audience, where it is not the shipped one
	allowed   map[string]string // the fields of a token request whose token the policy allows
	denied    map[string]string // and of one that it denies
	requests  []request

	// table serves what handlers store in, and returns its URL; nil for nothing.
	table func(*testing.T, project) string
}

func (w walk) stack() string { return cmp.Or(w.stackName, "dev") }

func (w walk) audience() string { return cmp.Or(w.aud, shippedAudience) }

// forbidden is the sample's answer to callers without its scope, rule its rule, and granting its
// tests' set of scopes that are enough.
var (
	forbidden = missing(shippedScope)
	rule      = `allow if "` + shippedScope + `" in split(input.scope, " ")`
	granting  = `granting := {"` + shippedScope + `"}`
)

// missing is how the policies here deny a caller without a scope.
func missing(scope string) string {
	return `{"message":"Error: Forbidden","info":"scope \"` + scope + `\" is required"}`
}

// setByCommand is what pulumi stack init with a passphrase and pulumi config set leave
// behind: the salt, sorted keys with their namespace, numbers as text, no comments.
var setByCommand = strings.ReplaceAll(`encryptionsalt: v1:m5KrN6ICZjA=:v1:u3tYq4mhGL7H1VbO:hdwA4bQyZZ5BcZpcOV7eEGZmsqqQXA==
config:
  PROJECT:allowedOrigin: https://app.my-team.example
  PROJECT:audience: orders
  PROJECT:issuer: https://login.my-team.example
  PROJECT:logRetentionDays: "14"
  PROJECT:throttleBurst: "4000"
  PROJECT:throttleRate: "8000"
  aws:region: eu-central-1
`, "PROJECT", shippedProject)

// endpoint is the entry of the sample's endpoint, the last one.
const endpoint = `		description: "Answers with the caller's profile if the policy allows it",
	},
`

func scope(value string) map[string]string { return map[string]string{"scope": value} }

// role is a caller with a realm role, as Keycloak has it in a token.
func role(name string) map[string]string {
	return map[string]string{"scope": "", "claims": `{"realm_access":{"roles":["` + name + `"]}}`}
}

// auth0 are the settings of the shipped provider. keycloak are those of another one during the
// move to it, with every setting about tokens.
var (
	auth0    = "  issuer: https://TENANT.eu.auth0.com/\n  audience: " + shippedAudience + "\n"
	keycloak = `  provider: keycloak
  issuer: https://sso.my-team.example/realms/members
  audience: orders
  jwksUri: https://sso.my-team.example/realms/members/protocol/openid-connect/certs
  algorithms: [ES256]
  claims: [realm_access]
  outage: 503
  otherIssuers:
    - issuer: https://my-team.eu.auth0.com/
      audience: orders
`
)

var (
	reader  = scope(shippedScope)
	updater = scope("update:profile")
)

// readers are the requests that the sample answers, with another scope or answer where a
// walk has one.
func readers(caller map[string]string, denial, answer string) []request {
	return []request{
		{http.MethodGet, "profile", nil, http.StatusUnauthorized, `{"message":"Unauthorized"}`},
		{http.MethodGet, "profile", updater, http.StatusForbidden, denial},
		{http.MethodGet, "profile", caller, http.StatusOK, answer},
	}
}

var walks = []walk{
	{
		name: "rename the scope", documented: "Rename the scope",
		team: "in an editor",
		edits: []edit{
			replace("policies/profile/profile.rego", shippedScope, "accounts.read"),
			replace("policies/profile/profile_test.rego", shippedScope, "accounts.read"),
		},
		allowed: scope("accounts.read"), denied: reader,
		requests: append(readers(scope("accounts.read"), missing("accounts.read"), profile),
			request{http.MethodGet, "profile", reader, http.StatusForbidden, missing("accounts.read")}),
	},
	{
		name: "allow a second scope as well", documented: "Allow a second scope",
		team: "by commands",
		edits: []edit{
			replace("policies/profile/profile.rego", rule, rule+`

allow if "admin:everything" in split(input.scope, " ")`),
			replace("policies/profile/profile_test.rego", granting, `granting := {"admin:everything", "`+shippedScope+`"}`),
		},
		allowed: scope("admin:everything"), denied: updater,
		requests: append(readers(reader, forbidden, profile),
			request{http.MethodGet, "profile", scope("admin:everything"), http.StatusOK, profile}),
	},
	{
		name: "say the same rule in other words", documented: "Rewrite the rule",
		team: "with a table first",
		edits: []edit{
			replace("policies/profile/profile.rego", rule, `allow if {
	some scope in split(input.scope, " ")
	scope == "`+shippedScope+`"
}`),
		},
		allowed: reader, denied: updater,
		requests: readers(reader, forbidden, profile),
	},
	{
		name: "answer with something else", documented: "Change the answer",
		team: "in an editor",
		edits: []edit{
			replace("handlers/profile/handler.go", profile, `{"name":"Ada","since":1843}`),
			replace("handlers/profile/process_test.go", strings.ReplaceAll(profile, `"`, `\"`), `{\"name\":\"Ada\",\"since\":1843}`),
		},
		allowed: reader, denied: updater,
		requests: readers(reader, forbidden, `{"name":"Ada","since":1843}`),
	},
	{
		name: "set issuer, audience and origin in an editor", documented: "Set your issuer, audience and origin",
		team: "in an editor",
		edits: []edit{
			replace("Pulumi.dev.yaml", "https://TENANT.eu.auth0.com/", "https://my-team.eu.auth0.com/"),
			replace("Pulumi.dev.yaml", shippedAudience, "https://api.my-team.example/orders"),
			replace("Pulumi.dev.yaml", `allowedOrigin: "*"`, "allowedOrigin: https://app.my-team.example"),
		},
		aud:     "https://api.my-team.example/orders",
		allowed: reader, denied: updater,
		requests: readers(reader, forbidden, profile),
	},
	{
		name:    "set them with pulumi config set, after a stack init with a passphrase",
		team:    "with a table first",
		edits:   []edit{write("Pulumi.dev.yaml", setByCommand)},
		aud:     "orders",
		allowed: reader, denied: updater,
		requests: readers(reader, forbidden, profile),
	},
	{
		name: "take Keycloak's tokens, and decide by a realm role", generates: true,
		suites: "./local ./local/explain ./local/conform ./policies",
		edits: []edit{
			replace("Pulumi.dev.yaml", auth0, keycloak),
			replace("Pulumi.prod.yaml", auth0, keycloak),
			replace("policies/profile/profile.rego", rule, `allow if "member" in input.claims.realm_access.roles`),
			replace("policies/profile/profile.rego", `scope "`+shippedScope+`" is required`, `role "member" is required`),
			write("policies/profile/profile_test.rego", string(read("testdata/role/profile_test.rego"))),
		},
		aud:     "orders",
		allowed: role("member"), denied: role("guest"),
		requests: append(readers(role("member"), `{"message":"Error: Forbidden","info":"role \"member\" is required"}`, profile),
			request{http.MethodGet, "profile", role("guest"), http.StatusForbidden, `{"message":"Error: Forbidden","info":"role \"member\" is required"}`}),
	},
	{
		name: "rename the project", documented: "Rename the project",
		team:    "in an editor",
		edits:   []edit{replace("Pulumi.yaml", "name: "+shippedProject, "name: orders")},
		allowed: reader, denied: updater,
		requests: readers(reader, forbidden, profile),
	},
	{
		name: "rename the project after pulumi config set",
		team: "by commands",
		edits: []edit{
			write("Pulumi.dev.yaml", setByCommand),
			replace("Pulumi.yaml", "name: "+shippedProject, "name: orders"),
			replace("Pulumi.dev.yaml", shippedProject+":", "orders:"),
		},
		aud:     "orders",
		allowed: reader, denied: updater,
		requests: readers(reader, forbidden, profile),
	},
	{
		name: "add a stack by copying prod", documented: "Add a stack",
		team:      "in an editor",
		edits:     []edit{duplicate("Pulumi.prod.yaml", "Pulumi.staging.yaml")},
		stackName: "staging",
		allowed:   reader, denied: updater,
		requests: readers(reader, forbidden, profile),
	},
	{
		name: "add PUT /profile, with a scope of its own", documented: "Add an endpoint",
		team: "by commands", generates: true,
		edits: []edit{
			add("update"),
			replace("infra/endpoints.go", endpoint, endpoint+`	{
		method:      "PUT",
		path:        "profile",
		handler:     "handlers/update",
		description: "Updates the caller's profile if the policy allows it",
	},
`),
		},
		allowed: scope(shippedScope + " update:profile"), denied: scope("other"),
		requests: append(readers(reader, forbidden, profile),
			request{http.MethodPut, "profile", nil, http.StatusUnauthorized, `{"message":"Unauthorized"}`},
			request{http.MethodPut, "profile", reader, http.StatusForbidden, missing("update:profile")},
			request{http.MethodPut, "profile", updater, http.StatusOK, `{"updated":true}`}),
	},
	{
		name: "add GET /accounts/{account}/profile", documented: "Add an endpoint with a path parameter",
		team: "by commands", generates: true,
		edits: []edit{
			add("account"),
			replace("infra/endpoints.go", endpoint, endpoint+`	{
		method:      "GET",
		path:        "accounts/{account}/profile",
		handler:     "handlers/account",
		description: "Answers with any account's profile if the policy allows it",
	},
`),
		},
		allowed: scope(shippedScope + " read:accounts"), denied: scope("other"),
		requests: append(readers(reader, forbidden, profile),
			request{http.MethodGet, "accounts/7/profile", nil, http.StatusUnauthorized, `{"message":"Unauthorized"}`},
			request{http.MethodGet, "accounts/7/profile", reader, http.StatusForbidden, missing("read:accounts")},
			request{http.MethodGet, "accounts/7/profile", scope("read:accounts"), http.StatusOK, `{"account":"7"}`}),
	},
	{
		name: "keep profiles in a DynamoDB table",
		team: "in an editor", generates: true,
		edits: []edit{
			add("account"),
			replace("infra/endpoints.go", endpoint, endpoint+guide.file("infra/endpoints.go")),
			write("infra/profiles.go", guide.file("infra/profiles.go")),
			write("handlers/account/main.go", guide.file("handlers/account/main.go")),
			run(guide.command("go get")),
			run(guide.command("make deployer-policy")),
		},
		table:   guide.serve,
		allowed: scope(shippedScope + " read:accounts"), denied: scope("other"),
		requests: append(readers(reader, forbidden, profile),
			request{http.MethodGet, "accounts/7/profile", nil, http.StatusUnauthorized, `{"message":"Unauthorized"}`},
			request{http.MethodGet, "accounts/7/profile", reader, http.StatusForbidden, missing("read:accounts")},
			request{http.MethodGet, "accounts/7/profile", scope("read:accounts"), http.StatusOK, `{"name":"Ada"}`},
			request{http.MethodGet, "accounts/8/profile", scope("read:accounts"), http.StatusNotFound, `{"message":"no such account"}`}),
	},
	{
		name: "keep the first endpoint's answers in the table",
		team: "with a table first", generates: true,
		edits: []edit{
			replace("infra/endpoints.go", endpoint, strings.Replace(endpoint, "\n\t},", "\n\t\tneeds:       profilesTable,\n\t},", 1)),
			write("infra/profiles.go", guide.file("infra/profiles.go")),
			run(guide.command("rm")),
			write("handlers/profile/main.go", strings.NewReplacer(`"context"`, "\"cmp\"\n\t\"context\"", `content.Path["account"]`, `cmp.Or(content.Path["account"], "7")`,
				`For("account")`, `For("profile")`, "account/decision", "profile/decision").Replace(guide.file("handlers/account/main.go"))),
			run(guide.command("go get")),
		},
		table:   guide.serve,
		allowed: reader, denied: updater,
		requests: readers(reader, forbidden, `{"name":"Ada"}`),
	},
}
