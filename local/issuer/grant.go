package issuer

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// clientCredentials is the one grant type here: RFC 6749 section 4.4.
const clientCredentials = "client_credentials"

// maxRequestBytes bounds a token request. A usual one has some hundred bytes.
const maxRequestBytes = 16 << 10

// grantRequest is the body of a token request. Members that are not listed belong to
// other grants and are ignored: RFC 6749 section 3.2.
type grantRequest struct {
	GrantType    string `json:"grant_type"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	Audience     string `json:"audience"`
	// Scope is nil if absent. RFC 6749 section 3.1 would treat an empty one as absent,
	// too; here it is the way to a token without scopes.
	Scope *string `json:"scope"`

	// The caller, see the package comment.
	Subject         string                    `json:"sub"`
	Permissions     words                     `json:"permissions"`
	AuthorizedParty string                    `json:"azp"`
	Claims          map[string]jsontext.Value `json:"claims"`
	Algorithm       string                    `json:"alg"`
}

// words is a JSON array of text, or a text of words with spaces between.
type words []string

// UnmarshalJSONFrom implements [json.UnmarshalerFrom].
func (w *words) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() == '[' {
		return json.UnmarshalDecode(d, (*[]string)(w))
	}
	var text string
	err := json.UnmarshalDecode(d, &text)
	*w = strings.Fields(text)
	return err
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
	cause  string // for the log. It is a constant: the description may quote the client
}

func (r *refusal) Error() string { return r.cause }

func (i *Issuer) serveToken(w http.ResponseWriter, r *http.Request) {
	token, request, ok := i.issue(w, r, readGrant)
	if !ok {
		return
	}
	answer(w, http.StatusOK, grantResponse{
		AccessToken: token,
		Scope:       strings.Join(request.Scopes, " "),
		ExpiresIn:   int(Lifetime.Seconds()),
		TokenType:   "Bearer",
	})
}

// serveBareToken answers with the token alone, so that a shell can say TOKEN=$(curl …). A
// request describes the caller: the grant, the client and the first audience go without saying.
func (i *Issuer) serveBareToken(w http.ResponseWriter, r *http.Request) {
	token, _, ok := i.issue(w, r, func(body io.Reader, header http.Header) (grantRequest, error) {
		request, err := readGrant(body, header)
		request.GrantType = cmp.Or(request.GrantType, clientCredentials)
		request.ClientID = cmp.Or(request.ClientID, ClientID)
		request.ClientSecret = cmp.Or(request.ClientSecret, ClientSecret)
		request.Audience = cmp.Or(request.Audience, i.audiences[0])
		return request, err
	})
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	fmt.Fprintln(w, token)
}

// issue signs the token that a request asks for. If there is none, it has answered.
func (i *Issuer) issue(w http.ResponseWriter, r *http.Request, read func(io.Reader, http.Header) (grantRequest, error)) (string, TokenRequest, bool) {
	// RFC 6749 section 5.1. Errors are not for caches either.
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
	var request TokenRequest
	asked, err := read(http.MaxBytesReader(w, r.Body, maxRequestBytes), r.Header)
	if err == nil {
		request, err = i.grant(asked)
	}
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		i.options.Log.Info("refused a token", "status", refused.status, "error", refused.body.Code, "cause", refused.cause)
		answer(w, refused.status, refused.body)
		return "", request, false
	case err != nil:
		i.fail(w, err)
		return "", request, false
	}
	k := i.keys.Load().current.of(request.Algorithm)
	token, err := i.sign(k, request)
	if err != nil {
		i.fail(w, err)
		return "", request, false
	}
	i.options.Log.Info("issued a token", "kid", k.id, "scopes", len(request.Scopes))
	return token, request, true
}

// grant returns the token that a request asks for, or a *refusal.
func (i *Issuer) grant(request grantRequest) (TokenRequest, error) {
	if err := i.admit(request); err != nil {
		return TokenRequest{}, err
	}
	scopes, err := i.granted(request.Scope)
	if err != nil {
		return TokenRequest{}, err
	}
	further := map[string]any{}
	for name, value := range request.Claims {
		further[name] = value
	}
	if err := i.checkFurther(further); err != nil {
		return TokenRequest{}, invalid("Expected claims without those that the issuer sets: " + strings.Join(i.shape.reserved(), ", "))
	}
	if request.Algorithm != "" && !slices.Contains(i.options.Algorithms, request.Algorithm) {
		return TokenRequest{}, invalid("Expected alg to be one of " + strings.Join(i.options.Algorithms, ", "))
	}
	return TokenRequest{Scopes: scopes, Subject: request.Subject, Permissions: request.Permissions, Algorithm: request.Algorithm,
		Audience: request.Audience, AuthorizedParty: request.AuthorizedParty, Claims: further}, nil
}

// admit refuses a request unless it is the client's, for the one grant and the one
// audience. A developer's likely first mistakes are found first.
func (i *Issuer) admit(request grantRequest) error {
	switch {
	case request.GrantType == "":
		return &refusal{http.StatusBadRequest,
			oauthError{"invalid_request", "Missing required parameter: grant_type"}, "no grant type"}
	case request.GrantType != clientCredentials:
		return &refusal{http.StatusBadRequest,
			oauthError{"unsupported_grant_type", "Unsupported grant type: " + request.GrantType}, "an unknown grant type"}
	case request.ClientID != ClientID || request.ClientSecret != ClientSecret:
		return &refusal{http.StatusUnauthorized, oauthError{"access_denied", "Unauthorized"}, "wrong client ID or secret"}
	case request.Audience == "":
		// Auth0's words: without an audience it means its own first API.
		return &refusal{http.StatusForbidden,
			oauthError{"access_denied", "Non-global clients are not allowed access to APIv1"}, "no audience"}
	case !slices.Contains(i.audiences, request.Audience):
		return &refusal{http.StatusForbidden,
			oauthError{"access_denied", "Service not enabled within domain: " + request.Audience}, "an unknown audience"}
	}
	return nil
}

// granted returns the scopes to grant: those requested, in their order, or all. If
// restricted, any other scope refuses the request, as with Auth0. RFC 6749 section 3.3
// would let a server grant the rest.
func (i *Issuer) granted(scope *string) ([]string, error) {
	all := *i.scopes.Load()
	if scope == nil {
		return all, nil
	}
	granted, missing := []string{}, []string{}
	for _, s := range strings.Fields(*scope) {
		switch {
		case !scopeToken.MatchString(s):
			return nil, &refusal{http.StatusBadRequest,
				oauthError{"invalid_scope", "Expected scopes without quotes and backslashes"}, "a malformed scope"}
		case i.options.Restrict && !slices.Contains(all, s):
			missing = append(missing, s)
		case !slices.Contains(granted, s):
			granted = append(granted, s)
		}
	}
	if len(missing) > 0 {
		return nil, &refusal{http.StatusForbidden,
			oauthError{"access_denied", "Client has not been granted scopes: " + strings.Join(missing, ", ")},
			"a scope that the API does not have"}
	}
	return granted, nil
}

// readGrant reads a token request: JSON as in Auth0's documentation, or a form as in RFC
// 6749 section 4.4.2. The client authenticates in the body or with HTTP Basic (section
// 2.3.1), but not in both ways.
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
	case err == nil && mediaType == "application/x-www-form-urlencoded":
		if content, err = formAsJSON(string(content)); err != nil {
			return request, err
		}
	default:
		return request, invalid("Expected Content-Type application/json or application/x-www-form-urlencoded")
	}
	// Strict: no duplicate or case-folded names, no invalid UTF-8, nothing after.
	if err := json.Unmarshal(content, &request); err != nil {
		return request, invalid("Expected one JSON object with members of the right types")
	}
	return request.withBasic(header)
}

// formAsJSON returns the parameters of a form as the JSON of the same request.
func formAsJSON(content string) ([]byte, error) {
	form, err := url.ParseQuery(content)
	if err != nil {
		return nil, invalid("Expected a form")
	}
	members := map[string]any{}
	for name, values := range form {
		switch {
		case name == "permissions":
			members[name] = strings.Join(values, " ")
		case len(values) > 1: // RFC 6749 section 3.2
			return nil, invalid("Expected every parameter once")
		case values[0] == "" && name != "scope": // as if it were not there: RFC 6749 section 3.1
		case name == "claims":
			claims := jsontext.Value(values[0])
			if claims.Kind() != '{' || !claims.IsValid() {
				return nil, invalid("Expected claims as one JSON object")
			}
			members[name] = claims
		default:
			members[name] = values[0]
		}
	}
	document, err := json.Marshal(members)
	if err != nil {
		return nil, invalid("Expected UTF-8")
	}
	return document, nil
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
