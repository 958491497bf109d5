package issuer

import (
	"net"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"

	"account-api/internal/loopback"
)

// jwksCaching is the Cache-Control of Auth0's key sets, in seconds. A verifier that heeds
// it fetches new keys within 30 seconds, and survives a day without its provider (RFC
// 5861).
const jwksCaching = "public, max-age=15, stale-while-revalidate=15, stale-if-error=86400"

// discovery is the provider's metadata. There is no authorization endpoint, so it has no
// member for one.
// https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata
type discovery struct {
	Issuer              string   `json:"issuer"`
	TokenEndpoint       string   `json:"token_endpoint"`
	KeySet              string   `json:"jwks_uri"`
	Scopes              []string `json:"scopes_supported"`
	ResponseTypes       []string `json:"response_types_supported"`
	GrantTypes          []string `json:"grant_types_supported"`
	SubjectTypes        []string `json:"subject_types_supported"`
	SigningAlgorithms   []string `json:"id_token_signing_alg_values_supported"`
	ClientAuthenticates []string `json:"token_endpoint_auth_methods_supported"`
}

// keySet is a JSON Web Key Set: RFC 7517 section 5.
type keySet struct {
	Keys []jsonWebKey `json:"keys"`
}

// rotation is the answer to a rotation.
type rotation struct {
	Current  []string `json:"current"` // key IDs that new tokens have, one of each algorithm
	Next     []string `json:"next"`
	Previous []string `json:"previous"` // key IDs whose tokens stay valid
}

// ServeHTTP serves the issuer at its URL:
//
//	GET  /.well-known/openid-configuration
//	GET  /.well-known/jwks.json
//	POST /oauth/token
//	POST /token                            as /oauth/token for a shell; not of Auth0
//	POST /rotate                           as Rotate; not of Auth0
//
// Any page in a browser on this machine may call what is of Auth0, and nothing else.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != rotatePath && r.URL.Path != tokenPath {
		w.Header().Set("Access-Control-Allow-Origin", "*")
	} else if err := refuseStranger(r); err != nil {
		answer(w, err.status, err.body)
		return
	}
	i.routes.ServeHTTP(w, r)
}

const (
	rotatePath = "/rotate"
	tokenPath  = "/token"
)

// refuseStranger refuses a page of another site, whatever it resolves its host name to (DNS
// rebinding). A page cannot choose the headers Host and Origin, and a browser sends Origin
// with every POST: https://fetch.spec.whatwg.org/#append-a-request-origin-header
func refuseStranger(r *http.Request) *refusal {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = strings.Trim(r.Host, "[]")
	}
	if !loopback.Is(host) {
		return &refusal{http.StatusMisdirectedRequest, oauthError{"invalid_request", "Expected a Host of this machine"}, "another Host"}
	}
	if origins := r.Header.Values("Origin"); len(origins) > 0 {
		return &refusal{http.StatusForbidden, oauthError{"access_denied", "This is for a command, not for a web page"}, "an Origin"}
	}
	return nil
}

func (i *Issuer) newRoutes() *http.ServeMux {
	routes := http.NewServeMux()
	for path, route := range map[string]struct {
		method  string
		handler http.HandlerFunc
	}{
		"/.well-known/openid-configuration": {http.MethodGet, i.serveDiscovery},
		"/.well-known/jwks.json":            {http.MethodGet, i.serveKeys},
		"/oauth/token":                      {http.MethodPost, i.serveToken},
		tokenPath:                           {http.MethodPost, i.serveBareToken},
		rotatePath:                          {http.MethodPost, i.serveRotation},
	} {
		allowed := strings.Replace(route.method, "GET", "GET, HEAD", 1) + ", OPTIONS"
		routes.HandleFunc(route.method+" "+path, route.handler) // HEAD goes with GET
		routes.HandleFunc("OPTIONS "+path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", allowed)
			w.Header().Set("Access-Control-Allow-Methods", allowed)
			w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
			w.WriteHeader(http.StatusNoContent)
		})
		routes.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", allowed)
			answer(w, http.StatusMethodNotAllowed, oauthError{"method_not_allowed", "Allowed here: " + allowed})
		})
	}
	routes.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusNotFound, oauthError{"not_found", "See " + i.options.URL + ".well-known/openid-configuration"})
	})
	return routes
}

func (i *Issuer) serveDiscovery(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", jwksCaching)
	answer(w, http.StatusOK, discovery{
		Issuer:              i.options.URL,
		TokenEndpoint:       i.options.URL + "oauth/token",
		KeySet:              i.options.URL + ".well-known/jwks.json",
		Scopes:              *i.scopes.Load(),
		ResponseTypes:       []string{},
		GrantTypes:          []string{clientCredentials},
		SubjectTypes:        []string{"public"},
		SigningAlgorithms:   i.options.Algorithms,
		ClientAuthenticates: []string{"client_secret_basic", "client_secret_post"},
	})
}

func (i *Issuer) serveKeys(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", jwksCaching)
	answer(w, http.StatusOK, keySet{i.keys.Load().published()})
}

func (i *Issuer) serveRotation(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if _, err := i.Rotate(); err != nil {
		i.fail(w, err)
		return
	}
	ring := i.keys.Load()
	answer(w, http.StatusOK, rotation{keyIDs(ring.current), keyIDs(ring.next), keyIDs(ring.previous...)})
}

// fail answers with our own defect, whose detail is for the log.
func (i *Issuer) fail(w http.ResponseWriter, err error) {
	i.options.Log.Error("could not answer", "error", err)
	answer(w, http.StatusInternalServerError, oauthError{"server_error", "See the issuer's log"})
}

// answer writes a status and a JSON body. An error in writing is the client's to see.
func answer(w http.ResponseWriter, status int, body any) {
	content, err := json.Marshal(body)
	if err != nil {
		status, content = http.StatusInternalServerError, []byte(`{"error":"server_error"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	w.Write(content)
}
