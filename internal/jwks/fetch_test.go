package jwks

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"account-api/internal/refusal"
	"account-api/internal/token/tokentest"
)

// TestColdFetchFails makes a first fetch fail in every way. Once the provider answers, the next
// call succeeds.
func TestColdFetchFails(t *testing.T) {
	set := tokentest.PublicKeySet()
	rows := []struct {
		name   string
		answer http.HandlerFunc
		detail string // part of it
	}{
		{"status 404", status(404), "status 404"},
		{"status 401", status(401), "status 401"},
		{"status 403", status(403), "status 403"},
		{"status 429", status(429), "status 429"},
		{"status 500", status(500), "status 500"},
		{"status 503", status(503), "status 503"},
		{"status 204", status(204), "status 204"},
		{"status 500 over a good set", coded(500, set), "status 500"},
		{"status 203 over a good set", coded(203, set), "status 203"},
		{"not JSON", document([]byte("<html>")), "not strict JSON"},
		{"truncated JSON", document(set[:len(set)-10]), "not strict JSON"},
		{"Content-Length too large", headed("Content-Length", fmt.Sprint(len(set)+1), set), "EOF"},
		{"empty", document(nil), "not strict JSON"},
		{"10 MB", document(make([]byte, 10_000_000)), "larger than 150000 bytes"},
		{"a good set padded to 150 001 bytes", document(pad(set, 150_001)), "larger than 150000 bytes"},
		{"chunks without end", endless, "larger than 150000 bytes"},
		{"gzip bomb", bomb(), "larger than 150000 bytes"},
		{"a good set gzipped with 1 MB of spaces", gzipped(pad(set, 1_000_000)), "larger than 150000 bytes"},
		{"a byte at a time", drip, "no complete answer within"},
		{"no header", silence, "no complete answer within"},
		{"a header but no body", func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			silence(w, r)
		}, "no complete answer within"},
		{"not HTTP, at length", babble, "…"},
		{"no keys", document([]byte(`{"keys":[]}`)), "JWK"},
		{"a header of 1 MiB", headed("X-Padding", strings.Repeat("x", 1<<20), set), "header"},
		{"10 000 keys", document([]byte(keys(many(4_000)...))), "more than 100 keys"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			p := serve(t, row.answer)
			s := p.source(t)
			if strings.Contains(row.detail, "within") {
				s.deadline = 50 * time.Millisecond
			}
			refused := s.wantRefused(t, "k1", refusal.JWKSUnavailable)
			if !strings.Contains(refused.Detail, row.detail) {
				t.Errorf("got detail %q, want %q in it", refused.Detail, row.detail)
			}
			if strings.Contains(refused.Detail, p.URL) || len(refused.Detail) > 250 {
				t.Errorf("detail %q repeats the address or what the server sent", refused.Detail)
			}
			if n := len(s.log.with(t, "level", "ERROR", "reason", "jwks_unavailable", "category", "outage")); n != 1 {
				t.Errorf("got %d error records, want 1", n)
			}
			wantNothingRunning(t)

			s.deadline = patience
			p.says(both())
			s.wantKey(t, "k1", tokentest.K1())
		})
	}
}

func coded(code int, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code); w.Write(body) }
}

func headed(name, value string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.Header().Set(name, value); w.Write(body) }
}

// babble answers with a status line of 2 000 bytes that is none.
func babble(w http.ResponseWriter, _ *http.Request) {
	if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
		fmt.Fprintf(conn, "HTTP/1.1 %s\r\n\r\n", strings.Repeat("x", 2000))
		conn.Close()
	}
}

// pad appends spaces to a document until it has size bytes.
func pad(body []byte, size int) []byte {
	return append(body[:len(body):len(body)], strings.Repeat(" ", size-len(body))...)
}

func endless(w http.ResponseWriter, _ *http.Request) {
	for chunk := make([]byte, 64<<10); ; {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

func gzipped(body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			w.WriteHeader(http.StatusNotAcceptable)
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		z.Write(body)
		z.Close()
	}
}

// bomb is 20 KB that gunzip to 20 MB of spaces.
var bomb = sync.OnceValue(func() http.HandlerFunc {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write(pad(nil, 20_000_000))
	z.Close()
	return headed("Content-Encoding", "gzip", packed.Bytes())
})

// drip sends a byte at a time and never ends.
func drip(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		w.Write([]byte(" "))
		w.(http.Flusher).Flush()
		time.Sleep(time.Millisecond)
	}
}

func TestFetchSucceeds(t *testing.T) {
	set := tokentest.PublicKeySet()
	for name, answer := range map[string]http.HandlerFunc{
		"content type text/plain":      headed("Content-Type", "text/plain", set),
		"no content type":              func(w http.ResponseWriter, _ *http.Request) { w.Header()["Content-Type"] = nil; w.Write(set) },
		"exactly 150 000 bytes":        document(pad(set, 150_000)),
		"gzip":                         gzipped(set),
		"an ordinary header of 8 KiB":  headed("X-Padding", strings.Repeat("x", 8<<10), set),
		"a set beside keys for others": document([]byte(keys(`{"kty":"AKP","kid":"pq"}`, good().String()))),
		"a Cache-Control of nonsense":  headed("Cache-Control", "=,,max-age=;\"", set),
		"a body that comes in two sips": func(w http.ResponseWriter, _ *http.Request) {
			w.Write(set[:9])
			w.(http.Flusher).Flush()
			w.Write(set[9:])
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := serve(t, answer)
			p.source(t).wantKey(t, "k1", tokentest.K1())
			wantNothingRunning(t)
		})
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := serve(t, both())
	plain := httptest.NewServer(both())
	defer plain.Close()
	for _, code := range []int{301, 302, 303, 307, 308} {
		for name, target := range map[string]string{"another host": elsewhere.URL, "http": plain.URL, "itself": "/jwks.json", "another path": "/keys"} {
			t.Run(fmt.Sprintf("%d to %s", code, name), func(t *testing.T) {
				p := serve(t, func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/keys" {
						both()(w, r)
						return
					}
					http.Redirect(w, r, target, code)
				})
				for _, given := range []*http.Client{nil, p.Client()} {
					p.gets.Store(0)
					s := p.source(t)
					if given != nil {
						s.client = newClient(given, "")
					}
					refused := s.wantRefused(t, "k1", refusal.JWKSUnavailable)
					if !strings.Contains(refused.Detail, fmt.Sprint("status ", code)) {
						t.Errorf("got detail %q, want the status", refused.Detail)
					}
					p.wantGets(t, 1)
				}
			})
		}
	}
	elsewhere.wantGets(t, 0)
}

func TestTheRequest(t *testing.T) {
	var got *http.Request
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Clone(context.Background())
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "1"})
		both()(w, r)
	})
	s := p.source(t)
	s.wantKey(t, "k1", tokentest.K1())
	s.clock.advance(defaultLifetime)
	s.wantKey(t, "k1", tokentest.K1())
	for name, want := range map[string]string{
		"User-Agent": "jwt-authorizer", "Accept": "application/json",
		"Authorization": "", "Cookie": "", "Referer": "",
	} {
		if value := got.Header.Get(name); value != want {
			t.Errorf("%s: got %q, want %q", name, value, want)
		}
	}
	if got.Method != http.MethodGet || got.ContentLength != 0 || !got.Close {
		t.Errorf("got %s with a body of %d bytes, keep-alive %v; want a GET without either", got.Method, got.ContentLength, !got.Close)
	}
	p.wantGets(t, 2)
}

func TestAGivenClientIsUsed(t *testing.T) {
	p := serve(t, both())
	var used atomic.Int64
	given := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		used.Add(1)
		return p.Client().Transport.RoundTrip(r)
	})}
	s, err := New(p.URL, Options{Client: given})
	if err != nil {
		t.Fatal(err)
	}
	key, err := s.Key(context.Background(), "k1", nil)
	checkKey(t, key, err, tokentest.K1())
	if used.Load() != 1 || given.CheckRedirect != nil {
		t.Errorf("used %d times, altered %v; want once and not altered", used.Load(), given.CheckRedirect != nil)
	}
}
