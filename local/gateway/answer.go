package gateway

import (
	"net/http"
	"strconv"
	"strings"
)

// answer is a response to the client. Header names keep the case that they were given,
// as they do on the wire.
type answer struct {
	status int
	header []header
	body   []byte
}

type header struct{ name, value string }

// set replaces every header of that name, in whatever case.
func (a *answer) set(name, value string) {
	kept := a.header[:0]
	for _, f := range a.header {
		if !strings.EqualFold(f.name, name) {
			kept = append(kept, f)
		}
	}
	a.header = append(kept, header{name, value})
}

func (a *answer) add(name, value string) { a.header = append(a.header, header{name, value}) }

// get returns the values of a header, in whatever case.
func (a *answer) get(name string) []string {
	var values []string
	for _, f := range a.header {
		if strings.EqualFold(f.name, name) {
			values = append(values, f.value)
		}
	}
	return values
}

// write sends the answer with the headers that every answer has.
func (a *answer) write(w http.ResponseWriter, r *http.Request, e *Exchange) {
	h := w.Header()
	spelled := map[string]string{} // one spelling a name, so that the server sees one header
	for _, f := range a.header {
		canonical := http.CanonicalHeaderKey(f.name)
		name, ok := spelled[canonical]
		if !ok {
			name = f.name
			if canonical == "Content-Type" {
				name = canonical // the server sniffs a body's type unless it sees this spelling
			}
			spelled[canonical] = name
		}
		h[name] = append(h[name], f.value)
	}
	h["x-amzn-RequestId"] = []string{e.RequestID}
	h["x-amz-apigw-id"] = []string{e.ExtendedRequestID}
	h["Date"] = []string{e.Time.UTC().Format(http.TimeFormat)}
	if r.ProtoMajor == 1 && !r.Close {
		h["Connection"] = []string{"keep-alive"}
	}
	// RFC 9110, sections 8.6 and 15.4.5: these have no content.
	bodiless := a.status == http.StatusNoContent || a.status == http.StatusNotModified
	if !bodiless {
		h["Content-Length"] = []string{strconv.Itoa(len(a.body))}
	}
	w.WriteHeader(a.status)
	if !bodiless && r.Method != http.MethodHead {
		w.Write(a.body) // a client that went away is not our error
		e.ResponseBytes = len(a.body)
	}
}
