package main

import (
	"net/http"
	"time"
)

// silence never answers; it returns when the client has gone.
func silence(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// oneBytePerSecond answers with body for as long as anybody waits.
func oneBytePerSecond(body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for i := range body {
			w.Write(body[i : i+1])
			w.(http.Flusher).Flush()
			select {
			case <-tick.C:
			case <-r.Context().Done():
				return
			}
		}
	}
}

// spaces answers with so many bytes of white space, which JSON allows, or with fewer if
// the client does not want them all.
func spaces(count int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		chunk := make([]byte, 1<<20)
		for i := range chunk {
			chunk[i] = ' '
		}
		for left := count; left > 0; left -= len(chunk) {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}
}
