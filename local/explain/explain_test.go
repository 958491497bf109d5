package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"account-api/internal/token/corpus"
	"account-api/internal/token/tokentest"
)

// TestMain is also the command, to see its exit status.
func TestMain(m *testing.M) {
	if os.Getenv("EXPLAIN_ARGUMENTS") != "" {
		os.Args = append(os.Args[:1], strings.Fields(os.Getenv("EXPLAIN_ARGUMENTS"))...)
		main()
	}
	os.Exit(m.Run())
}

// root is the project, whatever its name is and whatever stacks it has.
const root = "../.."

// stack is one of the project's stacks. The tests bring all settings about tokens themselves.
var stack = sync.OnceValue(func() string {
	files, err := filepath.Glob(filepath.Join(root, "Pulumi.*.yaml"))
	if err != nil || len(files) == 0 {
		panic("expected a stack file beside Pulumi.yaml, found none")
	}
	return strings.TrimSuffix(strings.TrimPrefix(filepath.Base(files[0]), "Pulumi."), ".yaml")
})

// ours are the flags for the project's stack with the fixtures' provider. They replace every
// setting about tokens: a project may set any of them.
func ours(more ...string) []string {
	flags := []string{"-root", root, "-stack", stack()}
	for _, setting := range []string{"issuer=" + tokentest.Issuer, "audience=" + tokentest.Audience,
		"provider=", "jwksUri=", "otherIssuers=", "algorithms=", "claims=", "outage=401"} {
		flags = append(flags, "-config", setting)
	}
	return append(flags, more...)
}

func keyFile(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "jwks")
	if err := os.WriteFile(name, tokentest.PublicKeySet(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// explained runs the command with the stack's program. The output must hold nothing of the
// token but what may be shown.
func explained(t *testing.T, given string, arguments ...string) (status int, out string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status = run(arguments, strings.NewReader(given), &stdout, &stderr, tokentest.Now())
	out = stdout.String() + stderr.String()
	secrets := append(strings.FieldsFunc(given, func(r rune) bool { return strings.ContainsRune(". \n", r) }), tokentest.Client, "client-credentials", "hunter22")
	for _, secret := range secrets {
		if len(secret) > 6 && strings.Contains(out, secret) {
			t.Errorf("expected nothing of the token in the output, got %.20q…", secret)
		}
	}
	return status, out
}

func TestExplanations(t *testing.T) {
	good := tokentest.Valid()
	for _, r := range []struct {
		name, given string
		status      int
		says        []string // parts of the output, its spaces squeezed
	}{
		{"a good token", good, 0, []string{"pass gateway", "pass signature", "accepted:", `note Authorization read as "Bearer"`}},
		{"a good token as it is sent", "Bearer " + good + "\n", 0, []string{"accepted:"}},
		{"a good token with white space around", "\n Bearer " + good + "\r\n", 0, []string{"note Authorization white space around the token was removed", "accepted:"}},
		{"a scheme in lower case", "bearer " + good, 1, []string{"FAIL gateway", "pass signature", "refused: 401 from the gateway", `fix: send exactly "Bearer", one space and the token`}},
		{"an expired token", corpus.Claims(corpus.Set("exp", corpus.In(-90)), corpus.Set("iat", corpus.In(-100))), 1,
			[]string{"FAIL claim exp expired 1m30s ago (2023-11-14T22:11:50Z, 1m30s ago)", "expected: after 2023-11-14T22:13:20Z", "pass signature", "reason expired and category client", "fix: request a new token"}},
		{"an issuer without its slash", corpus.Claims(corpus.Set("iss", `"https://issuer.example"`)), 1,
			[]string{"FAIL claim iss expected iss to be the configured issuer, got it with a different trailing slash", "expected: " + tokentest.Issuer, "slash included"}},
		{"another audience", corpus.Claims(corpus.Set("aud", `["https://hunter22.example","b"]`)), 1,
			[]string{"FAIL audience expected the configured audience in aud, which has 2 entries, got another value", "expected: " + tokentest.Audience + " in aud, alone or among others", "reason bad_audience"}},
		{"an ID token", corpus.Claims(corpus.Set("aud", `"hunter22hunter22"`), corpus.Also("nonce", `"hunter22hunter22"`)), 1,
			[]string{"FAIL kind of token expected an access token, got an ID token: has nonce", "FAIL audience", "reason wrong_kind and category client", "not another kind of token"}},
		{"an unknown key", corpus.Headers(corpus.Set("kid", `"zz"`)), 1,
			[]string{"FAIL key the key set has no key with this key ID", "- signature not checked: key has to pass first", "reason unknown_kid"}},
		{"no algorithm", corpus.Unsigned(corpus.Headers(corpus.Set("alg", `"none"`))), 1,
			[]string{"FAIL gateway", "FAIL header alg expected header alg RS256, got none, an unsigned token: no setting accepts one", "FAIL signature form", "fix: request a signed access token"}},
		{"a forged signature", corpus.Forged(), 1, []string{`FAIL signature key "k1" does not verify the signature`, "reason bad_signature"}},
		{"another algorithm", corpus.Headers(corpus.Set("alg", `"ES256"`)), 1,
			[]string{"FAIL header alg expected header alg RS256, got another", "fix: have the provider sign this API's tokens with one of the algorithms"}},
		{"make run's token", corpus.Claims(corpus.Set("iss", `"http://127.0.0.1:8081/"`)), 1,
			[]string{"FAIL claim iss", "fix: the token is of an issuer on this machine, which only make run accepts", " ISSUER=http://127.0.0.1:PORT/ < token, with the issuer as make run prints it"}},
		{"several things at once", corpus.Claims(corpus.Set("iss", "1"), corpus.Set("aud", "1"), corpus.Drop("sub")), 1,
			[]string{"FAIL claim iss", "FAIL audience", "FAIL claim sub", "reason bad_issuer"}},
		{"an opaque token", "hunter22hunter22", 1, []string{"FAIL gateway", "got 1 as in an opaque token", "- claim iss not checked: payload has to pass first", "nothing in the authorizer's log", "take the access token"}},
	} {
		t.Run(r.name, func(t *testing.T) {
			status, out := explained(t, r.given, ours("-jwks", keyFile(t))...)
			if status != r.status {
				t.Errorf("expected status %d, got %d", r.status, status)
			}
			squeezed := strings.Join(strings.Fields(out), " ")
			for _, part := range r.says {
				if !strings.Contains(squeezed, part) {
					t.Errorf("expected %q in the output, got\n%s", part, out)
				}
			}
		})
	}
}

// A flag stands for the same setting in the stack's file.
func TestTheStacksOwnSettingsDoNotMatter(t *testing.T) {
	mine := ours("-jwks", keyFile(t))
	_, want := explained(t, tokentest.Valid(), mine...)
	for _, setting := range []string{
		"provider=keycloak", "provider=rfc9068", "jwksUri=https://id.example.net/keys", `algorithms=["ES256"]`, `claims=["org_id"]`, "outage=503",
		`otherIssuers=[{"issuer":"https://id.example.net/realms/members","audience":"members","provider":"keycloak"}]`,
	} {
		if _, got := explained(t, tokentest.Valid(), append([]string{"-config", setting}, mine...)...); got != want {
			t.Errorf("%s: expected the same verdict as without it:\n%s\ngot\n%s", setting, want, got)
		}
	}
}

func TestKeysFromTheProvider(t *testing.T) {
	answer := http.StatusOK
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(answer)
		w.Write(tokentest.PublicKeySet())
	}))
	defer provider.Close()
	live := ours("-config", "jwksUri="+provider.URL+"/keys")

	if status, out := explained(t, tokentest.Valid(), live...); status != 0 || !strings.Contains(out, "keys from "+provider.URL+"/keys") {
		t.Errorf("expected the token accepted with the provider's keys, got %d\n%s", status, out)
	}
	answer = http.StatusServiceUnavailable
	if status, out := explained(t, tokentest.Valid(), live...); status != 1 || !strings.Contains(out, "status 503, want 200") || !strings.Contains(out, "category outage") {
		t.Errorf("expected the outage named, got %d\n%s", status, out)
	}
	provider.Close()
	if status, out := explained(t, tokentest.Valid(), append(live, "-offline")...); status != 1 || !strings.Contains(out, "undecided: all else passes") || !strings.Contains(out, "nowhere (-offline)") {
		t.Errorf("expected no verdict without keys, got %d\n%s", status, out)
	}
	expired := corpus.Claims(corpus.Set("exp", corpus.In(-1)))
	if status, out := explained(t, expired, append(live, "-offline")...); status != 1 || !strings.Contains(out, "reason expired") {
		t.Errorf("expected an expired token refused without keys as well, got %d\n%s", status, out)
	}
}

func TestAnAccessTokenOfAnotherProfile(t *testing.T) {
	cognito := corpus.Claims(corpus.Drop("aud"), corpus.Drop("azp"), corpus.Also("client_id", tokentest.Quote(tokentest.Audience)), corpus.Also("token_use", `"access"`))
	if status, out := explained(t, cognito, ours("-jwks", keyFile(t))...); status != 1 || !strings.Contains(out, "looks like an access token of the profile cognito") {
		t.Errorf("expected the profile named, got %d\n%s", status, out)
	}
}

// TestJSON reads the output as a program does.
func TestJSON(t *testing.T) {
	var found report
	read := func(given string, want int, arguments ...string) {
		t.Helper()
		status, out := explained(t, given, arguments...)
		found = report{}
		if err := json.Unmarshal([]byte(out), &found); err != nil || status != want || len(found.Checks) == 0 {
			t.Fatalf("expected status %d and JSON, got %d, %v\n%s", want, status, err, out)
		}
	}
	read(tokentest.Valid(), 0, ours("-jwks", keyFile(t), "-format", "json")...)
	if found.Outcome != accepted || found.Reason != "" || found.Stack != stack() || found.Checks[0] != (line{Check: "gateway", Result: passed, Detail: "its validation expression matches"}) {
		t.Errorf("expected the token accepted, got %+v", found)
	}
	read(corpus.Forged(), 1, ours("-jwks", keyFile(t), "-format", "json")...)
	at := slices.IndexFunc(found.Checks, func(l line) bool { return l.Result == failed })
	if found.Outcome != refused || found.Reason != "bad_signature" || found.Class != "client" || found.Fix == "" || at < 0 || found.Checks[at].Check != "signature" {
		t.Errorf("expected a refusal with its reason, category and fix, got %+v", found)
	}
	read("\n", 1, ours("-config", "issuer=http://127.0.0.1:1/", "-format", "json")...)
	if found.Outcome != differ || found.Checks[0].Of != "http://127.0.0.1:1/" || found.Checks[0].Fix == "" {
		t.Errorf("expected the settings compared, got %+v", found)
	}
}

// TestWithoutAToken compares the settings with what a provider publishes.
func TestWithoutAToken(t *testing.T) {
	var discovery string
	keys, mux := tokentest.PublicKeySet(), http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(discovery)) })
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) { w.Write(keys) })
	provider := httptest.NewServer(mux)
	defer provider.Close()
	issuer := provider.URL + "/"
	published := func(issuer, keys, algorithm string) string {
		return `{"issuer":"` + issuer + `","jwks_uri":"` + keys + `","id_token_signing_alg_values_supported":["` + algorithm + `"]}`
	}
	live := ours("-config", "issuer="+issuer, "-config", "jwksUri="+issuer+"keys")
	for _, r := range []struct {
		name, discovery string
		keys            []byte
		status          int
		says            []string
	}{
		{"all agree", published(issuer, issuer+"keys", "RS256"), keys, 0, []string{"pass issuer", "pass jwks_uri", "pass algorithms RS256", "pass key set 2 usable keys for [RS256]"}},
		{"another issuer", published(provider.URL, issuer+"keys", "RS256"), keys, 1, []string{"FAIL issuer", "pulumi config set issuer " + provider.URL}},
		{"other keys", published(issuer, issuer+"other", "RS256"), keys, 1, []string{"FAIL jwks_uri", "pulumi config set jwksUri " + issuer + "other"}},
		{"another algorithm", published(issuer, issuer+"keys", "ES256"), tokentest.JWKS(tokentest.AlgorithmJWK("e", "ES256")), 1, []string{"FAIL algorithms ES256", "FAIL key set 0 usable keys"}},
		{"no discovery document", "<html>", keys, 1, []string{"FAIL discovery", "curl -i " + issuer, "pass key set"}},
		{"no key set", published(issuer, issuer+"keys", "RS256"), []byte("{}"), 1, []string{"pass issuer", "FAIL key set"}},
	} {
		t.Run(r.name, func(t *testing.T) {
			discovery, keys = r.discovery, r.keys
			status, out := explained(t, "\n", live...)
			squeezed := strings.Join(strings.Fields(out), " ")
			for _, part := range r.says {
				if status != r.status || !strings.Contains(squeezed, part) {
					t.Errorf("expected status %d and %q, got %d\n%s", r.status, part, status, out)
				}
			}
		})
	}
}

func TestACertificateThatIsNotTrusted(t *testing.T) {
	provider := httptest.NewUnstartedServer(http.NotFoundHandler())
	provider.Config.ErrorLog = log.New(io.Discard, "", 0)
	provider.StartTLS()
	defer provider.Close()
	status, out := explained(t, "", ours("-config", "issuer="+provider.URL+"/")...)
	if status != 1 || strings.Count(out, "name that CA's file in SSL_CERT_FILE") != 2 {
		t.Errorf("expected the file of a CA as a fix of both, got %d\n%s", status, out)
	}
}

func TestWhatCannotBeExplained(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken")
	if err := os.WriteFile(broken, []byte("<html>"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct {
		name, given string
		arguments   []string
		says        string
	}{
		{"no token", "\n", ours("-offline"), "expected a token on standard input"},
		{"64 KiB and more", strings.Repeat("hunter22", 8<<10) + "x", ours("-offline"), "of at most 65536 bytes"},
		{"no such stack", "a.b.c", []string{"-root", root, "-stack", "nowhere"}, "Pulumi.nowhere.yaml"},
		{"no such format", "a.b.c", []string{"-format", "yaml"}, `expected the format text or json, got "yaml"`},
		{"no such flag", "a.b.c", []string{"-nonsense"}, "usage: go run ./local/explain"},
		{"a value without a key", "a.b.c", []string{"-config", "issuer"}, "expected key=value"},
		{"no such file of keys", "a.b.c", ours("-jwks", "nowhere"), "nowhere"},
		{"a file that has no keys", "a.b.c", ours("-jwks", broken), "not strict JSON"},
		{"a configuration that cannot be deployed", "a.b.c", ours("-config", "issuer=http://issuer.example/"), "issuer"},
	} {
		t.Run(r.name, func(t *testing.T) {
			if status, out := explained(t, r.given, r.arguments...); status != usageStatus || !strings.Contains(out, r.says) {
				t.Errorf("expected status %d and %q, got %d\n%s", usageStatus, r.says, status, out)
			}
		})
	}
}

func TestExitStatus(t *testing.T) {
	for arguments, want := range map[string]int{
		"-h":                                0,
		"-nonsense":                         2,
		strings.Join(ours("-offline"), " "): 1, // the fixture is not valid at this time of day
	} {
		command := exec.Command(os.Args[0])
		command.Env = append(os.Environ(), "EXPLAIN_ARGUMENTS="+arguments)
		command.Stdin = strings.NewReader("Bearer " + tokentest.Valid())
		output, _ := command.CombinedOutput() // the status is looked at below
		if got := command.ProcessState.ExitCode(); got != want {
			t.Errorf("%s: expected status %d, got %d\n%s", arguments, want, got, output)
		}
	}
}

// TestTheGatewayLetsEveryGoodTokenThrough tests the deployed expression with the corpus. Without
// one character of base64url it would refuse most tokens, and no log would say why.
func TestTheGatewayLetsEveryGoodTokenThrough(t *testing.T) {
	a, err := readAuthorizer(settings{root: root, stack: stack()})
	if err != nil {
		t.Fatal(err)
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	passes := func(compact string) bool {
		return a.expression.Matches(presentation{compact: compact}.authorization())
	}
	if !passes(alphabet + "." + alphabet + "." + alphabet) {
		t.Error("expected every character of base64url let through")
	}
	for _, r := range corpus.Rows() {
		if r.NeedsKey() && !passes(r.Token) {
			t.Errorf("%s: expected it let through to the authorizer", r.Name)
		}
	}
	for _, strange := range []string{"", "a", "a.b", "a.b.", "a.b.c.d", "a.b.c ", "a.b.c\n", "a.[.c", "a.b.`", "a.b.c=", "é.b.c"} {
		if passes(strange) {
			t.Errorf("expected %q refused by the gateway", strange)
		}
	}
}
