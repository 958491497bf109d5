package vectors

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"account-api/internal/signature"
	"account-api/internal/token"
	"account-api/internal/token/corpus"
	"account-api/internal/token/tokentest"
)

// TestAnotherLibrary presents every good token of the corpus to golang-jwt, with the same
// issuer, audience, keys and clock. The verifier is stricter, so golang-jwt may refuse none.
func TestAnotherLibrary(t *testing.T) {
	compared := 0
	var methods []string
	for _, algorithm := range signature.Algorithms() {
		methods = append(methods, string(algorithm))
	}
	for _, row := range corpus.Rows() {
		if row.Want != corpus.Accepted || strings.HasPrefix(row.Name, "iat null") || strings.HasPrefix(row.Name, "nbf null") || !reflect.DeepEqual(row.Expect.Issuers, corpus.Trusting("").Issuers) {
			continue // golang-jwt refuses null as a date, and knows no profiles
		}
		parser := jwt.NewParser(jwt.WithValidMethods(methods), jwt.WithIssuer(tokentest.Issuer), jwt.WithAudience(tokentest.Audience),
			jwt.WithTimeFunc(func() time.Time { return row.At }), jwt.WithIssuedAt(), jwt.WithExpirationRequired(), jwt.WithLeeway(token.ClockTolerance))

		if _, err := parser.Parse(row.Token, func(t *jwt.Token) (any, error) {
			key, err := row.Key(tokentest.Issuer, t.Header["kid"].(string), nil)
			if err != nil {
				return nil, err
			}
			return key.Public, nil
		}); err != nil {
			t.Errorf("%s: golang-jwt refuses it: %v", row.Name, err)
		}
		compared++
	}
	if compared == 0 {
		t.Error("want good tokens in the corpus, got none")
	}
	t.Logf("%d good tokens compared", compared)
}
