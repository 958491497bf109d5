// Package oidc signs in at a real OpenID provider, the npm package oidc-provider, and presents
// its tokens to the real authorizer. It needs Node.js 18 or later with npm.
package oidc

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"account-api/local/lambda"
)

const resource = "https://items.example/"

func TestARealProvider(t *testing.T) {
	run(t, exec.Command("npm", "ci"))
	directory := t.TempDir()
	certificate := writeCertificate(t, directory)
	first, second := newKey(t, "first"), newKey(t, "second")
	port := freePort(t)
	issuer := "https://localhost:" + port

	stop := startProvider(t, port, directory, first)
	a := startAuthorizer(t, map[string]string{
		"TOKEN_ISSUER": issuer, "JWKS_URI": issuer + "/jwks", "AUDIENCE": resource, "PROVIDER": "rfc9068", "SSL_CERT_FILE": certificate,
	})
	tokens := signIn(t, issuer, certificate)
	a.allows(t, tokens.Access, map[string]string{"scope": "read:items", "azp": "web"})
	a.refuses(t, tokens.ID, "wrong_kind", "an ID token: has at_hash")
	a.refuses(t, tokens.Refresh, "malformed_token", "got 1 as in an opaque token")

	stop() // and again, with a new key beside the old one
	startProvider(t, port, directory, second, first)
	rotated := signIn(t, issuer, certificate)
	if keyID(t, rotated.Access) == keyID(t, tokens.Access) {
		t.Fatal("expected the provider to sign with its new key")
	}
	a.allows(t, rotated.Access, map[string]string{"scope": "read:items", "azp": "web"})
	a.allows(t, tokens.Access, map[string]string{"scope": "read:items", "azp": "web"})
	a.refuses(t, rotated.ID, "wrong_kind", "an ID token: has at_hash")
}

// run runs a command to its end and returns what it prints.
func run(t *testing.T, command *exec.Cmd) []byte {
	t.Helper()
	var problems strings.Builder
	command.Stderr = &problems
	output, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s%s", command.Args, err, output, problems.String())
	}
	return output
}

// startProvider starts the provider with its signing keys, the current one first.
func startProvider(t *testing.T, port, directory string, keys ...map[string]string) (stop func()) {
	t.Helper()
	document, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(directory, "private.json"), document)
	ctx, cancel := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, "node", "provider.mjs", port, directory)
	var problems strings.Builder // and warnings that the provider is for development
	command.Stderr = &problems
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatalf("%v: install Node.js 18 or later", err)
	}
	stop = func() {
		cancel()
		_ = command.Wait() // it was killed
	}
	t.Cleanup(stop)
	for lines := bufio.NewScanner(output); lines.Scan(); {
		if lines.Text() == "ready" {
			return stop
		}
	}
	stop() // and waits, so that all is written
	t.Fatalf("expected the provider to serve, it ended: %s", problems.String())
	return nil
}

// tokens are the token endpoint's answer.
type tokens struct {
	Access  string `json:"access_token"`
	ID      string `json:"id_token"`
	Refresh string `json:"refresh_token"`
}

func signIn(t *testing.T, issuer, certificate string) tokens {
	t.Helper()
	command := exec.Command("node", "client.mjs", issuer, resource)
	command.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+certificate)
	var got tokens
	if err := json.Unmarshal(run(t, command), &got); err != nil || got.Access == "" || got.ID == "" || got.Refresh == "" {
		t.Fatalf("expected an access, an ID and a refresh token, got others: %v", err)
	}
	return got
}

// authorizer is the real one, as a process.
type authorizer struct{ *lambda.Pool }

func startAuthorizer(t *testing.T, environment map[string]string) authorizer {
	t.Helper()
	executable := filepath.Join(t.TempDir(), "bootstrap")
	build := exec.Command("go", "build", "-o", executable, "./handlers/authorizer")
	build.Dir = "../.."
	run(t, build)
	pool, err := lambda.NewPool(lambda.Function{
		Name: "authorizer", ARN: "arn:aws:lambda:eu-central-1:123456789012:function:authorizer", Region: "eu-central-1",
		Executable: executable, Environment: environment, Timeout: 3 * time.Second,
	}, lambda.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	return authorizer{pool}
}

func (a authorizer) present(t *testing.T, compact string) lambda.Result {
	t.Helper()
	event, err := json.Marshal(map[string]string{"type": "TOKEN", "authorizationToken": "Bearer " + compact,
		"methodArn": "arn:aws:execute-api:eu-central-1:123456789012:abcdef123/prod/GET/items"})
	if err != nil {
		t.Fatal(err)
	}
	result, err := a.Invoke(t.Context(), event)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func (a authorizer) allows(t *testing.T, compact string, context map[string]string) {
	t.Helper()
	result := a.present(t, compact)
	var answer struct {
		PrincipalID string `json:"principalId"`
		Context     map[string]string
	}
	if err := json.Unmarshal(result.Payload, &answer); err != nil || answer.PrincipalID != "jo" || fmt.Sprint(answer.Context) != fmt.Sprint(context) {
		t.Errorf("expected jo allowed with %v, got %s\n%s", context, result.Payload, strings.Join(result.LogTail, "\n"))
	}
}

func (a authorizer) refuses(t *testing.T, compact, reason, detail string) {
	t.Helper()
	result := a.present(t, compact)
	log := strings.Join(result.LogTail, "\n")
	if !strings.Contains(string(result.Payload), `"errorMessage":"Unauthorized"`) || !strings.Contains(log, `"reason":"`+reason+`"`) || !strings.Contains(log, detail) {
		t.Errorf("expected %s with %q, got %s\n%s", reason, detail, result.Payload, log)
	}
}

// keyID is in a token's header.
func keyID(t *testing.T, compact string) string {
	t.Helper()
	segment, _, _ := strings.Cut(compact, ".")
	var header struct {
		KeyID string `json:"kid"`
	}
	text, err := base64.RawURLEncoding.DecodeString(segment)
	if err != nil || json.Unmarshal(text, &header) != nil || header.KeyID == "" {
		t.Fatalf("expected a header with a key ID, got %s", text)
	}
	return header.KeyID
}

// newKey is a private key as a JWK (RFC 7518, section 6.3).
func newKey(t *testing.T, kid string) map[string]string {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	text := func(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.Bytes()) }
	return map[string]string{
		"kty": "RSA", "kid": kid, "alg": "RS256", "use": "sig", "n": text(k.N), "e": text(big.NewInt(int64(k.E))), "d": text(k.D),
		"p": text(k.Primes[0]), "q": text(k.Primes[1]), "dp": text(k.Precomputed.Dp), "dq": text(k.Precomputed.Dq), "qi": text(k.Precomputed.Qinv),
	}
}

// writeCertificate writes a certificate for localhost that no system trusts, with its key, and
// returns its file.
func writeCertificate(t *testing.T, directory string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	certificate, err1 := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	private, err2 := x509.MarshalPKCS8PrivateKey(key)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	file := filepath.Join(directory, "cert.pem")
	write(t, file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}))
	write(t, filepath.Join(directory, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	return file
}

func write(t *testing.T, file string, content []byte) {
	t.Helper()
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
