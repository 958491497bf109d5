package jwks

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"account-api/internal/refusal"
	"account-api/internal/signature"
	"account-api/internal/token/tokentest"
)

// TestMain is also a program that fetches one key set with zero Options. A process reads its
// roots and proxies once.
func TestMain(m *testing.M) {
	uri := os.Getenv("JWKS_TEST_FETCH")
	if uri == "" {
		os.Exit(m.Run())
	}
	s, err := New(uri, Options{})
	if err == nil {
		s.deadline = patience
		_, err = s.Key(context.Background(), "k1", nil)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("got the key")
}

// patience is the fetch deadline of tests that are not about it, for a busy machine.
const patience = time.Minute

// provider is a TLS server in place of the identity provider.
type provider struct {
	*httptest.Server
	gets   atomic.Int64
	answer atomic.Pointer[http.HandlerFunc]
}

// serve starts a provider that gives one answer until it is told another.
func serve(t testing.TB, answer http.HandlerFunc) *provider {
	t.Helper()
	p := &provider{}
	p.says(answer)
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.gets.Add(1)
		(*p.answer.Load())(w, r)
	}))
	p.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	p.StartTLS()
	t.Cleanup(p.Close)
	return p
}

func (p *provider) says(answer http.HandlerFunc) { p.answer.Store(&answer) }

// document answers 200 with these bytes.
func document(body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.Write(body) }
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// silence never answers; it returns when the client has gone.
func silence(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// clock is the wall clock of a test. It moves only when told to.
type clock struct{ unixNano atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.unixNano.Store(tokentest.Now().UnixNano())
	return c
}

func (c *clock) now() time.Time            { return time.Unix(0, c.unixNano.Load()) }
func (c *clock) advance(d time.Duration)   { c.unixNano.Add(int64(d)) }
func (c *clock) sinceStart() time.Duration { return c.now().Sub(tokentest.Now()) }

// journal collects log records.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(line)
}

func (j *journal) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// with returns the records that have all of the fields, given as name, value, …
func (j *journal) with(t testing.TB, fields ...string) []map[string]any {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	var found []map[string]any
	for line := range strings.Lines(j.text.String()) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("log record %q: %v", line, err)
		}
		matches := true
		for i := 0; i < len(fields); i += 2 {
			matches = matches && fmt.Sprint(record[fields[i]]) == fields[i+1]
		}
		if matches {
			found = append(found, record)
		}
	}
	return found
}

// fixture is a Source with our own client, which trusts the provider's certificate.
type fixture struct {
	*Source
	clock *clock
	log   *journal
}

func (p *provider) source(t testing.TB) fixture { return sourceFor(t, p.URL+"/jwks.json", p.Server) }

func sourceFor(t testing.TB, uri string, trusted *httptest.Server) fixture {
	t.Helper()
	f := fixture{clock: newClock(), log: &journal{}}
	var err error
	f.Source, err = New(uri, Options{Now: f.clock.now, Logger: f.log.logger()})
	if err != nil {
		t.Fatal(err)
	}
	f.deadline, f.patience = patience, patience
	if trusted != nil {
		roots := x509.NewCertPool()
		roots.AddCert(trusted.Certificate())
		f.client.Transport = newTransport(roots)
	}
	return f
}

// Key asks for a key as most tokens do.
func (f fixture) Key(ctx context.Context, kid string) (*signature.Key, error) {
	return f.Source.Key(ctx, kid, nil)
}

// wantKey asks for the key ID and fails the test unless it is this key.
func (f fixture) wantKey(t testing.TB, kid string, want *rsa.PrivateKey) {
	t.Helper()
	key, err := f.Key(context.Background(), kid)
	checkKey(t, key, err, want)
}

func checkKey(t testing.TB, key *signature.Key, err error, want *rsa.PrivateKey) {
	t.Helper()
	if err != nil {
		t.Fatalf("got error %q, want a key", err)
	}
	if !key.Equal(&signature.Key{Algorithm: signature.RS256, Public: want.Public()}) {
		t.Fatal("got another key than the one published under this key ID")
	}
}

// wantRefused asks for the key ID and fails the test unless the reason is this one.
func (f fixture) wantRefused(t testing.TB, kid string, want refusal.Reason) *refusal.Error {
	t.Helper()
	key, err := f.Key(context.Background(), kid)
	return checkRefused(t, key, err, want)
}

func checkRefused(t testing.TB, key *signature.Key, err error, want refusal.Reason) *refusal.Error {
	t.Helper()
	var refused *refusal.Error
	if key != nil || !errors.As(err, &refused) || refused.Reason != want {
		t.Fatalf("got key %v, error %v; want no key and reason %s", key != nil, err, want)
	}
	if refused.Detail == "" {
		t.Error("the refusal has no detail")
	}
	return refused
}

func (p *provider) wantGets(t testing.TB, want int64) {
	t.Helper()
	if got := p.gets.Load(); got != want {
		t.Fatalf("the provider got %d requests, want %d", got, want)
	}
}

// eventually polls a condition that another goroutine makes true. The limit only
// turns a hang into a failure.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for limit := time.Now().Add(20 * time.Second); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("never happened: %s", what)
		}
	}
}

// awaiting polls until n calls wait for the fetch under way.
func (f fixture) awaiting(t testing.TB, n int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d calls wait for one fetch", n), func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.flight != nil && f.flight.waiting == n
	})
}

// wantNothingRunning fails the test if a fetch, or a client connection that was
// opened for one, is still there.
func wantNothingRunning(t testing.TB) {
	t.Helper()
	ours := []string{"jwks.(*Source)", "http.(*persistConn)", "http.(*Transport).dialConn"}
	eventually(t, "no goroutine of a fetch is left", func() bool {
		var stacks bytes.Buffer
		if err := pprof.Lookup("goroutine").WriteTo(&stacks, 2); err != nil {
			t.Fatal(err)
		}
		for _, name := range ours {
			if strings.Contains(stacks.String(), name) {
				return false
			}
		}
		return true
	})
}
