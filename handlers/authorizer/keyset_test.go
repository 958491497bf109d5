package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"account-api/internal/refusal"
	"account-api/internal/token/corpus"
	"account-api/internal/token/tokentest"
)

// keySetRows are about what the provider publishes. The token is a good one, unless the row has
// another.
func keySetRows() []row {
	elliptic := tokentest.Object{}.With("kty", `"EC"`).With("crv", `"P-256"`).With("kid", `"k1"`).
		With("x", `"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY"`).With("y", `"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"`)
	symmetric := tokentest.Object{}.With("kty", `"oct"`).With("kid", `"k1"`).With("alg", `"HS256"`).With("k", `"c2VjcmV0c2VjcmV0"`)
	postQuantum := tokentest.Object{}.With("kty", `"AKP"`).With("kid", `"pq"`).With("alg", `"ML-DSA-44"`).With("pub", `"AAAA"`)
	rival := strangeKey().With("kid", `"k1"`)
	ofBits := func(bits uint) tokentest.Object {
		n := new(big.Int).Lsh(big.NewInt(1), bits-1)
		return key().With("n", tokentest.Quote(tokentest.Segment(n.SetBit(n, 0, 1).Bytes())))
	}
	many := make([]tokentest.Object, 101)
	for i := range many {
		many[i] = tokentest.JWK(fmt.Sprint("k", i), tokentest.K1()).Without("x5c")
	}

	var rows []row
	for _, r := range []struct {
		name     string
		document []byte
		token    string // the good one, if empty
		want     refusal.Reason
	}{
		{"use enc", tokentest.JWKS(key().With("use", `"enc"`)), "", refusal.KeyRejected},
		{"use absent", tokentest.JWKS(key().Without("use")), "", accepted},
		{"key_ops encrypt", tokentest.JWKS(key().Also("key_ops", `["encrypt"]`)), "", refusal.KeyRejected},
		{"key_ops empty", tokentest.JWKS(key().Also("key_ops", "[]")), "", refusal.KeyRejected},
		{"key_ops verify", tokentest.JWKS(key().Also("key_ops", `["verify"]`)), "", accepted},
		{"alg absent", tokentest.JWKS(key().Without("alg")), "", accepted},
		{"alg PS256", tokentest.JWKS(key().With("alg", `"PS256"`)), "", refusal.KeyRejected},
		{"alg RS384, and a token that says so", tokentest.JWKS(key().With("alg", `"RS384"`)), corpus.Headers(corpus.Set("alg", `"RS384"`)), refusal.UnsupportedAlg},
		{"a symmetric key, and a token that says HS256", tokentest.JWKS(symmetric), corpus.Headers(corpus.Set("alg", `"HS256"`)), refusal.UnsupportedAlg},
		{"a symmetric key", tokentest.JWKS(symmetric), "", refusal.KeyRejected},
		{"an EC key, and a token that says ES256", tokentest.JWKS(elliptic), corpus.Headers(corpus.Set("alg", `"ES256"`)), refusal.UnsupportedAlg},
		{"an EC key", tokentest.JWKS(elliptic), "", refusal.KeyRejected},
		{"an EC key and an RSA key with one kid", tokentest.JWKS(elliptic, key()), "", accepted},
		{"two RSA keys with one kid, the right one last", tokentest.JWKS(rival, key()), "", refusal.KeyRejected},
		{"two RSA keys with one kid, the right one first", tokentest.JWKS(key(), rival), "", refusal.KeyRejected},
		{"the same key twice", tokentest.JWKS(key(), key()), "", accepted},
		{"1024 bits", tokentest.JWKS(ofBits(1024)), "", refusal.KeyRejected},
		{"2047 bits", tokentest.JWKS(ofBits(2047)), "", refusal.KeyRejected},
		{"16384 bits", tokentest.JWKS(ofBits(16384)), "", refusal.KeyRejected},
		{"n with a leading zero byte", tokentest.JWKS(key().With("n", tokentest.Quote(tokentest.Segment(append([]byte{0}, tokentest.K1().N.Bytes()...))))), "", accepted},
		{"n padded", tokentest.JWKS(key().With("n", `"`+tokentest.Segment(tokentest.K1().N.Bytes())+`=="`)), "", refusal.KeyRejected},
		{"the private half published", tokentest.JWKS(key().Also("d", `"AQAB"`)), "", refusal.KeyRejected},
		{"a post-quantum sibling first", tokentest.JWKS(postQuantum, key()), "", accepted},
		{"a malformed sibling first", tokentest.JWKS(nextKey().With("n", `"!!"`), key()), "", accepted},
		{"a key without kid", tokentest.JWKS(key().Without("kid")), "", refusal.UnknownKid},
		{"a kid that is the number 1", tokentest.JWKS(key().With("kid", "1")), corpus.Headers(corpus.Set("kid", `"1"`)), refusal.UnknownKid},
		{"a key instead of a set", key().JSON(), "", refusal.JWKSUnavailable},
		{"no keys", []byte(`{"keys":[]}`), "", refusal.JWKSUnavailable},
		{"an empty object", []byte(`{}`), "", refusal.JWKSUnavailable},
		{"null", []byte(`null`), "", refusal.JWKSUnavailable},
		{"keys null", []byte(`{"keys":null}`), "", refusal.JWKSUnavailable},
		{"something behind the set", append(tokentest.PublicKeySet(), 'x'), "", refusal.JWKSUnavailable},
		{"101 keys", tokentest.JWKS(many...), "", refusal.JWKSUnavailable},
		{"a certificate that is none", tokentest.JWKS(key().With("x5c", `"garbage"`).With("x5t", "0")), "", accepted},
		{"the right kid over another signature", tokentest.PublicKeySet(), corpus.Forged(), refusal.BadSignature},
		{"the next key next to the current one", tokentest.JWKS(nextKey(), key()), "", accepted},
		{"HTML", []byte("<!doctype html><title>Sign in</title>"), "", refusal.JWKSUnavailable},
		{"half a set", tokentest.PublicKeySet()[:300], "", refusal.JWKSUnavailable},
		{"nothing", nil, "", refusal.JWKSUnavailable},
	} {
		compact := r.token
		if compact == "" {
			compact = tokentest.Valid()
		}
		rows = append(rows, row{r.name, func(t *testing.T, a authorizer) {
			a.provider.says(document(r.document))
			a.meets(t, bearing(compact), r.want, machine())
			a.fetched(t, map[refusal.Reason]int64{refusal.UnsupportedAlg: -1, refusal.BadSignature: 1}[r.want]+1)
		}})
	}
	return rows
}

// transportRows are about fetching the key set, by a function that has none yet.
func transportRows() []row {
	set := tokentest.PublicKeySet()
	rows := []row{}
	answered := func(name string, answer http.HandlerFunc, want refusal.Reason, fetches int64) {
		rows = append(rows, row{name, func(t *testing.T, a authorizer) {
			a.provider.says(answer)
			a.meets(t, bearing(tokentest.Valid()), want, machine())
			a.fetched(t, fetches)
		}})
	}
	for _, code := range []int{401, 403, 404, 429, 500, 503} {
		answered(fmt.Sprint("status ", code), status(code), refusal.JWKSUnavailable, 1)
	}
	answered("content type text/plain", headed("Content-Type", "text/plain", set), accepted, 1)
	answered("status 500 over a good set", status(500, set...), refusal.JWKSUnavailable, 1)
	answered("a redirect to the set", redirect(set), refusal.JWKSUnavailable, 1)
	answered("a Content-Length that is too large", headed("Content-Length", fmt.Sprint(len(set)+1), set), refusal.JWKSUnavailable, 2)
	answered("100 MB", spaces(100<<20), refusal.JWKSUnavailable, 1)
	answered("one byte per second", oneBytePerSecond(set), refusal.JWKSUnavailable, 1)
	answered("no answer", silence, refusal.JWKSUnavailable, 1)
	answered("a connection that breaks once", breaking(1), accepted, 2)
	answered("a connection that breaks each time", breaking(9), refusal.JWKSUnavailable, 2)
	answered("what the request says", asked(set), accepted, 1)
	answered("a header of 1 MiB", headed("X-Padding", strings.Repeat("x", 1<<20), set), refusal.JWKSUnavailable, 1)
	return append(rows,
		row{"nobody listens", func(t *testing.T, a authorizer) {
			a.provider.Close()
			a.meets(t, bearing(tokentest.Valid()), refusal.JWKSUnavailable, "")
		}},
		row{"a certificate that nobody vouches for", func(t *testing.T, a authorizer) {
			impostor := httptest.NewUnstartedServer(document(set))
			impostor.Config.ErrorLog = log.New(io.Discard, "", 0)
			impostor.TLS = &tls.Config{}
			impostor.StartTLS()
			defer impostor.Close()
			a.keys[tokentest.Issuer] = newSource(t, impostor.URL, a.clock, a.log)
			a.meets(t, bearing(tokentest.Valid()), refusal.JWKSUnavailable, "")
		}})
}

func headed(name, value string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.Header().Set(name, value); w.Write(body) }
}

// redirect points from the key set's address to another, which has it.
func redirect(set []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/elsewhere" {
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
			return
		}
		w.Write(set)
	}
}

// breaking closes the first connections without an answer.
func breaking(connections int64) http.HandlerFunc {
	var left atomic.Int64
	left.Store(connections)
	return func(w http.ResponseWriter, _ *http.Request) {
		if left.Add(-1) < 0 {
			w.Write(tokentest.PublicKeySet())
			return
		}
		if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
			conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		}
	}
}

// asked answers only to a request with the right headers and no credentials.
func asked(set []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := r.Header
		if r.Method != "GET" || h.Get("Accept") != "application/json" || h.Get("User-Agent") == "" || h.Get("Authorization")+h.Get("Cookie") != "" {
			w.WriteHeader(http.StatusBadRequest)
		}
		w.Write(set)
	}
}
