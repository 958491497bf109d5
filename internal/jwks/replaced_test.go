package jwks

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"account-api/internal/refusal"
	"account-api/internal/signature"
	"account-api/internal/token/tokentest"
)

// replacing publishes another key under k1.
func replacing() http.HandlerFunc {
	return document(tokentest.JWKS(tokentest.JWK("k1", tokentest.K2())))
}

// failing asks again after the key did not verify a signature.
func (f fixture) failing(t *testing.T, failed *signature.Key) *signature.Key {
	t.Helper()
	key, err := f.Source.Key(context.Background(), "k1", failed)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestAKeyReplacedUnderItsIDIsFetched(t *testing.T) {
	p := serve(t, both())
	s := p.source(t)
	s.wantKey(t, "k1", tokentest.K1())
	old, _ := s.Key(context.Background(), "k1")
	p.says(replacing())
	if fresh := s.failing(t, old); fresh.Equal(old) {
		t.Error("got the old key, want the one that replaced it")
	}
	p.wantGets(t, 2)
	s.wantKey(t, "k1", tokentest.K2())
	if again := s.failing(t, old); again.Equal(old) {
		t.Error("got the old key, want the newer one that is at hand")
	}
	p.wantGets(t, 2)
}

func TestBadSignaturesCauseOneFetchAnInterval(t *testing.T) {
	p := serve(t, both())
	s := p.source(t)
	s.wantKey(t, "k1", tokentest.K1())
	key, _ := s.Key(context.Background(), "k1")
	for range 50 {
		if got := s.failing(t, key); !got.Equal(key) {
			t.Fatal("got another key than the published one")
		}
	}
	p.wantGets(t, 2)
	s.wantRefused(t, "junk", refusal.UnknownKid) // the rest of the budget
	p.wantGets(t, 3)
	s.clock.advance(unknownKidInterval)
	s.failing(t, key)
	s.failing(t, key)
	p.wantGets(t, 4)
}

// TestAStaleKeyIsNotWaitedFor measures with a limit that no other test has: the provider
// answers nothing, so without the limit the call would take an hour.
func TestAStaleKeyIsNotWaitedFor(t *testing.T) {
	p := serve(t, both())
	s := p.source(t)
	s.deadline, s.patience = time.Hour, 10*time.Millisecond
	s.wantKey(t, "k1", tokentest.K1())
	s.clock.advance(defaultLifetime)
	p.says(silence)
	s.wantKey(t, "k1", tokentest.K1())
	wantNothingRunning(t)
	s.wantKey(t, "k1", tokentest.K1()) // in back-off
	if s.failures.count != 1 {
		t.Errorf("got %d failed fetches, want 1", s.failures.count)
	}
}

func TestRetryAfter(t *testing.T) {
	for name, row := range map[string]struct {
		header string
		pause  time.Duration
		warm   bool
	}{
		"seconds, cold":            {"20", 20 * time.Second, false},
		"seconds, with stale keys": {"40", 40 * time.Second, true},
		"a date":                   {tokentest.Now().Add(50 * time.Second).Format(http.TimeFormat), 50 * time.Second, false},
		"longer than the limit":    {"86400", 5 * time.Minute, false},
		"longer than any integer":  {"99999999999999999999", 5 * time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			limited := func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", row.header)
				w.WriteHeader(http.StatusTooManyRequests)
			}
			p := serve(t, both())
			s := p.source(t)
			gets := int64(1)
			if row.warm {
				s.wantKey(t, "k1", tokentest.K1())
				s.clock.advance(defaultLifetime)
				gets++
			}
			ask := func() {
				if row.warm {
					s.wantKey(t, "k1", tokentest.K1())
				} else {
					s.wantRefused(t, "k1", refusal.JWKSUnavailable)
				}
			}
			p.says(limited)
			ask()
			s.clock.advance(row.pause - 1)
			ask()
			p.wantGets(t, gets)
			s.clock.advance(1)
			p.says(both())
			s.wantKey(t, "k1", tokentest.K1())
			p.wantGets(t, gets+1)
		})
	}
}

func TestAnotherIssuersKeySetIsAMisconfiguration(t *testing.T) {
	ask := func(s fixture, from, to int, want refusal.Category) {
		for i := from; i < to; i++ {
			_, err := s.Key(context.Background(), fmt.Sprint("kid", i))
			if refused := err.(*refusal.Error); refused.Category() != want {
				t.Fatalf("key ID %d: got category %s, want %s", i, refused.Category(), want)
			}
		}
	}
	s := serve(t, both()).source(t)
	ask(s, 0, 29, refusal.Client)
	ask(s, 28, 29, refusal.Client) // the same again
	ask(s, 29, 40, refusal.Misconfiguration)

	s = serve(t, both()).source(t)
	s.wantKey(t, "k1", tokentest.K1())
	ask(s, 0, 60, refusal.Client)
}

func TestASetWithoutAUsableKeyIsAMisconfiguration(t *testing.T) {
	s := serve(t, document(tokentest.JWKS(ellipticKey("k1")))).source(t)
	for _, kid := range []string{"k1", "other"} {
		_, err := s.Key(context.Background(), kid)
		if refused, ok := err.(*refusal.Error); !ok || refused.Category() != refusal.Misconfiguration {
			t.Errorf("%s: got %v, want the category misconfiguration", kid, err)
		}
	}
}

func TestWhoIsToBlameForARejectedKey(t *testing.T) {
	for name, row := range map[string]struct {
		keys []tokentest.Object
		want refusal.Category
	}{
		"two keys under one key ID": {[]tokentest.Object{tokentest.JWK("k1", tokentest.K1()), tokentest.JWK("k1", tokentest.K2())}, refusal.Attack},
		"a published private half":  {[]tokentest.Object{tokentest.JWK("k1", tokentest.K1()).Also("d", `"AQAB"`)}, refusal.Attack},
		"a key for another purpose": {[]tokentest.Object{tokentest.JWK("k1", tokentest.K1()).With("use", `"enc"`)}, refusal.Client},
	} {
		set, err := Parse(tokentest.JWKS(append(row.keys, tokentest.JWK("k3", tokentest.K3()))...))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := set.Key("k1"); err == nil || err.(*refusal.Error).Category() != row.want {
			t.Errorf("%s: got %v, want the category %s", name, err, row.want)
		}
	}
}

// TestLostPackets drops the first packets to a name server and expects the lookup repeated.
func TestLostPackets(t *testing.T) {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		packet := make([]byte, 512)
		for count := 0; ; count++ {
			n, from, err := server.ReadFrom(packet)
			if err != nil {
				return
			}
			if count >= 2 { // the first are lost
				server.WriteTo(answerTo(packet[:n]), from)
			}
		}
	}()
	p := serve(t, both())
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
	_, port, _ := net.SplitHostPort(p.Listener.Addr().String())
	ctx, cancel := context.WithTimeout(context.Background(), prefetchDeadline)
	defer cancel()
	connection, err := dialer{resolver}.dial(ctx, "tcp", "keys.example.com:"+port)
	if err != nil {
		t.Fatalf("got %v, want a connection after the packets were sent again", err)
	}
	connection.Close()
}

// answerTo answers a question for an IPv4 address with 127.0.0.1 and any other with nothing
// (RFC 1035, section 4.1).
func answerTo(question []byte) []byte {
	end := 12
	for question[end] != 0 {
		end += 1 + int(question[end])
	}
	end += 5 // the root, type and class
	answer := append([]byte{}, question[:end]...)
	answer[2], answer[3] = 0x81, 0x80
	copy(answer[6:12], []byte{0, 0, 0, 0, 0, 0})
	if question[end-3] == 1 { // type A
		answer[7] = 1
		answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1)
	}
	return answer
}

// TestASlowKeySet takes longer than a request would have had: the init phase has the time.
func TestASlowKeySet(t *testing.T) {
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(1700 * time.Millisecond)
		both()(w, r)
	})
	s := p.source(t)
	s.deadline, s.patience = fetchDeadline, stalePatience
	if err := s.Prefetch(context.Background()); err != nil {
		t.Fatal(err)
	}
	s.wantKey(t, "k1", tokentest.K1())
	p.wantGets(t, 1)
}
