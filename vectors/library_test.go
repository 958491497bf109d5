package vectors

import (
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"account-api/internal/token"
	"account-api/internal/token/corpus"
)

// TestAnotherLibrary presents every good token of the corpus to golang-jwt, with the same
// issuer, audience, keys and clock. The verifier is stricter, so golang-jwt may refuse none.
func TestAnotherLibrary(t *testing.T) {
	compared := 0
	for _, row := range corpus.Rows() {
		if row.Want != corpus.Accepted || strings.HasPrefix(row.Name, "iat null") || strings.HasPrefix(row.Name, "nbf null") {
			continue // golang-jwt refuses null as a date
		}
		parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(row.Expect.Issuer), jwt.WithAudience(row.Expect.Audience),
			jwt.WithTimeFunc(func() time.Time { return row.At }), jwt.WithIssuedAt(), jwt.WithExpirationRequired(), jwt.WithLeeway(token.ClockTolerance))

		if _, err := parser.Parse(row.Token, func(t *jwt.Token) (any, error) { return row.Key(t.Header["kid"].(string)) }); err != nil {
			t.Errorf("%s: golang-jwt refuses it: %v", row.Name, err)
		}
		compared++
	}
	if compared == 0 {
		t.Error("want good tokens in the corpus, got none")
	}
	t.Logf("%d good tokens compared", compared)
}
