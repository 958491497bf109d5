// Package trace records what the gateway does not report of a request: its headers and body,
// those of the answer, and the invocations of functions with their logs.
//
// A trace is for the developer who runs the stack, and stays in memory. It holds no token that
// is worth anything elsewhere: see [Message.Header].
package trace

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"account-api/internal/loopback"
)

// The most that a trace keeps of a body and of the log of one invocation, in bytes.
const (
	maxBody = 32 << 10
	maxLog  = 32 << 10
)

// Trace is one request and what came of it.
type Trace struct {
	Request     Message
	Response    Message
	Claims      json.RawMessage // of the bearer token, not verified; nil if none could be read
	Invocations []Invocation    // in the order of their beginning
}

// Message is a request or a response.
type Message struct {
	Method, Target string // of a request; the target is the path with the query
	Header         http.Header
	Body           []byte
	Cut            bool // the body was longer than what is kept

	// Withheld are the names of headers that are left out. A value that could be a secret is
	// kept only if it is a token of an issuer on this machine.
	Withheld []string
}

// Invocation is one call of a function.
type Invocation struct {
	Function string // its ARN
	Begun    time.Duration
	Took     time.Duration // as the gateway waited
	Init     time.Duration // of a cold start
	Cold     bool
	Log      []string

	Failure string // why it failed, in one line; "" if it did not
	Place   string // where: file:line of the project, "" if unknown
}

// Recorder records the requests of one handler. The zero value is ready. It is safe for
// concurrent use.
type Recorder struct {
	mu       sync.Mutex
	answered map[string]*recording // by request ID, until the handler returns
}

// recording is a trace in the making.
type recording struct {
	recorder *Recorder
	begun    time.Time
	mu       sync.Mutex
	trace    Trace
}

type contextKey struct{}

// Observe records the requests that next serves. While next reports a request that it has
// answered, [Recorder.Take] has its trace.
func (r *Recorder) Observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		rec := &recording{recorder: r, begun: time.Now()}
		rec.trace.Request = Message{Method: request.Method, Target: withoutForeignTokens(request.URL.RequestURI())}
		rec.trace.Request.Header, rec.trace.Request.Withheld = kept(request.Header)
		rec.trace.Claims = claims(request.Header.Get("Authorization"))
		request = request.WithContext(context.WithValue(request.Context(), contextKey{}, rec))
		request.Body = body{request.Body, &rec.trace.Request}
		answer := &writer{ResponseWriter: w, recording: rec}
		defer answer.forget()
		next.ServeHTTP(answer, request)
	})
}

// Take returns the trace of a request that was answered, by the request ID of the answer.
func (r *Recorder) Take(requestID string) (Trace, bool) {
	r.mu.Lock()
	rec, found := r.answered[requestID]
	r.mu.Unlock()
	if !found {
		return Trace{}, false
	}
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return rec.trace, true
}

// Invoked adds an invocation that has just ended to the trace of the request that caused it.
func Invoked(ctx context.Context, i Invocation) {
	rec, observed := ctx.Value(contextKey{}).(*recording)
	if !observed {
		return
	}
	rec.mu.Lock()
	defer rec.mu.Unlock()
	i.Begun = time.Since(rec.begun) - i.Took
	i.Log = newest(i.Log)
	rec.trace.Invocations = append(rec.trace.Invocations, i)
}

// newest are the last lines that fit.
func newest(lines []string) []string {
	size := 0
	for at, line := range slices.Backward(lines) {
		if size += len(line); size > maxLog {
			return slices.Clone(lines[at+1:])
		}
	}
	return slices.Clone(lines)
}

// body keeps the beginning of what is read.
type body struct {
	io.ReadCloser
	to *Message
}

func (b body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.to.add(p[:n])
	return n, err
}

func (m *Message) add(p []byte) {
	room := maxBody - len(m.Body)
	m.Cut = m.Cut || len(p) > room
	m.Body = append(m.Body, p[:min(len(p), room)]...)
}

// writer keeps an answer. It belongs to one goroutine, as every [http.ResponseWriter].
type writer struct {
	http.ResponseWriter
	recording *recording
	id        string
}

// Unwrap is for [http.ResponseController].
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *writer) WriteHeader(status int) {
	answer := &w.recording.trace.Response
	answer.Header = w.Header().Clone()
	for name, values := range answer.Header {
		if strings.EqualFold(name, "x-amzn-RequestId") && len(values) > 0 {
			w.id = values[0]
		}
	}
	r := w.recording.recorder
	r.mu.Lock()
	if r.answered == nil {
		r.answered = map[string]*recording{}
	}
	r.answered[w.id] = w.recording
	r.mu.Unlock()
	w.ResponseWriter.WriteHeader(status)
}

func (w *writer) Write(p []byte) (int, error) {
	w.recording.trace.Response.add(p)
	return w.ResponseWriter.Write(p)
}

func (w *writer) forget() {
	r := w.recording.recorder
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.answered, w.id)
}

// secretHeaders may hold what is worth something elsewhere. Any header may hold a token.
var secretHeaders = []string{"Authorization", "Cookie", "Proxy-Authorization", "X-Api-Key"}

// kept are the headers without those that may hold a secret.
func kept(header http.Header) (http.Header, []string) {
	header = header.Clone()
	var withheld []string
	for name, values := range header {
		for _, value := range values {
			if (slices.Contains(secretHeaders, name) || strings.Contains(value, tokenBegin)) && !ofThisMachine(value) {
				withheld = append(withheld, name)
				delete(header, name)
				break
			}
		}
	}
	slices.Sort(withheld)
	return header, withheld
}

// ofThisMachine reports whether a value is a scheme and one token whose issuer is on this
// machine. Nobody else accepts such a token.
func ofThisMachine(value string) bool {
	var token struct {
		Issuer string `json:"iss"`
	}
	if json.Unmarshal(claims(value), &token) != nil {
		return false
	}
	issuer, err := url.Parse(token.Issuer)
	return err == nil && loopback.Is(issuer.Hostname())
}

// claims are those of the token in a header, nil if there are none.
func claims(value string) json.RawMessage {
	words := strings.Fields(value)
	if len(words) == 0 || len(words) > 2 {
		return nil
	}
	parts := strings.Split(words[len(words)-1], ".")
	if len(parts) != 3 {
		return nil
	}
	content, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || !json.Valid(content) || !bytes.HasPrefix(content, []byte("{")) {
		return nil
	}
	return content
}
