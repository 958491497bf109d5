package gateway

import (
	"net/http"
	"strconv"
)

// answer is a response to the client. Header names keep the case that they were given
// first, as they do on the wire.
type answer struct {
	status  int
	headers map[string]header // by canonical name
	body    []byte
}

type header struct {
	name   string
	values []string
}

// set replaces a header.
func (a *answer) set(name, value string) {
	delete(a.headers, http.CanonicalHeaderKey(name))
	a.add(name, value)
}

// add adds a value to a header.
func (a *answer) add(name, value string) {
	if a.headers == nil {
		a.headers = map[string]header{}
	}
	canonical := http.CanonicalHeaderKey(name)
	h, ok := a.headers[canonical]
	if !ok {
		h.name = name
	}
	h.values = append(h.values, value)
	a.headers[canonical] = h
}

// get returns the values of a header.
func (a *answer) get(name string) []string { return a.headers[http.CanonicalHeaderKey(name)].values }

// write sends the answer with the headers that every answer has.
func (a *answer) write(w http.ResponseWriter, r *http.Request, e *Exchange) {
	out := w.Header()
	for canonical, h := range a.headers {
		if canonical == "Content-Type" {
			h.name = canonical // the server sniffs a body's type unless it sees this spelling
		}
		out[h.name] = h.values
	}
	out["x-amzn-RequestId"] = []string{e.RequestID}
	out["x-amz-apigw-id"] = []string{e.ExtendedRequestID}
	out["Date"] = []string{e.Time.UTC().Format(http.TimeFormat)}
	if r.ProtoMajor == 1 && !r.Close {
		out["Connection"] = []string{"keep-alive"}
	}
	// RFC 9110, sections 8.6 and 15.4.5: these have no content.
	bodiless := a.status == http.StatusNoContent || a.status == http.StatusNotModified
	if !bodiless {
		out["Content-Length"] = []string{strconv.Itoa(len(a.body))}
	}
	w.WriteHeader(a.status)
	if !bodiless && r.Method != http.MethodHead {
		w.Write(a.body) // a client that went away is not our error
	}
}
