package issuer

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
)

// clientCredentials is the one grant type here: RFC 6749 section 4.4.
const clientCredentials = "client_credentials"

// otherGrants are grant types that Auth0 knows and that a machine's client may not use:
// https://auth0.com/docs/get-started/applications/application-grant-types
var otherGrants = []string{
	"authorization_code", "implicit", "password", "refresh_token",
	"urn:ietf:params:oauth:grant-type:device_code",
	"urn:ietf:params:oauth:grant-type:token-exchange",
	"http://auth0.com/oauth/grant-type/mfa-oob",
	"http://auth0.com/oauth/grant-type/mfa-otp",
	"http://auth0.com/oauth/grant-type/mfa-recovery-code",
	"http://auth0.com/oauth/grant-type/passwordless/otp",
	"http://auth0.com/oauth/grant-type/password-realm",
}

// maxRequestBytes bounds a token request. An honest one has some hundred bytes.
const maxRequestBytes = 16 << 10

// grantRequest is the body of a token request. Members that are not listed are left to
// other grants and ignored: RFC 6749 section 3.2.
type grantRequest struct {
	GrantType    string `json:"grant_type"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	Audience     string `json:"audience"`
	Scope        string `json:"scope"` // separated by single spaces; "" is all scopes
}

// grantResponse is a successful answer: RFC 6749 section 5.1.
type grantResponse struct {
	AccessToken string `json:"access_token"`
	Scope       string `json:"scope,omitempty"`
	ExpiresIn   int    `json:"expires_in"` // seconds
	TokenType   string `json:"token_type"`
}

// oauthError is the body of every other answer: RFC 6749 section 5.2.
type oauthError struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`
}

// refusal is a token request that is not granted.
type refusal struct {
	status int
	body   oauthError
	cause  string // for the log: a constant, because the description may quote the client
}

func (r *refusal) Error() string { return r.cause }

func (i *Issuer) serveToken(w http.ResponseWriter, r *http.Request) {
	// RFC 6749 section 5.1. Errors are not for caches either.
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
	scopes, err := i.grant(http.MaxBytesReader(w, r.Body, maxRequestBytes), r.Header)
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		i.options.Log.Info("refused a token", "status", refused.status, "error", refused.body.Code, "cause", refused.cause)
		answer(w, refused.status, refused.body)
		return
	case err != nil:
		i.fail(w, err)
		return
	}
	k := i.keys.Load().current
	token, err := i.sign(k, TokenRequest{Scopes: scopes})
	if err != nil {
		i.fail(w, err)
		return
	}
	i.options.Log.Info("issued a token", "kid", k.id, "scopes", len(scopes))
	answer(w, http.StatusOK, grantResponse{
		AccessToken: token,
		Scope:       strings.Join(scopes, " "),
		ExpiresIn:   int(Lifetime.Seconds()),
		TokenType:   "Bearer",
	})
}

// grant returns the scopes of the token that a request asks for, or a *refusal. The
// checks are in the order of what a developer has to get right first.
func (i *Issuer) grant(body io.Reader, header http.Header) ([]string, error) {
	request, err := readGrant(body, header)
	if err != nil {
		return nil, err
	}
	switch {
	case request.GrantType == "":
		return nil, &refusal{http.StatusBadRequest,
			oauthError{"invalid_request", "Missing required parameter: grant_type"}, "no grant type"}
	case slices.Contains(otherGrants, request.GrantType):
		return nil, &refusal{http.StatusForbidden,
			oauthError{"unauthorized_client", fmt.Sprintf("Grant type '%s' not allowed for the client.", request.GrantType)},
			"a grant type that the client may not use"}
	case request.GrantType != clientCredentials:
		return nil, &refusal{http.StatusBadRequest,
			oauthError{"unsupported_grant_type", "Unsupported grant type: " + request.GrantType}, "an unknown grant type"}
	case !i.authenticates(request):
		return nil, &refusal{http.StatusUnauthorized, oauthError{"access_denied", "Unauthorized"}, "wrong client ID or secret"}
	case request.Audience == "":
		// Auth0's words, which tell that its first API would be meant.
		return nil, &refusal{http.StatusForbidden,
			oauthError{"access_denied", "Non-global clients are not allowed access to APIv1"}, "no audience"}
	case request.Audience != i.options.Audience:
		return nil, &refusal{http.StatusForbidden,
			oauthError{"access_denied", "Service not enabled within domain: " + request.Audience}, "an unknown audience"}
	}
	return i.granted(request.Scope)
}

// granted returns the scopes to grant: those requested, in their order, or all. As with
// Auth0, one that the client does not have refuses the request, where RFC 6749 section
// 3.3 would let a server grant the rest.
func (i *Issuer) granted(scope string) ([]string, error) {
	requested := strings.Fields(scope)
	if len(requested) == 0 {
		return i.options.Scopes, nil
	}
	var granted, missing []string
	for _, s := range requested {
		switch {
		case !slices.Contains(i.options.Scopes, s):
			missing = append(missing, s)
		case !slices.Contains(granted, s):
			granted = append(granted, s)
		}
	}
	if missing != nil {
		return nil, &refusal{http.StatusForbidden,
			oauthError{"access_denied", "Client has not been granted scopes: " + strings.Join(missing, ", ")},
			"a scope that the API does not have"}
	}
	return granted, nil
}

// authenticates reports whether the request comes from the client. It takes the same
// time wherever a wrong ID or secret differs, and whatever its length.
func (i *Issuer) authenticates(request grantRequest) bool {
	return equal(request.ClientID, i.options.ClientID)&equal(request.ClientSecret, i.options.ClientSecret) == 1
}

func equal(a, b string) int {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:])
}

// readGrant reads a token request from JSON, as Auth0's documentation sends it, or from
// a form, as RFC 6749 section 4.4.2 does. The client may authenticate with HTTP Basic
// instead of in the body (section 2.3.1), but not in both ways.
func readGrant(body io.Reader, header http.Header) (grantRequest, error) {
	var request grantRequest
	content, err := io.ReadAll(body)
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return request, &refusal{http.StatusRequestEntityTooLarge,
			oauthError{"invalid_request", fmt.Sprintf("Expected at most %d bytes", tooLarge.Limit)}, "a body that is too large"}
	} else if err != nil {
		return request, invalid("Expected a whole body")
	}
	mediaType, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	switch {
	case err == nil && mediaType == "application/json":
		// Strict: no duplicate or case-folded names, no invalid UTF-8, nothing after.
		if err := json.Unmarshal(content, &request); err != nil {
			return request, invalid("Expected one JSON object with text members")
		}
	case err == nil && mediaType == "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(content))
		if err != nil {
			return request, invalid("Expected a form")
		}
		for name, member := range map[string]*string{
			"grant_type": &request.GrantType, "client_id": &request.ClientID, "client_secret": &request.ClientSecret,
			"audience": &request.Audience, "scope": &request.Scope,
		} {
			if len(form[name]) > 1 { // RFC 6749 section 3.2
				return request, invalid("Expected every parameter once")
			}
			*member = form.Get(name)
			if !utf8.ValidString(*member) {
				return request, invalid("Expected UTF-8")
			}
		}
	default:
		return request, invalid("Expected Content-Type application/json or application/x-www-form-urlencoded")
	}
	return request.withBasic(header)
}

// withBasic adds the client's ID and secret from an Authorization header, if any.
func (g grantRequest) withBasic(header http.Header) (grantRequest, error) {
	if len(header.Values("Authorization")) == 0 {
		return g, nil
	}
	id, secret, ok := (&http.Request{Header: header}).BasicAuth()
	if !ok || g.ClientID != "" || g.ClientSecret != "" {
		return g, invalid("Expected client_id and client_secret, or HTTP Basic, but not both")
	}
	// Both are form-encoded before they are base64-encoded: RFC 6749 section 2.3.1.
	var errID, errSecret error
	g.ClientID, errID = url.QueryUnescape(id)
	g.ClientSecret, errSecret = url.QueryUnescape(secret)
	if errors.Join(errID, errSecret) != nil {
		return g, invalid("Expected form-encoded HTTP Basic credentials")
	}
	return g, nil
}

// invalid refuses a request that cannot be read. The description is a constant.
func invalid(description string) *refusal {
	return &refusal{http.StatusBadRequest, oauthError{"invalid_request", description}, description}
}
