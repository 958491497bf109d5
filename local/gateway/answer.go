package gateway

import (
	"net/http"
	"strconv"
	"strings"
)

// answer is a response to the client. Header names keep the case that they were given
// first, as they do on the wire.
type answer struct {
	status  int
	headers http.Header // not in canonical form
	body    []byte
}

// name is how a header is spelled already, or as given.
func (a *answer) name(given string) string {
	for name := range a.headers {
		if strings.EqualFold(name, given) {
			return name
		}
	}
	return given
}

// set replaces a header.
func (a *answer) set(name, value string) {
	delete(a.headers, a.name(name))
	a.add(name, value)
}

// add adds a value to a header.
func (a *answer) add(name, value string) {
	if a.headers == nil {
		a.headers = http.Header{}
	}
	name = a.name(name)
	a.headers[name] = append(a.headers[name], value)
}

// get returns the values of a header.
func (a *answer) get(name string) []string { return a.headers[a.name(name)] }

// write sends the answer with the headers that every answer has.
func (a *answer) write(w http.ResponseWriter, r *http.Request, e *Exchange) {
	out := w.Header()
	for name, values := range a.headers {
		if strings.EqualFold(name, "Content-Type") {
			name = "Content-Type" // the server sniffs a body's type unless it sees this spelling
		}
		out[name] = values
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
