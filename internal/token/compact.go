package token

import (
	"encoding/base64"
	"strings"

	"account-api/internal/refusal"
)

// maxCompact is the longest token, in bytes. API Gateway accepts as much of headers in all.
// Tokens of Entra ID with many groups reach 9 KiB.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
const maxCompact = 10_240

// parts are the segments of a compact serialization, still encoded.
type parts struct{ header, payload, signature, input string }

// split finds the three parts. It does not scan a token that is too long.
func split(compact string) (parts, *refusal.Error) {
	if len(compact) > maxCompact {
		return parts{}, refusal.New(refusal.MalformedToken, "expected at most %d bytes, got %d", maxCompact, len(compact))
	}
	header, rest, _ := strings.Cut(compact, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	switch dots := strings.Count(compact, "."); dots {
	case 2:
	case 4:
		return parts{}, refusal.New(refusal.MalformedToken,
			"expected 3 parts, got 5 as in an encrypted token: have the provider issue signed access tokens for this audience")
	case 0:
		return parts{}, refusal.New(refusal.MalformedToken,
			"expected 3 parts, got 1 as in an opaque token: ask the provider for a token with this API's audience")
	default:
		return parts{}, refusal.New(refusal.MalformedToken, "expected 3 parts between dots, got %d", dots+1)
	}
	return parts{header, payload, signature, compact[:len(header)+1+len(payload)]}, nil
}

// canonical is base64url without padding (RFC 7515, section 2) and without stray trailing
// bits. A second spelling of the same bytes would get past deny-lists and caches.
var canonical = base64.RawURLEncoding.Strict()

// decode returns the bytes of one part. They are valid until the reader's next token.
func (r *reader) decode(name, segment string) ([]byte, *refusal.Error) {
	if segment == "" {
		return nil, refusal.New(refusal.MalformedToken, "expected a %s, got an empty part", name)
	}
	// encoding/base64 skips line breaks: again a second spelling.
	if strings.IndexByte(segment, '\n') >= 0 || strings.IndexByte(segment, '\r') >= 0 {
		return nil, refusal.New(refusal.MalformedToken, "expected a %s on one line, got a line break in it", name)
	}
	start := len(r.decoded)
	decoded, err := canonical.AppendDecode(r.decoded, []byte(segment))
	if err != nil {
		return nil, refusal.New(refusal.MalformedToken, "expected a %s in canonical base64url without padding, got something else", name)
	}
	r.decoded = decoded
	return decoded[start:], nil
}
