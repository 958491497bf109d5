package jwks

import (
	"crypto/rsa"
	"encoding/base64"
	"log/slog"
	"maps"
	"math/big"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	// minModulusBits is the least for RS256 (RFC 7518, section 3.3: MUST).
	minModulusBits = 2048
	// maxModulusBits bounds the CPU time of a verification. crypto/tls has the same limit
	// for certificates.
	maxModulusBits = 8192
	// minExponent is the least that RSA allows (RFC 8017, section 3.1). FIPS 186-5 asks for
	// more than 2¹⁶, because small exponents are unsafe with incomplete padding checks.
	// crypto/rsa compares the whole padded block.
	minExponent = 3
	// maxExponent is the largest that crypto/rsa verifies with.
	maxExponent = 1<<31 - 1
)

const (
	whyPrivate   = "was published with its private half: have it withdrawn"
	whyAmbiguous = "is one of two different RSA keys with this key ID"
)

// privateMembers hold secrets (RFC 7518, sections 6.2.2, 6.3.2 and 6.4.1).
var privateMembers = [...]string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

// judgement is the verdict on one member of a set.
type judgement struct {
	entry
	kid    string     // empty if there is no usable one
	level  slog.Level // of the finding, if entry.key is nil
	leaked *big.Int   // the modulus, if the private half is published too
	isJWK  bool
}

// object is a JWK's members by exact name.
type object map[string]jsontext.Value

// judge decides on one member of "keys". It ignores the certificates (x5c, x5u, x5t), a second
// source for the same key.
//
// It does not use jwx's jwk.ParseKey, which refuses a key for a bad certificate and accepts
// padded and non-canonical encodings of the integers.
func judge(raw jsontext.Value) judgement {
	if raw.Kind() != '{' {
		return judgement{entry: entry{why: "is not a JSON object"}, level: slog.LevelWarn}
	}
	var m object
	if err := json.Unmarshal(raw, &m); err != nil {
		return judgement{entry: entry{why: "has a member twice (RFC 7517, section 4)"}, level: slog.LevelWarn}
	}
	// Some serializers write a member that the key does not have as null.
	maps.DeleteFunc(m, func(_ string, value jsontext.Value) bool { return value.Kind() == 'n' })
	var j judgement
	var kty string
	kty, j.isJWK = m.text("kty")
	kid, ok := m.text("kid")
	if ok && len(kid) <= maxKidBytes {
		j.kid = kid
	}
	refuse := func(level slog.Level, why string) judgement {
		j.level, j.why = level, why
		return j
	}
	switch {
	case m.hasAny(privateMembers[:]):
		if kty == "RSA" {
			j.final = true
			j.leaked, _ = m.integer("n")
		}
		return refuse(slog.LevelError, whyPrivate)
	case !j.isJWK:
		return refuse(slog.LevelWarn, `has no string "kty"`)
	case kty != "RSA":
		return refuse(slog.LevelDebug, "is not an RSA key")
	case j.kid == "":
		return refuse(slog.LevelWarn, `has no string "kid" of 1 to 256 bytes`)
	case !m.allows("use", "sig"):
		return refuse(slog.LevelDebug, `is not for signatures ("use")`)
	case !m.allowsVerify():
		return refuse(slog.LevelDebug, `is not for verifying ("key_ops")`)
	case !m.allows("alg", "RS256"):
		return refuse(slog.LevelDebug, `is for another algorithm than RS256 ("alg")`)
	}
	n, ok := m.integer("n")
	if !ok {
		return refuse(slog.LevelWarn, `has no "n" in canonical base64url`)
	}
	if bits := n.BitLen(); bits < minModulusBits || bits > maxModulusBits || n.Bit(0) == 0 {
		return refuse(slog.LevelWarn, "has a modulus that is even or not of 2048 to 8192 bits")
	}
	e, ok := m.integer("e")
	if !ok {
		return refuse(slog.LevelWarn, `has no "e" in canonical base64url`)
	}
	if !e.IsInt64() || e.Int64() < minExponent || e.Int64() > maxExponent || e.Bit(0) == 0 {
		return refuse(slog.LevelWarn, "has an exponent that is even or not from 3 to 2³¹-1")
	}
	j.key = &rsa.PublicKey{N: n, E: int(e.Int64())}
	return j
}

// text returns the member if it is there and a JSON string.
func (m object) text(name string) (string, bool) { return text(m[name]) }

// text returns the value if it is a JSON string. The number 1 is not the string "1".
func text(value jsontext.Value) (string, bool) {
	if value.Kind() != '"' {
		return "", false
	}
	unquoted, err := jsontext.AppendUnquote(nil, value)
	return string(unquoted), err == nil
}

func (m object) hasAny(names []string) bool {
	for _, name := range names {
		if _, ok := m[name]; ok {
			return true
		}
	}
	return false
}

// allows reports whether an optional member is absent or exactly the string want. These
// members restrict what a key is for.
func (m object) allows(name, want string) bool {
	if _, present := m[name]; !present {
		return true
	}
	got, ok := m.text(name)
	return ok && got == want
}

// allowsVerify reports whether "key_ops" is absent or an array of strings with
// "verify" among them (RFC 7517, section 4.3).
func (m object) allowsVerify() bool {
	value, present := m["key_ops"]
	if !present {
		return true
	}
	var operations []jsontext.Value
	if json.Unmarshal(value, &operations) != nil {
		return false
	}
	verify := false
	for _, operation := range operations {
		name, ok := text(operation)
		if !ok {
			return false
		}
		verify = verify || name == "verify"
	}
	return verify
}

// integer reads a Base64urlUInt (RFC 7518, section 2) in canonical form: no padding, no line
// breaks, no stray bits in the last character. Leading zero octets are forbidden there too.
// Some providers publish one, so they are accepted.
func (m object) integer(name string) (*big.Int, bool) {
	encoded, ok := m.text(name)
	if !ok || encoded == "" {
		return nil, false
	}
	octets, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || base64.RawURLEncoding.EncodeToString(octets) != encoded {
		return nil, false
	}
	return new(big.Int).SetBytes(octets), true
}
