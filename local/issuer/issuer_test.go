package issuer

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const audience = "https://tickets.test/api"

var noon = time.Date(2026, time.June, 1, 12, 0, 0, 999, time.UTC)

// start serves an issuer for the scopes read:tickets and close:tickets. Its clock stands
// at noon. The log is everything that it logged.
func start(t testing.TB, change ...func(*Options)) (i *Issuer, server *httptest.Server, log *lockedBuffer) {
	t.Helper()
	log = &lockedBuffer{}
	// The URL is known only once the server listens.
	server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { i.ServeHTTP(w, r) }))
	o := Options{
		URL:      "http://" + server.Listener.Addr().String() + "/",
		Audience: audience,
		Scopes:   []string{"read:tickets", "close:tickets"},
		Now:      func() time.Time { return noon },
		Log:      slog.New(slog.NewTextHandler(log, nil)),
	}
	for _, f := range change {
		f(&o)
	}
	i, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	server.Start()
	t.Cleanup(server.Close)
	return i, server, log
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// do sends a request and returns the response with its whole body.
func do(t testing.TB, method, url, contentType, body string, header ...string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	for n := 0; n < len(header); n += 2 {
		request.Header.Set(header[n], header[n+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(content)
}

// published fetches the key set.
func published(t testing.TB, server *httptest.Server) []jsonWebKey {
	t.Helper()
	response, body := do(t, "GET", server.URL+"/.well-known/jwks.json", "", "")
	var set struct {
		Keys []jsonWebKey `json:"keys"`
	}
	if err := json.Unmarshal([]byte(body), &set); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("expected a key set, got %s: %s, %v", response.Status, body, err)
	}
	return set.Keys
}

func ids(keys []jsonWebKey) []string {
	var ids []string
	for _, k := range keys {
		ids = append(ids, k.ID)
	}
	return ids
}

// verify checks a token's signature against the published keys with nothing but the
// standard library, and returns its header and claims.
func verify(t testing.TB, server *httptest.Server, token string) (header, claims map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("expected three parts, got %d", len(parts))
	}
	for n, into := range []*map[string]any{&header, &claims} {
		if err := json.Unmarshal(decoded(t, parts[n]), into); err != nil {
			t.Fatal(err)
		}
	}
	keys := published(t, server)
	at := slices.IndexFunc(keys, func(k jsonWebKey) bool { return k.ID == header["kid"] })
	if at < 0 {
		t.Fatalf("expected key ID %v to be published, got %q", header["kid"], ids(keys))
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(publicKey(t, keys[at]), crypto.SHA256, digest[:], decoded(t, parts[2])); err != nil {
		t.Fatalf("expected the published key to verify the signature: %v", err)
	}
	return header, claims
}

func decoded(t testing.TB, text string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func publicKey(t testing.TB, k jsonWebKey) *rsa.PublicKey {
	t.Helper()
	return &rsa.PublicKey{N: new(big.Int).SetBytes(decoded(t, k.Modulus)), E: int(new(big.Int).SetBytes(decoded(t, k.Exponent)).Int64())}
}

func TestNewRefusesOptionsThat(t *testing.T) {
	good := Options{URL: "http://127.0.0.1:8081/", Audience: audience, Scopes: []string{"read:tickets"}}
	for name, row := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"lack the URL":                     {func(o *Options) { o.URL = "" }, `like http://127.0.0.1:8081/, got ""`},
		"lack the slash":                   {func(o *Options) { o.URL = "http://127.0.0.1:8081" }, `got "http://127.0.0.1:8081"`},
		"have a path":                      {func(o *Options) { o.URL = "http://127.0.0.1:8081/tenant/" }, "nothing after it but the slash"},
		"have a query":                     {func(o *Options) { o.URL = "http://127.0.0.1:8081/?a=b" }, "nothing after it but the slash"},
		"have a user":                      {func(o *Options) { o.URL = "http://me@127.0.0.1:8081/" }, "nothing after it but the slash"},
		"have another scheme":              {func(o *Options) { o.URL = "ftp://127.0.0.1/" }, "expected a URL"},
		"are for every interface":          {func(o *Options) { o.URL = "http://0.0.0.0:8081/" }, `expected a loopback host, because the client's secret is public, got "0.0.0.0"`},
		"are for the network":              {func(o *Options) { o.URL = "https://tenant.eu.auth0.com/" }, "expected a loopback host"},
		"look like the loopback":           {func(o *Options) { o.URL = "http://127.0.0.1.example.com/" }, "expected a loopback host"},
		"lack the audience":                {func(o *Options) { o.Audience = "" }, "expected the audience of an API, got none"},
		"have an unknown provider":         {func(o *Options) { o.Provider = "Okta" }, `expected a provider among auth0, cognito, duende, entra, keycloak, okta, rfc9068, got "Okta"`},
		"have a symmetric algorithm":       {func(o *Options) { o.Algorithms = []string{"RS256", "HS256"} }, `expected algorithms among RS256, PS256, ES256, EdDSA, each once, got "HS256"`},
		"have an algorithm twice":          {func(o *Options) { o.Algorithms = []string{"ES256", "ES256"} }, `each once, got "ES256"`},
		"have two scopes in one":           {func(o *Options) { o.Scopes = []string{"a b"} }, `expected a scope without spaces, quotes and backslashes, got "a b"`},
		"have an empty scope":              {func(o *Options) { o.Scopes = []string{""} }, `expected a scope`},
		"have a scope twice":               {func(o *Options) { o.Scopes = []string{"a", "a"} }, `expected every scope once, got "a" again`},
		"have a URL that cannot be parsed": {func(o *Options) { o.URL = "http://127.0.0.1:port/" }, "expected a URL"},
	} {
		t.Run(name, func(t *testing.T) {
			o := good
			row.change(&o)
			if _, err := New(o); err == nil || !strings.HasPrefix(err.Error(), "issuer: ") || !strings.Contains(err.Error(), row.want) {
				t.Errorf("expected an error with %q, got %v", row.want, err)
			}
		})
	}
	good.Provider = defaultProvider
	for _, url := range []string{good.URL, "http://localhost:8081/", "http://[::1]:8081/", "https://127.8.9.10/"} {
		good.URL = url
		if err := good.check(); err != nil {
			t.Errorf("expected %s to be accepted, got %v", url, err)
		}
	}
}

func TestDiscoveryNamesTheEndpoints(t *testing.T) {
	_, server, _ := start(t)
	response, body := do(t, "GET", server.URL+"/.well-known/openid-configuration", "", "")
	want := strings.ReplaceAll(`{"issuer":"URL/","token_endpoint":"URL/oauth/token","jwks_uri":"URL/.well-known/jwks.json",`+
		`"scopes_supported":["read:tickets","close:tickets"],"response_types_supported":[],`+
		`"grant_types_supported":["client_credentials"],"subject_types_supported":["public"],`+
		`"id_token_signing_alg_values_supported":["RS256"],`+
		`"token_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post"]}`, "URL", server.URL)
	if response.StatusCode != http.StatusOK || body != want {
		t.Errorf("expected 200 %s, got %s %s", want, response.Status, body)
	}
	if got := response.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("expected application/json, got %q", got)
	}
}

func TestKeySetHasTheShapeOfAuth0s(t *testing.T) {
	i, server, _ := start(t)
	response, body := do(t, "GET", server.URL+"/.well-known/jwks.json", "", "")
	if got, want := response.Header.Get("Cache-Control"), "public, max-age=15, stale-while-revalidate=15, stale-if-error=86400"; got != want {
		t.Errorf("expected Cache-Control %q, got %q", want, got)
	}
	var set map[string][]map[string]any
	if err := json.Unmarshal([]byte(body), &set); err != nil || len(set) != 1 || len(set["keys"]) != 2 {
		t.Fatalf("expected the current and the next key, got %s, %v", body, err)
	}
	for _, k := range set["keys"] {
		if k["kty"] != "RSA" || k["use"] != "sig" || k["alg"] != "RS256" || k["e"] != "AQAB" || len(k) != 6 {
			t.Errorf("expected an RSA key for RS256 signatures with 6 members, got %v", k)
		}
	}
	for _, k := range published(t, server) {
		if bits := publicKey(t, k).N.BitLen(); bits != 2048 {
			t.Errorf("expected a 2048-bit key, got %d", bits)
		}
	}
	for _, private := range []string{`"d"`, `"p"`, `"q"`, `"dp"`, `"dq"`, `"qi"`, i.keys.Load().current[0].private.(*rsa.PrivateKey).D.String()} {
		if strings.Contains(body, private) {
			t.Fatal("expected public members only, got private ones")
		}
	}
}

func TestTokenIsAnAccessTokenForAMachine(t *testing.T) {
	i, server, _ := start(t)
	at := float64(noon.Unix())
	for name, row := range map[string]struct {
		request TokenRequest
		change  map[string]any // claims that differ; nil is absent
	}{
		"with permissions":        {TokenRequest{Permissions: []string{"a", "b"}}, map[string]any{"permissions": "[a b]"}},
		"for another client":      {TokenRequest{AuthorizedParty: "other"}, map[string]any{"azp": "other"}},
		"with further claims":     {TokenRequest{Claims: map[string]any{"tier": "gold"}}, map[string]any{"tier": "gold"}},
		"as the client gets it":   {},
		"with one scope":          {TokenRequest{Scopes: []string{"close:tickets"}}, map[string]any{"scope": "close:tickets"}},
		"with scopes of no API":   {TokenRequest{Scopes: []string{"b", "a"}}, map[string]any{"scope": "b a"}},
		"with no scope":           {TokenRequest{Scopes: []string{}}, map[string]any{"scope": nil}},
		"for a minute":            {TokenRequest{TTL: time.Minute}, map[string]any{"exp": at + 60}},
		"expired":                 {TokenRequest{TTL: -time.Minute}, map[string]any{"iat": at - 60 - 86400, "exp": at - 60}},
		"for another API":         {TokenRequest{Audience: "https://other.example.com"}, map[string]any{"aud": "https://other.example.com"}},
		"for a user":              {TokenRequest{Subject: "auth0|1"}, map[string]any{"sub": "auth0|1"}},
		"with markup in a claim":  {TokenRequest{Subject: `<&"é>`}, map[string]any{"sub": `<&"é>`}},
		"with a TTL in fractions": {TokenRequest{TTL: 90*time.Second - 1}, map[string]any{"exp": at + 90}},
	} {
		t.Run(name, func(t *testing.T) {
			token, err := i.Token(row.request)
			if err != nil {
				t.Fatal(err)
			}
			header, claims := verify(t, server, token)
			if header["alg"] != "RS256" || header["typ"] != "JWT" || len(header) != 3 {
				t.Errorf("expected alg RS256, typ JWT and kid, got %v", header)
			}
			want := map[string]any{
				"iss": server.URL + "/", "sub": "local-client@clients", "aud": audience, "iat": at, "exp": at + 86400,
				"azp": "local-client", "scope": "read:tickets close:tickets", "gty": "client-credentials",
			}
			for claim, value := range row.change {
				want[claim] = value
				if value == nil {
					delete(want, claim)
				}
			}
			for claim, value := range want {
				if fmt.Sprint(claims[claim]) != fmt.Sprint(value) {
					t.Errorf("expected %s %v, got %v", claim, value, claims[claim])
				}
			}
			if len(claims) != len(want) {
				t.Errorf("expected %d claims, got %v", len(want), claims)
			}
		})
	}
	if _, err := i.Token(TokenRequest{Subject: "\xff"}); err == nil {
		t.Error("expected a subject that is not UTF-8 to be an error, got a token")
	}
	for _, name := range i.shape.reserved() {
		if _, err := i.Token(TokenRequest{Claims: map[string]any{name: "x"}}); err == nil || !strings.Contains(err.Error(), "got "+name) {
			t.Errorf("expected %s to be refused among further claims, got %v", name, err)
		}
	}
}

func TestScopesCanBeReplaced(t *testing.T) {
	i, server, _ := start(t)
	before := ids(published(t, server))
	if err := i.SetScopes([]string{"count:tickets"}); err != nil {
		t.Fatal(err)
	}
	token, err := i.Token(TokenRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, claims := verify(t, server, token); claims["scope"] != "count:tickets" {
		t.Errorf("expected the new scope, got %v", claims["scope"])
	}
	if after := ids(published(t, server)); !slices.Equal(before, after) {
		t.Errorf("expected the same keys, got %q after %q", after, before)
	}
	if err := i.SetScopes([]string{"a b"}); err == nil {
		t.Error("expected a scope with a space to be refused")
	}
}

// Which claims a provider's tokens have is for the real authorizer to judge, in the tests of
// handlers/authorizer.
func TestTokensOfAnotherProvider(t *testing.T) {
	i, server, _ := start(t, func(o *Options) { o.Provider, o.Audience = "okta", "first second" })
	token, err := i.Token(TokenRequest{Permissions: []string{"p"}, AuthorizedParty: "web"})
	if err != nil {
		t.Fatal(err)
	}
	header, claims := verify(t, server, token)
	if header["typ"] != nil || claims["cid"] != "web" || fmt.Sprint(claims["scp"]) != "[read:tickets close:tickets]" || claims["aud"] != "first" || claims["sub"] != ClientID {
		t.Errorf("expected an access token of Okta for the first audience, got %v %v", header, claims)
	}
	if _, err := i.Token(TokenRequest{Claims: map[string]any{"cid": "x"}}); err == nil || !strings.Contains(err.Error(), "got cid") {
		t.Errorf("expected the provider's claim to be refused among further claims, got %v", err)
	}
	for asked, want := range map[string]int{"first": 200, "second": 200, "third": 403, "first second": 403} {
		if response, body := do(t, "POST", server.URL+"/oauth/token", asJSON, with("audience", asked)); response.StatusCode != want {
			t.Errorf("expected %d for the audience %q, got %s", want, asked, body)
		}
	}
}

func TestTokensInEachAlgorithm(t *testing.T) {
	i, server, _ := start(t, func(o *Options) { o.Algorithms = []string{"ES256", "EdDSA", "PS256"} })
	keys := published(t, server)
	for asked, want := range map[string]string{"": "ES256", "ES256": "ES256", "EdDSA": "EdDSA", "PS256": "PS256"} {
		_, body := do(t, "POST", server.URL+"/oauth/token", asJSON, with("alg", asked))
		var granted grantResponse
		if err := json.Unmarshal([]byte(body), &granted); err != nil || granted.AccessToken == "" {
			t.Fatalf("expected a token in %q, got %s", asked, body)
		}
		var header map[string]string
		if err := json.Unmarshal(decoded(t, strings.Split(granted.AccessToken, ".")[0]), &header); err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(keys, func(k jsonWebKey) bool { return k.ID == header["kid"] })
		if header["alg"] != want || at < 0 || keys[at].Algorithm != want {
			t.Errorf("expected a token and its key for %s, got %v and %v", want, header, keys)
		}
	}
	if response, body := do(t, "POST", server.URL+"/oauth/token", asJSON, with("alg", "RS256")); response.StatusCode != http.StatusBadRequest || !strings.Contains(body, "Expected alg to be one of ES256, EdDSA, PS256") {
		t.Errorf("expected an algorithm without a key to be refused, got %s", body)
	}
	if _, err := i.Token(TokenRequest{Algorithm: "none"}); err == nil {
		t.Error("expected no token without an algorithm")
	}
}
