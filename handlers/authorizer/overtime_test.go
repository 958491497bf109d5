package main

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"account-api/internal/jwks"
	"account-api/internal/refusal"
	"account-api/internal/token/corpus"
	"account-api/internal/token/tokentest"
)

// under is an event with a good token that is signed with this key.
func under(kid string, key *rsa.PrivateKey) string {
	return bearing(tokentest.Sign(tokentest.Header(kid).JSON(), tokentest.Payload().JSON(), key))
}

// unheardOf is an event with a good token under a key ID that nobody published.
func unheardOf(number int) string {
	return bearing(corpus.Headers(corpus.Set("kid", tokentest.Quote(fmt.Sprint("junk-", number)))))
}

// overTimeRows are about a function that runs for hours while the provider rotates its keys or
// is down, or while callers send unknown key IDs.
func overTimeRows() []row {
	k1, k2, k3 := under("k1", tokentest.K1()), under("k2", tokentest.K2()), under("k3", tokentest.K3())
	allow := func(t *testing.T, a authorizer, event string) { t.Helper(); a.meets(t, event, accepted, machine()) }
	const soft, interval = 10 * time.Minute, 30 * time.Second // how long keys are fresh; how often an unknown key ID may cause a fetch

	return []row{
		{"a key replaced under its kid is fetched by the first token that it signed", func(t *testing.T, a authorizer) {
			allow(t, a, k1)
			a.provider.says(publishing(strangeKey().With("kid", `"k1"`)))
			allow(t, a, under("k1", tokentest.K3()))
			a.fetched(t, 2)
			for range 9 {
				a.meets(t, k1, refusal.BadSignature, "")
			}
			a.fetched(t, 2)
			a.clock.advance(interval)
			a.meets(t, k1, refusal.BadSignature, "")
			a.fetched(t, 3)
		}},
		{"a new key is fetched by the first token that names it", func(t *testing.T, a authorizer) {
			a.provider.says(publishing(key()))
			allow(t, a, k1)
			a.provider.says(publishing(key(), strangeKey()))
			allow(t, a, k3)
			allow(t, a, k1) // the previous one is good for as long as it is published
			a.fetched(t, 2)
		}},
		{"fifty tokens at once under a new key share one fetch", func(t *testing.T, a authorizer) {
			a.provider.says(publishing(key()))
			allow(t, a, k1)
			a.provider.says(publishing(key(), nextKey()))
			atOnce(t, a, 50, k2)
			a.fetched(t, 2)
		}},
		{"a key that is withdrawn is gone with the next fetch", func(t *testing.T, a authorizer) {
			allow(t, a, k1)
			a.provider.says(publishing(nextKey()))
			a.clock.advance(soft)
			allow(t, a, k2)
			a.meets(t, k1, refusal.UnknownKid, "")
			a.provider.says(status(500))
			a.clock.advance(soft)
			a.meets(t, k1, refusal.JWKSUnavailable, "")
			allow(t, a, k2)
		}},
		{"nothing of a failed fetch is remembered", func(t *testing.T, a authorizer) {
			a.provider.says(status(503))
			a.meets(t, k1, refusal.JWKSUnavailable, "")
			a.provider.says(publishing(key()))
			a.clock.advance(5 * time.Second) // past any back-off of a function without keys
			allow(t, a, k1)
		}},
		{"keys outlive an outage of the provider by a day", func(t *testing.T, a authorizer) {
			forMonths := bearing(corpus.Claims(corpus.Set("iat", corpus.In(0)), corpus.Set("exp", corpus.In(29*24*60*60))))
			allow(t, a, forMonths)
			a.provider.says(status(500))
			a.clock.advance(24*time.Hour - 1)
			allow(t, a, forMonths)
			a.clock.advance(1)
			a.meets(t, forMonths, refusal.JWKSUnavailable, "")
			a.provider.says(publishing(key()))
			a.clock.advance(5 * time.Second)
			allow(t, a, forMonths)
		}},
		{"a set without keys replaces nothing", func(t *testing.T, a authorizer) {
			allow(t, a, k1)
			a.provider.says(publishing())
			a.clock.advance(soft)
			allow(t, a, k1)
			a.fetched(t, 2)
		}},
		{"max-age=0 still means five minutes, and ten years a day", func(t *testing.T, a authorizer) {
			a.provider.says(headed("Cache-Control", "max-age=0", tokentest.PublicKeySet()))
			allow(t, a, k1)
			a.clock.advance(5*time.Minute - 1)
			allow(t, a, k1)
			a.fetched(t, 1)
			a.provider.says(headed("Cache-Control", "max-age=315360000", tokentest.PublicKeySet()))
			a.clock.advance(1)
			allow(t, a, k1)
			a.fetched(t, 2)
			a.clock.advance(23 * time.Hour)
			allow(t, a, k1)
			a.fetched(t, 2)
		}},
		{"a provider that flaps is not noticed", func(t *testing.T, a authorizer) {
			var requests atomic.Int64
			a.provider.says(func(w http.ResponseWriter, _ *http.Request) {
				if requests.Add(1)%2 == 0 {
					w.WriteHeader(500)
				}
				w.Write(tokentest.PublicKeySet())
			})
			for range 100 {
				allow(t, a, k1)
				a.clock.advance(soft)
			}
		}},
		{"a flood of unknown key IDs causes two fetches and then one per interval", func(t *testing.T, a authorizer) {
			allow(t, a, k1)
			for i := range 2 {
				a.meets(t, unheardOf(i), refusal.UnknownKid, "")
			}
			for i := range 100 {
				a.meets(t, unheardOf(2+i), refusal.JWKSRateLimited, "")
				allow(t, a, k1)
			}
			a.fetched(t, 3)
			a.provider.says(publishing(key(), strangeKey())) // any fetch brings the new key
			a.clock.advance(interval)
			a.meets(t, unheardOf(500), refusal.UnknownKid, "")
			allow(t, a, k3)
			a.fetched(t, 4)
		}},
		{"one unknown key ID does not delay a rotation", func(t *testing.T, a authorizer) {
			a.provider.says(publishing(key()))
			allow(t, a, k1)
			a.meets(t, unheardOf(0), refusal.UnknownKid, "")
			a.provider.says(publishing(key(), nextKey()))
			allow(t, a, k2)
		}},
		{"the same unknown key ID is looked up once", func(t *testing.T, a authorizer) {
			allow(t, a, k1)
			for range 100 {
				a.meets(t, unheardOf(0), refusal.UnknownKid, "")
			}
			a.fetched(t, 2)
		}},
		{"fifty first calls at once share one fetch", func(t *testing.T, a authorizer) {
			atOnce(t, a, 50, k1)
			a.fetched(t, 1)
		}},
		{"a caller that gives up takes the keys from nobody", func(t *testing.T, a authorizer) {
			asked, publish := make(chan struct{}), make(chan struct{})
			a.provider.says(func(w http.ResponseWriter, r *http.Request) {
				close(asked)
				<-publish
				publishing(key())(w, r)
			})
			impatient, giveUp := context.WithCancel(t.Context())
			var calls sync.WaitGroup
			calls.Go(func() { allow(t, a, k1) })
			<-asked
			calls.Go(func() {
				if _, err := a.Invoke(impatient, []byte(k1)); err != errUnauthorized {
					t.Errorf("expected exactly Unauthorized for the caller that gave up, got %v", err)
				}
				close(publish) // so late that the other one waits longer
			})
			giveUp()
			calls.Wait()
			a.fetched(t, 1)
		}},
		{"after hours in the freezer the first call asks again", func(t *testing.T, a authorizer) {
			allow(t, a, k1)
			a.clock.advance(6 * time.Hour)
			a.provider.says(publishing(key(), strangeKey()))
			allow(t, a, k3)
			a.fetched(t, 2)
		}},
		{"a prefetch that fails costs the first call nothing", func(t *testing.T, a authorizer) {
			a.provider.says(status(500))
			prefetch := a.keys[tokentest.Issuer].(interface{ Prefetch(context.Context) error })
			if err := prefetch.Prefetch(t.Context()); refusal.ReasonOf(err) != refusal.JWKSUnavailable {
				t.Fatalf("expected a failed prefetch, got %v", err)
			}
			a.provider.says(publishing(key()))
			allow(t, a, k1)
			a.fetched(t, 2)
		}},
		{"under an unknown key ID everything else is checked before the provider is asked", func(t *testing.T, a authorizer) {
			allow(t, a, k1)
			for i, edit := range []corpus.Edit{
				corpus.Set("iss", `"https://evil.example/"`), corpus.Set("aud", `"x"`), corpus.Set("exp", corpus.In(-1)),
				corpus.Also("nbf", corpus.In(999)), corpus.Drop("sub"), corpus.Set("scope", "1"), corpus.Also("cnf", "{}"),
			} {
				compact := tokentest.Sign(tokentest.Header(fmt.Sprint("junk-", i)).JSON(), edit(tokentest.Payload()).JSON(), tokentest.K1())
				if _, err := a.Invoke(t.Context(), []byte(bearing(compact))); !errors.Is(err, errUnauthorized) {
					t.Errorf("expected exactly Unauthorized, got %v", err)
				}
			}
			a.fetched(t, 1)
		}},
	}
}

// atOnce makes so many calls at the same time, all of which must be allowed.
func atOnce(t *testing.T, a authorizer, calls int, event string) {
	t.Helper()
	var all sync.WaitGroup
	for range calls {
		all.Go(func() {
			if response, err := a.Invoke(t.Context(), []byte(event)); err != nil || string(response) != machine() {
				t.Errorf("expected the Allow, got %s, %v", response, err)
			}
		})
	}
	all.Wait()
}

// TestEachKindOfTroubleIsOneField: the log field category alone tells an outage, a
// misconfiguration and an attack apart.
func TestEachKindOfTroubleIsOneField(t *testing.T) {
	for _, r := range []struct {
		name, event string
		answer      http.HandlerFunc
		want        refusal.Category
	}{
		{"the provider answers 503", under("k1", tokentest.K1()), status(503), refusal.Outage},
		{"the provider answers HTML", under("k1", tokentest.K1()), document([]byte("<html>")), refusal.Outage},
		{"the provider has lost its keys", under("k1", tokentest.K1()), publishing(), refusal.Outage},
		{"API Gateway was told to send REQUEST events", `{"type":"REQUEST"}`, nil, refusal.Misconfiguration},
		{"a token brings the address of its keys", bearing(corpus.Headers(corpus.Also("jku", `"https://evil.example/"`))), nil, refusal.Attack},
		{"a token brings its key", bearing(corpus.Headers(corpus.Also("jwk", "{}"))), nil, refusal.Attack},
		{"a token says that it needs no signature", bearing(corpus.Headers(corpus.Set("alg", `"none"`))), nil, refusal.Attack},
		{"a token mistakes the public key for a shared secret", bearing(corpus.Headers(corpus.Set("alg", `"HS256"`))), nil, refusal.Attack},
		{"somebody published a second key under a kid", under("k1", tokentest.K1()), publishing(key(), strangeKey().With("kid", `"k1"`)), refusal.Attack},
		{"a token is signed with another algorithm", bearing(corpus.Headers(corpus.Set("alg", `"ES256"`))), nil, refusal.Client},
		{"a token has an HMAC of its own", bearing(corpus.Headers(corpus.Set("alg", `"HS256"`), corpus.Set("kid", `"mine"`))), nil, refusal.Client},
		{"a token names the issuer's own keys", bearing(corpus.Headers(corpus.Also("jku", `"https://issuer.example/keys"`))), nil, refusal.Client},
		{"junk", bearing("e30.e30.e30"), nil, refusal.Client},
		{"the issuer lacks its slash, and the provider signed the token", bearing(corpus.Claims(corpus.Set("iss", `"https://issuer.example"`))), nil, refusal.Misconfiguration},
		{"the issuer lacks its slash, and somebody else signed the token", bearing(tokentest.Sign(tokentest.Header("k1").JSON(), tokentest.Payload().With("iss", `"https://issuer.example"`).JSON(), tokentest.K3())), nil, refusal.Client},
		{"a star in the called path", strings.Replace(under("k1", tokentest.K1()), "/books", "/*", 1), nil, refusal.Client},
		{"a called path that is too long", strings.Replace(under("k1", tokentest.K1()), "/books", "/"+strings.Repeat("x", 600), 1), nil, refusal.Client},
		{"a token is merely old", bearing(corpus.Claims(corpus.Set("exp", corpus.In(-1)))), nil, refusal.Client},
		{"a token is for another API", bearing(corpus.Claims(corpus.Set("aud", `"x"`))), nil, refusal.Client},
		{"there is no token", tokenEvent(""), nil, refusal.Client},
	} {
		t.Run(r.name, func(t *testing.T) {
			a := newAuthorizer(t)
			if r.answer != nil {
				a.provider.says(r.answer)
			} else { // as after the init phase
				a.keys[tokentest.Issuer].(*jwks.Source).Prefetch(t.Context())
			}
			if _, err := a.Invoke(t.Context(), []byte(r.event)); err != errUnauthorized {
				t.Errorf("expected exactly Unauthorized, got %v", err)
			}
			if got := a.last(t).Category; got != string(r.want) {
				t.Errorf("expected category %s, got %s", r.want, got)
			}
		})
	}
}
