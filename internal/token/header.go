package token

import (
	"bytes"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"account-api/internal/refusal"
	"account-api/internal/signature"
)

// maxKeyID is the longest key ID, in bytes. Usual ones are thumbprints or UUIDs, below 90.
const maxKeyID = 256

// header are the members of the JOSE header that a check looks at. An absent one is nil.
type header struct {
	alg, typ, kid value
	x5t, x5tS256  value
	iss, sub, aud value
	replicates    bool   // whether iss, sub or aud is there
	forbidden     string // a member that may not be there
	elsewhere     value  // jku or x5u, where keys would be
	naming               // after the checks
}

// naming is what a header says about key and token. Tokens under one key share it.
type naming struct {
	keyID     string
	algorithm signature.Algorithm
	atJWT     bool // whether typ is at+jwt
}

// forbiddenHeaders may not be present, whatever their value. RFC 7515 would allow to ignore
// some of them. Access tokens have none, so they are rejected outright.
var forbiddenHeaders = map[string]bool{
	// RFC 7515, section 4.1.11: extensions that must be understood. None is.
	"crit": true,
	"b64":  true, // RFC 7797: changes what is signed, and requires crit

	// Ways to offer a key. Keys come from the configured key set only (RFC 8725,
	// section 3.10; OWASP ASVS 5.0, 9.1.3).
	"jwk": true, "jku": true, "x5c": true, "x5u": true,
	"trust_chain": true, // OpenID Federation 1.0, section 4.3

	// Content that is compressed, nested (cty: RFC 7519, section 5.2) or encrypted (the
	// others: RFC 7516, section 4.1; RFC 7518, sections 4.6 to 4.8).
	"zip": true, "cty": true, "enc": true,
	"epk": true, "apu": true, "apv": true,
	"iv": true, "tag": true, "p2s": true, "p2c": true,
}

func (h *header) take(name []byte, v value) {
	switch string(name) {
	case "alg":
		h.alg = v
	case "typ":
		h.typ = v
	case "kid":
		h.kid = v
	case "x5t":
		h.x5t = v
	case "x5t#S256":
		h.x5tS256 = v
	case "iss":
		h.iss, h.replicates = v, true
	case "sub":
		h.sub, h.replicates = v, true
	case "aud":
		h.aud, h.replicates = v, true
	default:
		if forbiddenHeaders[string(name)] {
			h.forbidden = string(name)
		}
		if string(name) == "jku" || string(name) == "x5u" {
			h.elsewhere = v
		}
	}
}

// headerChecks run in this order on a header that the cache does not have.
var headerChecks = []struct {
	name Check
	run  func(*Verifier, *header) *refusal.Error
}{
	{Algorithm, checkAlgorithm},
	{OtherHeaders, checkForbidden},
	{Type, checkType},
	{Thumbprints, checkThumbprints},
	{KeyID, checkKeyID},
}

// checkAlgorithm demands an algorithm of the settings (RFC 8725, section 3.1). The key's own is
// used in any case. No honest provider issues an unsigned token.
func checkAlgorithm(v *Verifier, h *header) *refusal.Error {
	alg, _ := h.alg.text()
	h.algorithm = signature.Algorithm(alg)
	if slices.Contains(v.algorithms, h.algorithm) {
		return nil
	}
	refused := refusal.New(refusal.UnsupportedAlg, "expected header alg %s, got %s", v.algorithmNames(), absentOr(h.alg, "another"))
	if strings.EqualFold(string(alg), "none") {
		refused.Detail = "expected header alg " + v.algorithmNames() + ", got none, an unsigned token: no setting accepts one"
		refused.By = refusal.Attack
	}
	return refused
}

// checkForbidden refuses what could choose a key, a codec or an extension. A key within the
// token, or at an address that is not an issuer's, is no accident.
func checkForbidden(v *Verifier, h *header) *refusal.Error {
	if h.forbidden == "" {
		return nil
	}
	refused := refusal.New(refusal.UnsupportedHeader, "expected no header %s, got one", h.forbidden)
	switch h.forbidden {
	case "jwk", "x5c", "trust_chain":
		refused.By = refusal.Attack
	case "jku", "x5u":
		if !v.issuedAt(h.elsewhere) {
			refused.By = refusal.Attack
		}
	}
	return refused
}

// issuedAt reports whether an address is on an issuer's host. Some providers name their own key
// set in each token.
func (v *Verifier) issuedAt(address value) bool {
	text, _ := address.text()
	u, err := url.Parse(string(text))
	return err == nil && slices.ContainsFunc(v.issuers, func(i issuer) bool {
		trusted, err := url.Parse(i.Name)
		return err == nil && trusted.Host != "" && trusted.Host == u.Host
	})
}

// checkType refuses tokens whose typ is not an access token's (RFC 8725, section 3.11). A
// profile may demand at+jwt. Media types are case-insensitive and may omit "application/" (RFC
// 7515, section 4.1.9).
func checkType(_ *Verifier, h *header) *refusal.Error {
	typ, _ := h.typ.text()
	name := strings.TrimPrefix(strings.ToLower(string(typ)), "application/")
	h.atJWT = name == "at+jwt"
	if h.typ == nil || h.atJWT || name == "jwt" {
		return nil
	}
	return refusal.New(refusal.WrongType, "expected header typ at+jwt, JWT or none, got another")
}

// checkThumbprints type-checks what some providers send beside kid. It is not used.
func checkThumbprints(_ *Verifier, h *header) *refusal.Error {
	for _, thumbprint := range []value{h.x5t, h.x5tS256} {
		if _, ok := thumbprint.text(); !ok && thumbprint != nil {
			return refusal.New(refusal.UnsupportedHeader, "expected header x5t and x5t#S256 as strings, got another type")
		}
	}
	return nil
}

// checkKeyID demands a kid, which RFC 7515 leaves optional. Without it every key would have
// to be tried.
func checkKeyID(_ *Verifier, h *header) *refusal.Error {
	kid, _ := h.kid.text()
	if len(kid) == 0 {
		return refusal.New(refusal.MissingKid, "expected header kid as a string, got %s", absentOr(h.kid, "an empty one or another type"))
	}
	if len(kid) > maxKeyID {
		return refusal.New(refusal.MissingKid, "expected header kid of at most %d bytes, got %d", maxKeyID, len(kid))
	}
	if !printable(kid) {
		return refusal.New(refusal.MissingKid, "expected header kid of printable characters, got others")
	}
	h.keyID = string(kid)
	return nil
}

// checkReplicated compares claims that the header repeats (RFC 7519, section 5.3).
func checkReplicated(_ *Verifier, t *unverified, _ time.Time) *refusal.Error {
	for _, pair := range []struct {
		name   string
		header value
	}{{"iss", t.header.iss}, {"sub", t.header.sub}, {"aud", t.header.aud}} {
		if pair.header != nil && !bytes.Equal(pair.header, t.claims.get(pair.name)) {
			return refusal.New(refusal.UnsupportedHeader, "expected iss, sub and aud in the header as in the claims, got a difference")
		}
	}
	return nil
}

// printable reports whether text has only visible characters and spaces between them. What
// a log does not show would make two principals look the same.
func printable(text []byte) bool {
	for i, char := range text {
		if char >= utf8.RuneSelf { // rare: from here on, characters instead of bytes
			if bytes.ContainsFunc(text[i:], func(char rune) bool { return !unicode.IsPrint(char) }) {
				return false
			}
			break
		}
		if char < ' ' || char == 0x7f {
			return false
		}
	}
	return len(text) == 0 || text[0] != ' ' && text[len(text)-1] != ' '
}

// absentOr says what was found in place of what was expected.
func absentOr(v value, otherwise string) string {
	if v == nil {
		return "none"
	}
	return otherwise
}
