package trace

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// token is one of an issuer. Its signature is none.
func token(claims string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2lnbmF0dXJl"
}

// record takes a request through a recorder, and returns what it had when the handler, which
// reads everything and answers, was about to return.
func record(t *testing.T, request *http.Request, answer http.HandlerFunc) Trace {
	t.Helper()
	var r Recorder
	var taken Trace
	found := false
	r.Observe(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if _, err := io.Copy(io.Discard, request.Body); err != nil {
			t.Error(err)
		}
		w.Header()["x-amzn-RequestId"] = []string{"one"}
		answer(w, request)
		taken, found = r.Take("one")
	})).ServeHTTP(httptest.NewRecorder(), request)
	if !found {
		t.Error("expected a trace of what was answered")
	}
	if _, found := r.Take("one"); found || len(r.answered) > 0 {
		t.Error("expected nothing to be kept when the handler has returned")
	}
	return taken
}

func ok(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }

// One recorder serves all requests. Each gets its own trace; go test -race sees what is shared.
func TestRequestsAtTheSameTime(t *testing.T) {
	var r Recorder
	observed := r.Observe(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		id := request.Header.Get("X-Seat")
		Invoked(request.Context(), Invocation{Function: id})
		w.Header()["x-amzn-RequestId"] = []string{id}
		w.WriteHeader(http.StatusOK)
		if got, found := r.Take(id); !found || len(got.Invocations) != 1 || got.Invocations[0].Function != id {
			t.Errorf("seat %s: expected its own trace, got %+v", id, got)
		}
	}))
	var clients sync.WaitGroup
	for seat := range 50 {
		clients.Go(func() {
			request := httptest.NewRequest(http.MethodGet, "/test/seats", nil)
			request.Header.Set("X-Seat", strconv.Itoa(seat))
			observed.ServeHTTP(httptest.NewRecorder(), request)
		})
	}
	clients.Wait()
	if len(r.answered) > 0 {
		t.Errorf("expected nothing to be kept, got %d traces", len(r.answered))
	}
}

func TestTraceHasWhatWasSaid(t *testing.T) {
	request := httptest.NewRequest(http.MethodPost, "/test/seats?row=4", strings.NewReader("a seat"))
	request.Header.Set("X-Row", "4")
	got := record(t, request, func(w http.ResponseWriter, r *http.Request) {
		Invoked(r.Context(), Invocation{Function: "first", Took: time.Millisecond, Log: []string{"a line"}})
		Invoked(r.Context(), Invocation{Function: "second", Cold: true})
		w.Header().Set("X-Seat", "4b")
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, "tak")
		io.WriteString(w, "en")
	})
	if r := got.Request; r.Method != "POST" || r.Target != "/test/seats?row=4" || string(r.Body) != "a seat" || r.Cut || r.Header.Get("X-Row") != "4" {
		t.Errorf("expected the request, got %+v", r)
	}
	if r := got.Response; string(r.Body) != "taken" || r.Cut || r.Header.Get("X-Seat") != "4b" {
		t.Errorf("expected the answer, got %+v", r)
	}
	if i := got.Invocations; len(i) != 2 || i[0].Function != "first" || i[0].Log[0] != "a line" || i[1].Function != "second" || !i[1].Cold {
		t.Errorf("expected the invocations in order, got %+v", i)
	}
}

func TestTraceIsBounded(t *testing.T) {
	lines := []string{"lost", strings.Repeat("y", maxLog-5), "last."}
	got := record(t, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(strings.Repeat("x", 3*maxBody))), func(w http.ResponseWriter, r *http.Request) {
		Invoked(r.Context(), Invocation{Log: lines})
		w.WriteHeader(http.StatusOK)
		for range 100 {
			io.WriteString(w, strings.Repeat("z", 1000))
		}
	})
	if len(got.Request.Body) != maxBody || !got.Request.Cut || len(got.Response.Body) != maxBody || !got.Response.Cut {
		t.Errorf("expected the first %d bytes, got %d and %d", maxBody, len(got.Request.Body), len(got.Response.Body))
	}
	if log := got.Invocations[0].Log; !slices.Equal(log, lines[1:]) {
		t.Errorf("expected the newest lines, got %d of them", len(log))
	}
}

func TestTraceKeepsNoSecret(t *testing.T) {
	local, foreign := token(`{"iss":"http://127.0.0.1:8081/","sub":"fred"}`), token(`{"iss":"https://t.eu.auth0.com/","sub":"fred"}`)
	for name, row := range map[string]struct {
		header, value string
		kept          bool
		claims        string
	}{
		"a token of a local issuer":           {"Authorization", "Bearer " + local, true, `{"iss":"http://127.0.0.1:8081/","sub":"fred"}`},
		"a token of another issuer":           {"Authorization", "Bearer " + foreign, false, `{"iss":"https://t.eu.auth0.com/","sub":"fred"}`},
		"two tokens":                          {"Authorization", "Bearer " + local + " " + foreign, false, ""},
		"a token in disguise":                 {"Authorization", "Bearer " + foreign + "." + local, false, ""},
		"an opaque token":                     {"Authorization", "Bearer 0123456789", false, ""},
		"a name and a password":               {"Authorization", "Basic ZnJlZDpzZWNyZXQ=", false, ""},
		"a cookie":                            {"Cookie", "session=1", false, ""},
		"an API key":                          {"X-Api-Key", "0123456789", false, ""},
		"a token in a header of another name": {"X-Token", foreign, false, ""},
		"a local one there":                   {"X-Token", local, true, ""},
		"anything else":                       {"X-Row", "4", true, ""},
	} {
		request := httptest.NewRequest(http.MethodGet, "/", nil)
		request.Header.Set(row.header, row.value)
		got := record(t, request, ok)
		if kept := got.Request.Header.Get(row.header) == row.value; kept != row.kept || slices.Contains(got.Request.Withheld, row.header) == row.kept {
			t.Errorf("%s: kept %t, withheld %q", name, kept, got.Request.Withheld)
		}
		if string(got.Claims) != row.claims {
			t.Errorf("%s: expected the claims %s, got %s", name, row.claims, got.Claims)
		}
	}
	for name, row := range map[string][2]string{
		"a local token in the query stays, to send it again": {"/seats?t=" + local, "/seats?t=" + local},
		"a foreign one does not":                             {"/seats?t=" + foreign + "&row=4", "/seats?t=[token]&row=4"},
		"nor in the path":                                    {"/seats/" + foreign, "/seats/[token]"},
	} {
		if got := record(t, httptest.NewRequest(http.MethodGet, row[0], nil), ok); got.Request.Target != row[1] {
			t.Errorf("%s: expected the target %s, got %s", name, row[1], got.Request.Target)
		}
	}
}

func TestInvocationOfNoRequestIsNotRecorded(t *testing.T) {
	Invoked(t.Context(), Invocation{Function: "tried out"}) // and does not panic
	if _, found := new(Recorder).Take("one"); found {
		t.Error("expected nothing")
	}
}
