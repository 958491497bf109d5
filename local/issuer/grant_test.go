package issuer

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

const (
	asJSON = "application/json"
	asForm = "application/x-www-form-urlencoded"
)

// whole is a request that is granted, as JSON.
const whole = `{"grant_type":"client_credentials","client_id":"local-client","client_secret":"local-secret","audience":"` + audience + `"}`

// with returns whole with a member set, or removed if the value is "".
func with(member, value string) string {
	var request map[string]string
	if err := json.Unmarshal([]byte(whole), &request); err != nil {
		panic(err)
	}
	request[member] = value
	if value == "" {
		delete(request, member)
	}
	body, err := json.Marshal(request)
	if err != nil {
		panic(err)
	}
	return string(body)
}

func TestTokenIsGranted(t *testing.T) {
	_, server, log := start(t)
	form := url.Values{"grant_type": {"client_credentials"}, "audience": {audience}}
	withSecret := url.Values{"client_id": {"local-client"}, "client_secret": {"local-secret"}, "scope": {"read:tickets"}}
	for name, value := range form {
		withSecret[name] = value
	}
	basic := []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("local%2Dclient:local-secret"))}
	all := "read:tickets close:tickets"
	for name, row := range map[string]struct {
		contentType, body string
		header            []string
		scope             string
	}{
		"as JSON":                       {asJSON, whole, nil, all},
		"as JSON with a charset":        {"application/json; charset=utf-8", whole, nil, all},
		"as a form":                     {asForm, withSecret.Encode(), nil, "read:tickets"},
		"as a form with HTTP Basic":     {asForm, form.Encode(), basic, all},
		"with a scope of no policy":     {asJSON, with("scope", "delete:tickets"), nil, "delete:tickets"},
		"with one scope":                {asJSON, with("scope", "close:tickets"), nil, "close:tickets"},
		"with scopes in another order":  {asJSON, with("scope", "close:tickets read:tickets"), nil, "close:tickets read:tickets"},
		"with a scope twice":            {asJSON, with("scope", "read:tickets read:tickets"), nil, "read:tickets"},
		"with members of other grants":  {asJSON, with("organization", "org_1"), nil, all},
		"with parameters in the URL":    {asJSON, whole, nil, all},
		"with a scope that is null":     {asJSON, strings.Replace(whole, "{", `{"scope":null,`, 1), nil, all},
		"with spaces around its scopes": {asJSON, with("scope", " read:tickets "), nil, "read:tickets"},
	} {
		t.Run(name, func(t *testing.T) {
			response, body := do(t, "POST", server.URL+"/oauth/token?scope=none&audience=none", row.contentType, row.body, row.header...)
			if response.StatusCode != http.StatusOK {
				t.Fatalf("expected 200, got %s: %s", response.Status, body)
			}
			var granted map[string]any
			if err := json.Unmarshal([]byte(body), &granted); err != nil {
				t.Fatal(err)
			}
			token, _ := granted["access_token"].(string)
			if granted["scope"] != row.scope || granted["expires_in"] != 86400.0 || granted["token_type"] != "Bearer" || len(granted) != 4 {
				t.Errorf("expected scope %q for 86400 seconds as Bearer, got %v, %v, %v", row.scope, granted["scope"], granted["expires_in"], granted["token_type"])
			}
			if response.Header.Get("Cache-Control") != "no-store" || response.Header.Get("Content-Type") != "application/json" {
				t.Errorf("expected uncached JSON, got %v", response.Header)
			}
			if _, claims := verify(t, server, token); claims["scope"] != row.scope {
				t.Errorf("expected scope %q in the token, got %v", row.scope, claims["scope"])
			}
			for _, secret := range append(strings.Split(token, "."), "local-secret") {
				if strings.Contains(log.String(), secret) {
					t.Error("expected neither token nor secret in the log")
				}
			}
		})
	}
}

// A shell takes the answer as it is.
func TestTheTokenAlone(t *testing.T) {
	_, server, _ := start(t)
	for body, scope := range map[string]any{"scope=read:tickets": "read:tickets", "scope=": nil, "sub=mara": "read:tickets close:tickets"} {
		response, token := do(t, "POST", server.URL+"/token", asForm, body)
		if response.StatusCode != http.StatusOK || response.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%s: expected an uncached 200, got %s %v", body, response.Status, response.Header)
		}
		_, claims := verify(t, server, strings.TrimSuffix(token, "\n"))
		if claims["scope"] != scope || claims["aud"] != audience {
			t.Errorf("%s: expected scope %v for %s, got %v", body, scope, audience, claims)
		}
	}
	if response, body := do(t, "POST", server.URL+"/token", asForm, "audience=other"); response.StatusCode != http.StatusForbidden || !strings.Contains(body, "access_denied") {
		t.Errorf("expected another audience refused, got %s %s", response.Status, body)
	}
}

func TestCallersThatARequestDescribes(t *testing.T) {
	_, server, log := start(t)
	client := url.Values{"grant_type": {"client_credentials"}, "audience": {audience}, "client_id": {"local-client"}, "client_secret": {"local-secret"}}
	asked := func(pairs ...string) string {
		form := url.Values{}
		for name, values := range client {
			form[name] = values
		}
		for n := 0; n < len(pairs); n += 2 {
			form.Add(pairs[n], pairs[n+1])
		}
		return form.Encode()
	}
	member := func(text string) string { return strings.Replace(whole, "{", "{"+text+",", 1) }
	for name, row := range map[string]struct {
		contentType, body string
		claim, want       string // the claim as JSON, "" if absent
	}{
		"an empty scope in JSON is none":      {asJSON, member(`"scope":""`), "scope", ""},
		"an empty scope in a form is none":    {asForm, asked("scope", ""), "scope", ""},
		"another subject":                     {asJSON, member(`"sub":"auth0|jo"`), "sub", `"auth0|jo"`},
		"another subject, in a form":          {asForm, asked("sub", "auth0|jo"), "sub", `"auth0|jo"`},
		"no subject is the client":            {asForm, asked(), "sub", `"local-client@clients"`},
		"another client":                      {asJSON, member(`"azp":"spa"`), "azp", `"spa"`},
		"another client, in a form":           {asForm, asked("azp", "spa"), "azp", `"spa"`},
		"permissions as an array":             {asJSON, member(`"permissions":["a","b"]`), "permissions", `["a","b"]`},
		"permissions as text":                 {asJSON, member(`"permissions":"a b"`), "permissions", `["a","b"]`},
		"permissions with spaces, in a form":  {asForm, asked("permissions", "a b"), "permissions", `["a","b"]`},
		"permissions repeated, in a form":     {asForm, asked("permissions", "a", "permissions", "b"), "permissions", `["a","b"]`},
		"no permissions":                      {asJSON, member(`"permissions":null`), "permissions", ""},
		"a claim of one's own":                {asJSON, member(`"claims":{"tier":{"name":"gold"}}`), "tier", `{"name":"gold"}`},
		"a claim of one's own, in a form":     {asForm, asked("claims", `{"https://tickets.test/tier":1}`), "https://tickets.test/tier", "1"},
		"an empty parameter is no parameter":  {asForm, asked("sub", "", "claims", ""), "sub", `"local-client@clients"`},
		"a number larger than a float can be": {asJSON, member(`"claims":{"n":9007199254740993}`), "n", "9007199254740993"},
	} {
		t.Run(name, func(t *testing.T) {
			response, body := do(t, "POST", server.URL+"/oauth/token", row.contentType, row.body)
			var granted struct {
				Token string `json:"access_token"`
			}
			if err := json.Unmarshal([]byte(body), &granted); err != nil || granted.Token == "" {
				t.Fatalf("expected a token, got %s", response.Status)
			}
			verify(t, server, granted.Token)
			var claims map[string]json.RawMessage
			if err := json.Unmarshal(decoded(t, strings.Split(granted.Token, ".")[1]), &claims); err != nil {
				t.Fatal(err)
			}
			if got := string(claims[row.claim]); got != row.want {
				t.Errorf("expected %s %s, got %s", row.claim, row.want, got)
			}
		})
	}
	for _, sent := range []string{"auth0|jo", "spa", "tickets.test", "gold"} {
		if strings.Contains(log.String(), sent) {
			t.Errorf("expected nothing that a client sent in the log, got %q", sent)
		}
	}
}

func TestTokenIsRefused(t *testing.T) {
	_, server, log := start(t, func(o *Options) { o.Restrict = true })
	const (
		unauthorized = `{"error":"access_denied","error_description":"Unauthorized"}`
		notJSON      = `{"error":"invalid_request","error_description":"Expected one JSON object with members of the right types"}`
		twoWays      = `{"error":"invalid_request","error_description":"Expected client_id and client_secret, or HTTP Basic, but not both"}`
		badType      = `{"error":"invalid_request","error_description":"Expected Content-Type application/json or application/x-www-form-urlencoded"}`
	)
	basic := func(credentials string) []string {
		return []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(credentials))}
	}
	noClient := strings.Replace(whole, `"client_id":"local-client","client_secret":"local-secret",`, "", 1)
	for name, row := range map[string]struct {
		contentType, body string
		header            []string
		status            int
		want              string
	}{
		"with a wrong secret":                      {asJSON, with("client_secret", "local-secre"), nil, 401, unauthorized},
		"with no secret":                           {asJSON, with("client_secret", ""), nil, 401, unauthorized},
		"with a wrong client":                      {asJSON, with("client_id", "local-client2"), nil, 401, unauthorized},
		"with no client":                           {asJSON, with("client_id", ""), nil, 401, unauthorized},
		"with a wrong HTTP Basic":                  {asJSON, noClient, basic("local-client:wrong"), 401, unauthorized},
		"with HTTP Basic and a client in the body": {asJSON, whole, basic("local-client:local-secret"), 400, twoWays},
		"with a bearer token":                      {asJSON, noClient, []string{"Authorization", "Bearer x"}, 400, twoWays},
		"with HTTP Basic that is not form-encoded": {asJSON, noClient, basic("local-client:%zz"), 400,
			`{"error":"invalid_request","error_description":"Expected form-encoded HTTP Basic credentials"}`},
		"for an unknown audience": {asJSON, with("audience", "https://other.example.com"), nil, 403,
			`{"error":"access_denied","error_description":"Service not enabled within domain: https://other.example.com"}`},
		"for an audience with another end": {asJSON, with("audience", audience+"/"), nil, 403,
			`{"error":"access_denied","error_description":"Service not enabled within domain: ` + audience + `/"}`},
		"for no audience": {asJSON, with("audience", ""), nil, 403,
			`{"error":"access_denied","error_description":"Non-global clients are not allowed access to APIv1"}`},
		"with scopes that the API does not have": {asJSON, with("scope", "read:tickets delete:tickets x"), nil, 403,
			`{"error":"access_denied","error_description":"Client has not been granted scopes: delete:tickets, x"}`},
		"with no grant type": {asJSON, with("grant_type", ""), nil, 400,
			`{"error":"invalid_request","error_description":"Missing required parameter: grant_type"}`},
		"with a grant type of users": {asJSON, with("grant_type", "password"), nil, 400,
			`{"error":"unsupported_grant_type","error_description":"Unsupported grant type: password"}`},
		"with an unknown grant type": {asJSON, with("grant_type", "charm"), nil, 400,
			`{"error":"unsupported_grant_type","error_description":"Unsupported grant type: charm"}`},
		"with a malformed scope": {asJSON, with("scope", `a"b`), nil, 400,
			`{"error":"invalid_scope","error_description":"Expected scopes without quotes and backslashes"}`},
		"with a claim of the issuer's": {asJSON, strings.Replace(whole, "{", `{"claims":{"exp":1},`, 1), nil, 400,
			`{"error":"invalid_request","error_description":"Expected claims without those that the issuer sets: ` +
				`iss, sub, aud, iat, exp, scope, gty, azp, permissions, nbf, jti"}`},
		"with claims that are no object":      {asForm, "claims=1", nil, 400, `{"error":"invalid_request","error_description":"Expected claims as one JSON object"}`},
		"with a subject twice":                {asForm, "sub=a&sub=b", nil, 400, `{"error":"invalid_request","error_description":"Expected every parameter once"}`},
		"with permissions of another type":    {asJSON, strings.Replace(whole, "{", `{"permissions":[1],`, 1), nil, 400, notJSON},
		"with permissions that are not UTF-8": {asForm, "permissions=%ff", nil, 400, `{"error":"invalid_request","error_description":"Expected UTF-8"}`},
		"with half a body":                    {asJSON, whole[:len(whole)-1], nil, 400, notJSON},
		"with two bodies":                     {asJSON, whole + whole, nil, 400, notJSON},
		"with no body":                        {asJSON, "", nil, 400, notJSON},
		"with a member twice":                 {asJSON, strings.Replace(whole, "{", `{"audience":"x",`, 1), nil, 400, notJSON},
		"with a number":                       {asJSON, strings.Replace(whole, `"local-client"`, "1", 1), nil, 400, notJSON},
		"with a list of scopes":               {asJSON, strings.Replace(whole, "{", `{"scope":["read:tickets"],`, 1), nil, 400, notJSON},
		"with a list as the body":             {asJSON, "[" + whole + "]", nil, 400, notJSON},
		"with JSON that is not UTF-8":         {asJSON, with("audience", "x")[:20] + "\xff\"}", nil, 400, notJSON},
		"with another type of body":           {"text/plain", whole, nil, 400, badType},
		"with no type of body":                {"", whole, nil, 400, badType},
		"with a broken form":                  {asForm, "grant_type=%zz", nil, 400, `{"error":"invalid_request","error_description":"Expected a form"}`},
		"with a parameter twice":              {asForm, "scope=a&scope=b", nil, 400, `{"error":"invalid_request","error_description":"Expected every parameter once"}`},
		"with a form that is not UTF-8":       {asForm, "audience=%ff", nil, 400, `{"error":"invalid_request","error_description":"Expected UTF-8"}`},
		"with JSON in the name of forms":      {asForm, whole, nil, 400, `{"error":"invalid_request","error_description":"Missing required parameter: grant_type"}`},
		"with a body that is too large": {asJSON, with("scope", strings.Repeat("x", maxRequestBytes)), nil, 413,
			`{"error":"invalid_request","error_description":"Expected at most 16384 bytes"}`},
	} {
		t.Run(name, func(t *testing.T) {
			response, body := do(t, "POST", server.URL+"/oauth/token", row.contentType, row.body, row.header...)
			if response.StatusCode != row.status || body != row.want {
				t.Errorf("expected %d %s, got %s %s", row.status, row.want, response.Status, body)
			}
			if response.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("expected Cache-Control no-store, got %q", response.Header.Get("Cache-Control"))
			}
		})
	}
	if !strings.Contains(log.String(), `cause="an unknown audience"`) {
		t.Errorf("expected causes in the log, got %q", log)
	}
	for _, sent := range []string{"other.example.com", "delete:tickets", "charm", "local-secre", "local-client"} {
		if strings.Contains(log.String(), sent) {
			t.Errorf("expected nothing that a client sent in the log, got %q", sent)
		}
	}
}

func TestRoutesAnswerWhatIsNotThere(t *testing.T) {
	_, server, _ := start(t)
	for name, row := range map[string]struct {
		method, path string
		status       int
		allow, code  string
	}{
		"a token is not fetched":          {"GET", "/oauth/token", 405, "POST, OPTIONS", "method_not_allowed"},
		"a rotation is not fetched":       {"GET", "/rotate", 405, "POST, OPTIONS", "method_not_allowed"},
		"keys are not posted":             {"POST", "/.well-known/jwks.json", 405, "GET, HEAD, OPTIONS", "method_not_allowed"},
		"there is nothing else":           {"GET", "/authorize", 404, "", "not_found"},
		"there is nothing at the root":    {"GET", "/", 404, "", "not_found"},
		"a browser may ask for a token":   {"OPTIONS", "/oauth/token", 204, "POST, OPTIONS", ""},
		"a browser may ask for the keys":  {"OPTIONS", "/.well-known/jwks.json", 204, "GET, HEAD, OPTIONS", ""},
		"a browser may ask for discovery": {"OPTIONS", "/.well-known/openid-configuration", 204, "GET, HEAD, OPTIONS", ""},
	} {
		t.Run(name, func(t *testing.T) {
			response, body := do(t, row.method, server.URL+row.path, "", "")
			if response.StatusCode != row.status || response.Header.Get("Allow") != row.allow {
				t.Errorf("expected %d and Allow %q, got %s and %q", row.status, row.allow, response.Status, response.Header.Get("Allow"))
			}
			if row.code != "" && !strings.HasPrefix(body, `{"error":"`+row.code+`",`) {
				t.Errorf("expected error %q, got %s", row.code, body)
			}
			want := "*"
			if row.path == "/rotate" {
				want = ""
			}
			if got := response.Header.Get("Access-Control-Allow-Origin"); got != want {
				t.Errorf("expected the allowed origin %q, got %q", want, got)
			}
			if row.status == 204 && (response.Header.Get("Access-Control-Allow-Methods") != row.allow ||
				response.Header.Get("Access-Control-Allow-Headers") != "Authorization, Content-Type") {
				t.Errorf("expected a preflight's answer, got %v", response.Header)
			}
		})
	}
	if response, body := do(t, "HEAD", server.URL+"/.well-known/jwks.json", "", ""); response.StatusCode != 200 || body != "" {
		t.Errorf("expected the keys' header alone, got %s %q", response.Status, body)
	}
}

func FuzzTokenRequest(f *testing.F) {
	i, err := New(Options{URL: "http://localhost/", Audience: audience, Scopes: []string{"read:tickets"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(asJSON, whole, "")
	f.Add(asJSON, with("scope", "read:tickets"), "")
	f.Add(asForm, "grant_type=client_credentials&client_id=local-client&client_secret=local-secret&audience="+audience, "")
	f.Add(asForm, "grant_type=client_credentials&audience=%ff", "Basic bG9jYWwtY2xpZW50OmxvY2FsLXNlY3JldA==")
	f.Add(asJSON, strings.Replace(whole, "{", `{"sub":"a","permissions":"b","azp":"c","claims":{"d":[]},`, 1), "")
	f.Add(asForm, "permissions=a&permissions=b&claims=%7B%22iss%22%3A1%7D", "Basic bG9jYWwtY2xpZW50OmxvY2FsLXNlY3JldA==")
	f.Add("application/json; charset", `{"grant_type":null}`, "Basic")
	f.Fuzz(func(t *testing.T, contentType, body, authorization string) {
		request := httptest.NewRequest("POST", "/oauth/token", strings.NewReader(body))
		request.Header.Set("Content-Type", contentType)
		if authorization != "" {
			request.Header.Set("Authorization", authorization)
		}
		recorder := httptest.NewRecorder()
		i.ServeHTTP(recorder, request)
		var answer struct {
			Token string `json:"access_token"`
			Error string `json:"error"`
		}
		if err := json.Unmarshal(recorder.Body.Bytes(), &answer); err != nil {
			t.Fatalf("expected JSON, got %q", recorder.Body)
		}
		knows := strings.Contains(body, "secret") || authorization != "" || strings.Contains(body, "%") || strings.Contains(body, `\u`)
		switch {
		case recorder.Code == http.StatusOK && answer.Token != "" && knows:
		case recorder.Code >= 400 && recorder.Code < 500 && answer.Token == "" && answer.Error != "":
		default:
			t.Fatalf("expected a token for a client that knows the secret, or a refusal, got %d %q", recorder.Code, answer.Error)
		}
	})
}

func BenchmarkToken(b *testing.B) {
	i, err := New(Options{URL: "http://localhost/", Audience: audience})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := i.Token(TokenRequest{}); err != nil {
			b.Fatal(err)
		}
	}
}
