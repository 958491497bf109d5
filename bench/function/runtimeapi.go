package function

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// invocationTime is the deadline that a function sees, its whole timeout. Much longer
// than any, so that a throttled function is measured and not refused.
const invocationTime = time.Minute

// runtimeAPI serves version 2018-06-01 to one process.
type runtimeAPI struct {
	server  *http.Server
	address string
	polled  chan struct{} // closed at the first request for an event
	events  chan []byte
	answers chan answer
	closed  chan struct{}
}

type answer struct {
	payload []byte
	failed  bool
}

func newRuntimeAPI() (*runtimeAPI, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &runtimeAPI{
		address: listener.Addr().String(),
		polled:  make(chan struct{}),
		events:  make(chan []byte),
		answers: make(chan answer, 1),
		closed:  make(chan struct{}),
	}
	const version = "/2018-06-01/runtime"
	routes := http.NewServeMux()
	var once sync.Once
	id := 0 // one process asks for one event at a time
	routes.HandleFunc("GET "+version+"/invocation/next", func(w http.ResponseWriter, request *http.Request) {
		once.Do(func() { close(r.polled) })
		select {
		case event := <-r.events:
			id++
			header := w.Header()
			header.Set("Lambda-Runtime-Aws-Request-Id", fmt.Sprintf("00000000-0000-4000-8000-%012d", id))
			header.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(invocationTime).UnixMilli(), 10))
			header.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:123456789012:function:bench")
			header.Set("Lambda-Runtime-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0")
			header.Set("Content-Type", "application/json")
			_, _ = w.Write(event) // a process that is gone is noticed by whoever waits for it
		case <-request.Context().Done():
		case <-r.closed:
		}
	})
	post := func(failed bool) http.HandlerFunc {
		return func(w http.ResponseWriter, request *http.Request) {
			payload, err := io.ReadAll(request.Body)
			w.WriteHeader(http.StatusAccepted)
			r.answers <- answer{payload, failed || err != nil}
		}
	}
	routes.HandleFunc("POST "+version+"/invocation/{id}/response", post(false))
	routes.HandleFunc("POST "+version+"/invocation/{id}/error", post(true))
	r.server = &http.Server{Handler: routes}
	go func() { _ = r.server.Serve(listener) }() // ends with close
	return r, nil
}

func (r *runtimeAPI) close() {
	close(r.closed)
	r.server.Close()
}
