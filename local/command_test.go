package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strings"
	"testing"

	"account-api/local/console"
	"account-api/local/example"
	"account-api/local/gateway"
	"account-api/local/issuer"
)

func TestCommands(t *testing.T) {
	i, err := issuer.New(issuer.Options{URL: "http://127.0.0.1:8081/", Audience: "https://seats.test/", Scopes: []string{"read:seats", "book:seats"}})
	if err != nil {
		t.Fatal(err)
	}
	const url = "http://127.0.0.1:8080/test/seats"
	guarded := console.Endpoint{Method: "GET", URL: url, Header: "Authorization", Policy: "policies/seats"}
	known := guarded
	known.Allowed, known.Denied = &example.Caller{Scope: "read:seats", Permissions: "see:rows"}, &example.Caller{}
	unknown := guarded
	unknown.Problem = "The reason."
	plain := console.Endpoint{Method: "POST", URL: url, Header: "Authorization"}
	for name, row := range map[string]struct {
		endpoint console.Endpoint
		issuer   *issuer.Issuer
		want     []string
		never    string
	}{
		"with example callers": {known, i, []string{
			"No token, 401:\n\n  curl " + url + "\n",
			"A token without scopes and permissions, which policies/seats denies, 403:\n\n" +
				"  DENIED=$(curl -s http://127.0.0.1:8081/token -d scope=)\n  curl -H \"Authorization: Bearer $DENIED\" " + url + "\n",
			"A token with the scope read:seats and the permission see:rows, which policies/seats allows:\n\n" +
				"  ALLOWED=$(curl -s http://127.0.0.1:8081/token -d permissions=see:rows -d scope=read:seats)\n  curl -H \"Authorization: Bearer $ALLOWED\" " + url + "\n",
		}, "every scope"},
		"if no allowed caller is known": {unknown, i, []string{
			"The reason.\n",
			"A token with every scope (read:seats, book:seats):\n\n" +
				"  TOKEN=$(curl -s http://127.0.0.1:8081/token --data-urlencode 'scope=read:seats book:seats')\n  curl -H \"Authorization: Bearer $TOKEN\" " + url + "\n",
		}, "denies"},
		"without a policy": {plain, i, []string{
			"No token, 401:\n\n  curl -X POST " + url + "\n",
			"  curl -X POST -H \"Authorization: Bearer $TOKEN\" " + url + "\n",
		}, "policies"},
		"with the stack's own issuer": {known, nil, []string{
			"With a token of that issuer for https://seats.test/:\n\n  curl -H \"Authorization: Bearer $TOKEN\" " + url + "\n",
			"policies/seats allows a token with the scope read:seats and the permission see:rows.\n",
		}, "oauth"},
		"without an authorizer": {console.Endpoint{Method: "GET", URL: url}, nil, []string{
			"No token is needed:\n\n  curl " + url + "\n",
		}, "401"},
	} {
		t.Run(name, func(t *testing.T) {
			s := console.Stack{Endpoints: []console.Endpoint{row.endpoint}, Issuer: row.issuer,
				IssuerURL: "http://127.0.0.1:8081/", Audience: "https://seats.test/", Scopes: []string{"read:seats", "book:seats"}}
			var b strings.Builder
			writeCommands(&b, s)
			got := b.String()
			for _, want := range row.want {
				if !strings.Contains(got, want) {
					t.Errorf("expected %q, got:\n%s", want, got)
				}
			}
			if strings.Contains(got, row.never) {
				t.Errorf("expected nothing of %q, got:\n%s", row.never, got)
			}
		})
	}
}

func TestOnlyWhatIsNewIsShownAfterAReload(t *testing.T) {
	i, err := issuer.New(issuer.Options{URL: "http://127.0.0.1:8081/", Audience: "https://seats.test/"})
	if err != nil {
		t.Fatal(err)
	}
	const url = "http://127.0.0.1:8080/test/"
	at := func(name, scope string) console.Endpoint {
		return console.Endpoint{Method: "GET", URL: url + name, Header: "Authorization", Policy: "policies/" + name, Allowed: &example.Caller{Scope: scope}, Denied: &example.Caller{}}
	}
	allows := func(name, scope string) string {
		return "\nA token with the scope " + scope + ", which policies/" + name + " allows:\n\n  ALLOWED=$(curl -s http://127.0.0.1:8081/token -d scope=" + scope + ")\n" +
			"  curl -H \"Authorization: Bearer $ALLOWED\" " + url + name + "\n"
	}
	rows, seats, open := at("rows", "read"), at("seats", "read"), console.Endpoint{Method: "POST", URL: url + "open"}
	for name, row := range map[string]struct {
		before, after []console.Endpoint
		want          string
	}{
		"the same endpoints":           {[]console.Endpoint{rows, seats}, []console.Endpoint{rows, seats}, ""},
		"an endpoint less":             {[]console.Endpoint{rows, seats}, []console.Endpoint{seats}, ""},
		"another caller who is let in": {[]console.Endpoint{rows, seats}, []console.Endpoint{rows, at("seats", "book")}, "New commands for GET " + url + "seats:\n" + allows("seats", "book")},
		"an endpoint without a token":  {[]console.Endpoint{rows}, []console.Endpoint{open, rows}, "New endpoint: POST " + url + "open\n\nNo token is needed:\n\n  curl -X POST " + url + "open\n"},
		"an endpoint with a policy": {[]console.Endpoint{rows}, []console.Endpoint{rows, seats}, "New endpoint: GET " + url + "seats\n\nNo token, 401:\n\n  curl " + url + "seats\n" +
			"\nA token without scopes and permissions, which policies/seats denies, 403:\n\n  DENIED=$(curl -s http://127.0.0.1:8081/token -d scope=)\n" +
			"  curl -H \"Authorization: Bearer $DENIED\" " + url + "seats\n" + allows("seats", "read")},
	} {
		t.Run(name, func(t *testing.T) {
			stack := func(endpoints []console.Endpoint) console.Stack {
				return console.Stack{Endpoints: endpoints, Issuer: i, IssuerURL: "http://127.0.0.1:8081/"}
			}
			var b strings.Builder
			if writeChanges(&b, stack(row.before), stack(row.after)); b.String() != row.want {
				t.Errorf("expected\n%s\ngot\n%s", row.want, b.String())
			}
		})
	}
}

// The form of a token request survives the shell and curl.
func TestTokenCommandsSurviveTheShell(t *testing.T) {
	for name, caller := range map[string]example.Caller{
		"several scopes": {Scope: "a:b c/d"},
		"signs":          {Principal: "auth0|1+2&3=4%5", AuthorizedParty: "@file"},
		"claims":         {Scope: "x", Claims: example.Claims{"https://seats.test/roles": []any{"it's", "$HOME"}}},
	} {
		t.Run(name, func(t *testing.T) {
			var got url.Values
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				r.ParseForm()
				got = r.PostForm
			}))
			defer server.Close()
			if output, err := exec.Command("sh", "-c", tokenCommand(server.URL+"/", caller.Form())).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, output)
			}
			if want := caller.Form(); got.Encode() != want.Encode() {
				t.Errorf("expected %v, got %v", want, got)
			}
		})
	}
}

func TestColourIsForTerminals(t *testing.T) {
	if newReport(&strings.Builder{}, io.Discard, false).coloured {
		t.Error("expected no colour in what is no terminal")
	}
	for variable, wanted := range map[string]bool{"": true, "NO_COLOR=1": false, "NO_COLOR=": true, "TERM=dumb": false, "TERM=xterm": true} {
		name, value, _ := strings.Cut(variable, "=")
		got := wantsColour(func(asked string) string {
			if asked == name {
				return value
			}
			return ""
		})
		if got != wanted {
			t.Errorf("%q: expected colour %t, got %t", variable, wanted, got)
		}
	}
	for coloured, want := range map[bool]string{false: " GET /test/seats 403 by gateway (0s)\n", true: " \x1b[33mGET /test/seats 403 by gateway\x1b[0m (0s)\n"} {
		var out strings.Builder
		r := &report{out: &out, coloured: coloured}
		r.exchange(gateway.Exchange{Method: "GET", Path: "/test/seats", Status: 403, AnsweredBy: "gateway"})
		if !strings.HasSuffix(out.String(), want) {
			t.Errorf("expected %q at the end, got %q", want, out.String())
		}
	}
}

func TestQuoted(t *testing.T) {
	for text, want := range map[string]string{
		"":                  "''",
		"read:seats":        "read:seats",
		"a b":               "'a b'",
		"$HOME":             "'$HOME'",
		"it's":              `'it'\''s'`,
		"http://h/?a=1&b=2": "'http://h/?a=1&b=2'",
	} {
		if got := quoted(text); got != want {
			t.Errorf("expected %s, got %s", want, got)
		}
	}
}
