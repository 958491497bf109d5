package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"account-api/local/gateway/declaration"
	"account-api/local/gateway/gatewaytest"
)

func routes() *stack {
	s := gatewaytest.New().PermitAll()
	s.Path("users", "root000000", "users")
	s.Path("me", "users", "me")
	s.Path("user", "users", "{id}")
	s.Path("posts", "user", "posts")
	s.Path("rest", "users", "{proxy+}")
	s.Path("any", "root000000", "any")
	s.Open("root000000", "GET")
	s.Open("me", "GET")
	s.Open("user", "GET")
	s.Open("posts", "GET")
	s.Open("rest", "POST")
	s.Open("rest", "GET")
	s.Open("any", "ANY")
	return s
}

func TestRoute(t *testing.T) {
	api, err := declaration.Read(&routes().Graph)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, verb, path string
		want             string // resource path; "" = none
		parameters       string
	}{
		{"a static path", "GET", "/books", "/books", "map[]"},
		{"a trailing slash does not count", "GET", "/books/", "/books", "map[]"},
		{"the root", "GET", "/", "/", "map[]"},
		{"a wrong verb", "POST", "/books", "", ""},
		{"an unknown path", "GET", "/nothing", "", ""},
		{"a path is case-sensitive", "GET", "/Books", "", ""},
		{"HEAD is not implied by GET", "HEAD", "/books", "", ""},
		{"an empty part in front", "GET", "//books", "", ""},
		{"dot segments are ordinary parts", "GET", "/x/../books", "", ""},
		{"an escaped letter is another path", "GET", "/book%73", "", ""},
		{"static wins over a parameter", "GET", "/users/me", "/users/me", "map[]"},
		{"a parameter", "GET", "/users/42", "/users/{id}", "map[id:42]"},
		{"a parameter keeps its escapes", "GET", "/users/a%2Fb%20c", "/users/{id}", "map[id:a%2Fb%20c]"},
		{"a resource that lacks the verb gives way to a greedy sibling", "POST", "/users/42", "/users/{proxy+}", "map[proxy:42]"},
		{"a path below a parameter", "GET", "/users/42/posts", "/users/{id}/posts", "map[id:42]"},
		{"a greedy parameter takes the rest", "GET", "/users/42/posts/7", "/users/{proxy+}", "map[proxy:42/posts/7]"},
		{"a greedy parameter takes not nothing", "GET", "/users", "", ""},
		{"ANY stands for every verb", "DELETE", "/any", "/any", "map[]"},
		{"ANY does not stand for what HTTP does not know", "BREW", "/any", "", ""},
		{"ANY is not a verb", "ANY", "/any", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, ok := route(api.Root, tt.verb, tt.path)
			got := ""
			if ok {
				got = m.resource.Path
			}
			if got != tt.want || ok && fmt.Sprint(m.parameters) != tt.parameters {
				t.Errorf("got %q %v, want %q %s", got, m.parameters, tt.want, tt.parameters)
			}
		})
	}
}

func TestRouting(t *testing.T) {
	for _, tt := range []struct {
		name, method, path string
		header             []string
		status             int
		body, errorType    string
	}{
		{"an unknown stage is forbidden", "GET", "/prod/books", nil, 403, `{"message":"Forbidden"}`, "ForbiddenException"},
		{"no stage is forbidden", "GET", "/", nil, 403, `{"message":"Forbidden"}`, "ForbiddenException"},
		{"an unknown path", "GET", "/live/nothing", nil, 403, `{"message":"Missing Authentication Token"}`, "MissingAuthenticationTokenException"},
		{"a wrong verb", "POST", "/live/books", nil, 403, `{"message":"Missing Authentication Token"}`, "MissingAuthenticationTokenException"},
		{"an unknown path with a token", "GET", "/live/nothing", []string{"Authorization", bearer}, 403, `{"message":"Missing Authentication Token"}`, "MissingAuthenticationTokenException"},
		{"HEAD on a GET-only path has no body", "HEAD", "/live/books", nil, 403, "", "MissingAuthenticationTokenException"},
		{"a header switches the method", "POST", "/live/books", []string{"X-Http-Method-Override", "GET"}, 401, unauthorised, "UnauthorizedException"},
		{"a header switches only to a known method", "GET", "/live/books", []string{"X-Http-Method-Override", "BREW"}, 401, unauthorised, "UnauthorizedException"},
		{"HEAD where ANY is declared has no body", "HEAD", "/live/any", nil, 200, "", ""},
		{"an open method needs no token", "DELETE", "/live/any", nil, 200, `{"title":"Añil"}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := serve(t, routes(), newFakes())
			got := srv.send(tt.method, tt.path, "", tt.header...)
			if got.status != tt.status || got.body != tt.body || got.header.Get("X-Amzn-Errortype") != tt.errorType {
				t.Errorf("got %d %s %q, want %d %s %q", got.status, got.body, got.header.Get("X-Amzn-Errortype"), tt.status, tt.body, tt.errorType)
			}
			if got.exchange.Status != tt.status || got.exchange.Reason == "" {
				t.Errorf("reported %+v", got.exchange)
			}
		})
	}
}

func TestEveryAnswerHasTheCommonHeaders(t *testing.T) {
	srv := serve(t, routes(), newFakes())
	for name, send := range map[string]func() reply{
		"a gateway response": func() reply { return srv.get() },
		"an integration":     func() reply { return srv.get("Authorization", bearer) },
		"a mock":             func() reply { return srv.send("OPTIONS", "/live/books", "") },
		"an unknown stage":   func() reply { return srv.send("GET", "/prod/x", "") },
	} {
		t.Run(name, func(t *testing.T) {
			got := send()
			for header, pattern := range map[string]string{
				"X-Amzn-Requestid": `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`,
				"X-Amz-Apigw-Id":   `^[-_0-9A-Za-z]{15}=$`,
				"Content-Type":     `^application/json$`,
				"Date":             `^Wed, 17 Jun 2026 14:52:41 GMT$`,
				"Connection":       `^keep-alive$`,
			} {
				if values := got.header[header]; len(values) != 1 || !regexp.MustCompile(pattern).MatchString(values[0]) {
					t.Errorf("%s: %q", header, values)
				}
			}
			if got.exchange.RequestID != got.header.Get("X-Amzn-Requestid") {
				t.Error("the report has another request ID than the answer")
			}
			trace := got.header.Get("X-Amzn-Trace-Id")
			if want := name == "a gateway response" || name == "an integration"; (trace != "") != want {
				t.Errorf("trace header %q", trace)
			}
		})
	}
}

// TestHeaderNamesOnTheWire reads the bytes: clients of the HTTP library see every
// name in canonical form.
func TestHeaderNamesOnTheWire(t *testing.T) {
	f := newFakes().books(says(`{"headers":{"x-lower-CASE":"1","content-type":"text/plain"},"body":"ok"}`))
	srv := serve(t, gatewaytest.New(), f)
	conn, err := net.Dial("tcp", strings.TrimPrefix(srv.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	reader := bufio.NewReader(conn)
	for range 2 { // the connection stays open for a second request
		fmt.Fprintf(conn, "GET /live/books HTTP/1.1\r\nHost: h\r\nauthorization: %s\r\n\r\n", bearer)
		var head strings.Builder
		for {
			line, err := reader.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if line == "\r\n" {
				break
			}
			head.WriteString(line)
		}
		if _, err := io.CopyN(io.Discard, reader, 2); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"x-amzn-RequestId: ", "x-amz-apigw-id: ", "x-lower-CASE: 1\r\n", "Content-Type: text/plain\r\n", "Content-Length: 2\r\n"} {
			if strings.Count(head.String(), want) != 1 {
				t.Errorf("%q is not there once in\n%s", want, head.String())
			}
		}
		if strings.Count(strings.ToLower(head.String()), "content-type:") != 1 {
			t.Errorf("more than one content type in\n%s", head.String())
		}
	}
}

func TestLimits(t *testing.T) {
	for _, tt := range []struct {
		name   string
		send   func(*served) reply
		status int
	}{
		{"a URL of 10,240 characters passes", func(s *served) reply {
			return s.send("GET", "/live/any?"+strings.Repeat("a", maxURL-len("/live/any?")), "")
		}, 200},
		{"a longer URL does not", func(s *served) reply {
			return s.send("GET", "/live/any?"+strings.Repeat("a", maxURL-len("/live/any?")+1), "")
		}, 414},
		{"header values of more than 10,240 bytes do not pass", func(s *served) reply {
			return s.send("GET", "/live/any", "", "X-A", strings.Repeat("a", maxHeaders/2), "X-B", strings.Repeat("b", maxHeaders/2+1))
		}, 413},
		{"a body of more than 10 MB does not pass", func(s *served) reply {
			return s.send("POST", "/live/any", strings.Repeat("a", maxBody+1))
		}, 413},
		{"a chunked body of more than 10 MB does not pass", func(s *served) reply {
			req, err := http.NewRequest("POST", s.url+"/live/any", io.MultiReader(strings.NewReader(strings.Repeat("a", maxBody+1))))
			if err != nil {
				s.t.Fatal(err)
			}
			return s.do(req)
		}, 413},
		{"a body that a function cannot take does not pass", func(s *served) reply {
			return s.send("POST", "/live/any", strings.Repeat("a", maxEvent))
		}, 413},
		{"a body of 5 MB passes", func(s *served) reply {
			return s.send("POST", "/live/any", strings.Repeat("a", 5<<20))
		}, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := serve(t, routes(), newFakes())
			if got := tt.send(srv); got.status != tt.status {
				t.Errorf("got %d %s, want %d", got.status, got.body, tt.status)
			}
		})
	}
}
