package jwks

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"log/slog"
	"maps"
	"math/big"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"account-api/internal/signature"
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
	whyAmbiguous = "is one of two different keys with this key ID"
)

// privateMembers hold secrets (RFC 7518, sections 6.2.2, 6.3.2 and 6.4.1).
var privateMembers = [...]string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

// judgement is the verdict on one member of a set.
type judgement struct {
	entry
	kid      string     // empty if there is no usable one
	level    slog.Level // of the finding, if entry.key is nil
	identity string     // by which the key is known again; empty for other types
	leaked   bool       // whether the private half is published too
	isJWK    bool
}

// object is a JWK's members by exact name.
type object map[string]jsontext.Value

// judge decides on one member of "keys". It ignores the certificates (x5c, x5u, x5t), a second
// source for the same key.
//
// It does not use jwx's jwk.ParseKey, which refuses a key for a bad certificate and accepts
// padded and non-canonical encodings of the integers.
func judge(raw jsontext.Value, algorithms []signature.Algorithm) judgement {
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
	algorithm, material := m.kind(kty)
	if octets, _ := m.octets(material); len(octets) > 0 {
		j.identity = kty + string(bytes.TrimLeft(octets, "\x00")) // zeros do not change a modulus
	}
	switch {
	case m.hasAny(privateMembers[:]):
		j.leaked = true
		j.final = slices.ContainsFunc(algorithms, func(a signature.Algorithm) bool { return types[a] == kty })
		return refuse(slog.LevelError, whyPrivate)
	case !j.isJWK:
		return refuse(slog.LevelWarn, `has no string "kty"`)
	case material == "":
		return refuse(slog.LevelDebug, `is not an RSA, P-256 or Ed25519 key`)
	case j.kid == "":
		return refuse(slog.LevelWarn, `has no string "kid" of 1 to 256 bytes`)
	case !m.allows("use", "sig"):
		return refuse(slog.LevelDebug, `is not for signatures ("use")`)
	case !m.allowsVerify():
		return refuse(slog.LevelDebug, `is not for verifying ("key_ops")`)
	case !slices.Contains(algorithms, algorithm):
		return refuse(slog.LevelDebug, fmt.Sprintf(`is for another algorithm than %v ("alg")`, algorithms))
	}
	public, why := m.public(kty)
	if why != "" {
		return refuse(slog.LevelWarn, why)
	}
	j.key = &signature.Key{Algorithm: algorithm, Public: public}
	return j
}

// types are the algorithms' types of key (RFC 7518, section 6.1; RFC 8037, section 2).
var types = map[signature.Algorithm]string{
	signature.RS256: "RSA", signature.PS256: "RSA", signature.ES256: "EC", signature.EdDSA: "OKP",
}

// kind returns the one algorithm that a key is for, and the member that holds its public half.
// Both are empty for a key of another type or curve. An RSA key without alg is for RS256.
func (m object) kind(kty string) (algorithm signature.Algorithm, material string) {
	curve, _ := m.text("crv")
	var fits []signature.Algorithm
	switch {
	case kty == "RSA":
		material, fits = "n", []signature.Algorithm{signature.RS256, signature.PS256}
	case kty == "EC" && curve == "P-256":
		material, fits = "x", []signature.Algorithm{signature.ES256}
	case kty == "OKP" && curve == "Ed25519":
		material, fits = "x", []signature.Algorithm{signature.EdDSA}
	default:
		return "", ""
	}
	if _, named := m["alg"]; !named {
		return fits[0], material
	}
	for _, algorithm := range fits {
		if m.allows("alg", string(algorithm)) {
			return algorithm, material
		}
	}
	return "", material
}

// public reads the public half of a key, or says what is wrong with it.
func (m object) public(kty string) (key crypto.PublicKey, why string) {
	switch kty {
	case "EC":
		// Coordinates have their full length (RFC 7518, section 6.2.1.2).
		x, y := m.ofLength("x", 32), m.ofLength("y", 32)
		point, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
		if x == nil || y == nil || err != nil {
			return nil, `has no point of P-256 as "x" and "y" in canonical base64url`
		}
		return point, ""
	case "OKP":
		x := m.ofLength("x", ed25519.PublicKeySize)
		if x == nil {
			return nil, `has no 32 bytes as "x" in canonical base64url`
		}
		return ed25519.PublicKey(x), ""
	}
	n, ok := m.integer("n")
	if !ok {
		return nil, `has no "n" in canonical base64url`
	}
	if bits := n.BitLen(); bits < minModulusBits || bits > maxModulusBits || n.Bit(0) == 0 {
		return nil, "has a modulus that is even or not of 2048 to 8192 bits"
	}
	e, ok := m.integer("e")
	if !ok {
		return nil, `has no "e" in canonical base64url`
	}
	if !e.IsInt64() || e.Int64() < minExponent || e.Int64() > maxExponent || e.Bit(0) == 0 {
		return nil, "has an exponent that is even or not from 3 to 2³¹-1"
	}
	return &rsa.PublicKey{N: n, E: int(e.Int64())}, ""
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

// integer reads a Base64urlUInt (RFC 7518, section 2). Leading zero octets are forbidden there.
// Some providers publish one, so they are accepted.
func (m object) integer(name string) (*big.Int, bool) {
	octets, ok := m.octets(name)
	return new(big.Int).SetBytes(octets), ok
}

// ofLength returns a member's octets if they are so many.
func (m object) ofLength(name string, length int) []byte {
	if octets, _ := m.octets(name); len(octets) == length {
		return octets
	}
	return nil
}

// octets reads base64url in canonical form: no padding, no line breaks, no stray bits in the
// last character.
func (m object) octets(name string) ([]byte, bool) {
	encoded, _ := m.text(name)
	octets, err := base64.RawURLEncoding.DecodeString(encoded)
	if encoded == "" || err != nil || base64.RawURLEncoding.EncodeToString(octets) != encoded {
		return nil, false
	}
	return octets, true
}
