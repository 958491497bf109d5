package lambda

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
)

// invocation is one event on its way through a process.
type invocation struct {
	id       string
	event    []byte
	traceID  string
	deadline time.Time // set before the event is handed over

	// completed is closed when the runtime, having answered, asks for the next
	// event: only then is an invocation over.
	completed chan struct{}

	answer *answer // nil until the runtime answers; guarded by runtimeAPI.mu
}

// answer is what a runtime posted, or what the platform makes of it.
type answer struct {
	payload []byte
	failed  bool // the payload is an error document
}

func newInvocation(event []byte) *invocation {
	return &invocation{
		id:        uuid.NewString(),
		event:     event,
		traceID:   newTraceID(time.Now()),
		completed: make(chan struct{}),
	}
}

// runtimeAPI is the Runtime API of one process, version 2018-06-01. Each process has its
// own listener, so that it can neither get nor answer the event of another one.
//
// It checks the order of calls, since a runtime that breaks it fails in the cloud: next,
// then one response or error for that event, then next again.
type runtimeAPI struct {
	functionARN string
	server      *http.Server
	address     string

	ready      chan struct{}    // closed at the first next: init is over
	initFailed chan []byte      // the document of init/error; holds one
	work       chan *invocation // an event for whoever waits in next
	gone       chan struct{}    // closed when the process has ended

	mu          sync.Mutex
	initialised bool
	polling     bool        // a request waits in next
	current     *invocation // handed out and not completed
}

// listenRuntimeAPI serves a Runtime API on a port of its own on the loopback
// interface.
func listenRuntimeAPI(functionARN string) (*runtimeAPI, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open a port for the Runtime API: %w", err)
	}
	a := &runtimeAPI{
		functionARN: functionARN,
		address:     listener.Addr().String(),
		ready:       make(chan struct{}),
		initFailed:  make(chan []byte, 1),
		work:        make(chan *invocation),
		gone:        make(chan struct{}),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", a.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", a.response)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", a.failure)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", a.initError)
	a.server = &http.Server{
		Handler: a.guard(mux),
		// aws-lambda-go sends up to 1 MiB of X-Ray cause in one header, which is
		// net/http's default for all of them together.
		MaxHeaderBytes: 2 << 20,
		// A process that dies breaks its connections: that is no news.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	go a.server.Serve(listener) // returns when close closes the server
	return a, nil
}

// close ends the API, after its process has ended.
func (a *runtimeAPI) close() error {
	close(a.gone)
	return a.server.Close()
}

// guard admits the process only. A page in the developer's browser could reach
// the port and take an event, with the token in it, from the function: it would
// have to send an Origin, or by DNS rebinding another Host.
func (a *runtimeAPI) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != a.address || r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "" {
			refuse(w, http.StatusForbidden, "AccessDenied", "the Runtime API serves its own process only")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// next completes the invocation before, if any, and blocks until there is an
// event.
func (a *runtimeAPI) next(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	if a.polling || (a.current != nil && a.current.answer == nil) {
		a.mu.Unlock()
		refuseTransition(w)
		return
	}
	a.polling = true
	if a.current != nil {
		close(a.current.completed)
		a.current = nil
	}
	if !a.initialised {
		a.initialised = true
		close(a.ready)
	}
	a.mu.Unlock()

	var inv *invocation
	select {
	case inv = <-a.work:
	case <-r.Context().Done():
	case <-a.gone:
	}

	a.mu.Lock()
	a.polling = false
	a.current = inv
	a.mu.Unlock()
	if inv == nil {
		return // nobody is there to be answered
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(inv.event)))
	h.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", a.functionARN)
	h.Set("Lambda-Runtime-Trace-Id", inv.traceID)
	w.Write(inv.event) // if the process is gone, the invocation ends with it
}

// response takes the answer of a function that did not fail, or that failed
// while its response was being streamed: then the error is in the trailers.
func (a *runtimeAPI) response(w http.ResponseWriter, r *http.Request) {
	a.take(w, r, func(body []byte) *answer {
		kind := r.Trailer.Get("Lambda-Runtime-Function-Error-Type")
		if kind == "" {
			return &answer{payload: body}
		}
		document, err := base64.StdEncoding.DecodeString(r.Trailer.Get("Lambda-Runtime-Function-Error-Body"))
		if err != nil || len(document) == 0 {
			document = errorDocument(kind, "the function failed while it streamed its response")
		}
		return &answer{payload: document, failed: true}
	})
}

// failure takes the error of a function.
func (a *runtimeAPI) failure(w http.ResponseWriter, r *http.Request) {
	a.take(w, r, func(body []byte) *answer {
		return &answer{payload: documentOr(body, r), failed: true}
	})
}

// initError takes the reason for which a runtime cannot start.
func (a *runtimeAPI) initError(w http.ResponseWriter, r *http.Request) {
	body, tooLarge, err := readAnswer(r.Body)
	if err != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.initialised {
		refuseTransition(w)
		return
	}
	if tooLarge {
		refuseTooLarge(w)
		return
	}
	select {
	case a.initFailed <- documentOr(body, r):
		accept(w)
	default:
		refuseTransition(w) // reported twice
	}
}

// take reads a body and, where it is the first one for the event being
// processed, keeps what understand makes of it as the answer.
func (a *runtimeAPI) take(w http.ResponseWriter, r *http.Request, understand func([]byte) *answer) {
	body, tooLarge, err := readAnswer(r.Body)
	if err != nil {
		return // the process broke off: it ends, or it will run into its timeout
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.current == nil || a.current.id != r.PathValue("id"):
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
	case a.current.answer != nil:
		refuseTransition(w)
	case tooLarge:
		a.current.answer = &answer{failed: true, payload: errorDocument("Function.ResponseSizeTooLarge",
			fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxResponseBytes))}
		refuseTooLarge(w)
	default:
		a.current.answer = understand(body)
		accept(w)
	}
}

// answerTo returns the runtime's answer so far, nil if there is none.
func (a *runtimeAPI) answerTo(inv *invocation) *answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	return inv.answer
}

// readAnswer reads a body to its end, and keeps no more of it than an answer may
// have. It reads on past that so that the runtime gets to read the refusal.
func readAnswer(r io.Reader) (body []byte, tooLarge bool, err error) {
	body, err = io.ReadAll(io.LimitReader(r, maxResponseBytes+1))
	if err != nil || len(body) <= maxResponseBytes {
		return body, false, err
	}
	_, err = io.Copy(io.Discard, r)
	return nil, true, err
}

// documentOr returns the error document that a runtime posted, or where it
// posted none, one that carries the error type of its header.
func documentOr(body []byte, r *http.Request) []byte {
	if len(body) > 0 {
		return body
	}
	kind := cmp.Or(r.Header.Get("Lambda-Runtime-Function-Error-Type"), unhandled)
	return errorDocument(kind, "the runtime reported an error without a document")
}

// errorDocument is an error as Lambda reports it. The runtime's own documents may
// have more fields.
func errorDocument(kind, message string) []byte {
	document, err := json.Marshal(struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}{kind, message})
	if err != nil {
		panic(err) // two strings
	}
	return document
}

func accept(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	io.WriteString(w, `{"status":"OK"}`)
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(errorDocument(kind, message))
}

func refuseTransition(w http.ResponseWriter) {
	refuse(w, http.StatusForbidden, "InvalidStateTransition", "the call is out of order: expected next, then one response or error, then next")
}

func refuseTooLarge(w http.ResponseWriter) {
	refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge",
		fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", maxResponseBytes))
}
