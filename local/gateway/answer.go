package gateway

import (
	"net/http"
	"strconv"
	"strings"
)

// answer is a response on its way to the client. Header names keep the case that
// they were given, as they do on the wire.
type answer struct {
	status int
	header []field
	body   []byte
}

type field struct{ name, value string }

// set replaces every header of that name, in whatever case.
func (a *answer) set(name, value string) {
	kept := a.header[:0]
	for _, f := range a.header {
		if !strings.EqualFold(f.name, name) {
			kept = append(kept, f)
		}
	}
	a.header = append(kept, field{name, value})
}

func (a *answer) add(name, value string) { a.header = append(a.header, field{name, value}) }

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
func (c *call) write(w http.ResponseWriter, a answer) {
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
	h["x-amzn-RequestId"] = []string{c.exchange.RequestID}
	h["x-amz-apigw-id"] = []string{c.exchange.ExtendedRequestID}
	h["Date"] = []string{c.exchange.Time.UTC().Format(http.TimeFormat)}
	if c.request.ProtoMajor == 1 && !c.request.Close {
		h["Connection"] = []string{"keep-alive"}
	}
	// RFC 9110, sections 8.6 and 15.4.5: these have no content.
	bodiless := a.status == http.StatusNoContent || a.status == http.StatusNotModified
	if !bodiless {
		h["Content-Length"] = []string{strconv.Itoa(len(a.body))}
	}
	w.WriteHeader(a.status)
	if !bodiless && c.request.Method != http.MethodHead {
		w.Write(a.body) // a client that went away is not our error
		c.exchange.ResponseBytes = len(a.body)
	}
}
