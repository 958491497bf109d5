package corpus

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"

	"account-api/internal/refusal"
	"account-api/internal/token/tokentest"
)

// formRows are about the serialization: one token has one spelling.
func formRows() []Row {
	valid := tokentest.Valid()
	part := strings.Split(valid, ".")
	h, p, s := part[0], part[1], part[2]
	header, payload := tokentest.Header("k1").String(), tokentest.Payload().String()
	malformed := refusal.MalformedToken

	return []Row{
		Given("the provider's token as it is", valid, Accepted),
		Given("an opaque value", "1234", malformed),
		Given("a leading space", " "+valid, malformed),
		Given("a trailing space", valid+" ", malformed),
		Given("a trailing line feed", valid+"\n", malformed),
		Given("a trailing carriage return and line feed", valid+"\r\n", malformed),
		Given("a line feed within the payload, which base64 decoders skip", h+"."+p[:8]+"\n"+p[8:]+"."+s, malformed),
		Given("a carriage return before the payload, which base64 decoders skip", h+".\r"+p+"."+s, malformed),
		Given("a line feed within the header, signed as it stands", SignedAsIs(h[:8]+"\n"+h[8:]+"."+p), malformed),
		Given("a line feed within the payload, signed as it stands", SignedAsIs(h+"."+p[:8]+"\n"+p[8:]), malformed),
		Given("a line feed before the payload, signed as it stands", SignedAsIs(h+".\n"+p), malformed),
		Given("a carriage return before the payload, signed as it stands", SignedAsIs(h+".\r"+p), malformed),
		Given("a line feed within the signature", h+"."+p+"."+s[:8]+"\n"+s[8:], malformed),
		Given("two tokens, comma-joined", valid+", Bearer "+valid, malformed),
		Given("a good token of more than 10 240 bytes", Claims(Also("padding", tokentest.Quote(strings.Repeat("x", 8<<10)))), malformed),
		Given("a good token of exactly 10 240 bytes", ofLength(10_240), Accepted),
		Given("a good token of 10 241 bytes", ofLength(10_241), malformed),
		Given("a megabyte of letters", strings.Repeat("A", 1<<20), malformed),
		Given("a megabyte of dots", strings.Repeat(".", 1<<20), malformed),
		Given("nothing", "", malformed),

		Given("two parts", h+"."+p, malformed),
		Given("four parts", valid+".x", malformed),
		Given("five parts, as of an encrypted token", valid+".x.y", malformed),
		Given("an empty signature", h+"."+p+".", malformed),
		Given("an empty header", "."+p+"."+s, malformed),
		Given("an empty payload", h+".."+s, malformed),
		Given("an empty payload, signed as it stands", SignedAsIs(h+"."), malformed),
		Given("three empty parts", "..", malformed),
		Given("a leading dot", "."+valid, malformed),
		Given("a trailing dot", valid+".", malformed),
		Given("a double dot", h+".."+p+"."+s, malformed),
		Given("a padded signature", valid+"==", malformed),
		Given("a padded header, signed as it stands", SignedAsIs(padded(header)+"."+p), malformed),
		Given("a padded payload, signed as it stands", SignedAsIs(h+"."+padded(payload+" ")), malformed),
		Given("a signature in the standard alphabet", inStandardAlphabet(), malformed),
		Given("non-zero trailing bits in the signature", valid[:len(valid)-1]+next(valid[len(valid)-1]), malformed),
		Given("non-zero trailing bits in the payload, signed as it stands", SignedAsIs(h+"."+looseTail(payload)), malformed),
		Given("non-zero trailing bits in the header, signed as it stands", SignedAsIs(looseTail(header)+"."+p), malformed),
		Given("the flattened JSON serialization", fmt.Sprintf(`{"protected":%q,"payload":%q,"signature":%q}`, h, p, s), malformed),
		Given("the general JSON serialization", fmt.Sprintf(`{"payload":%q,"signatures":[{"protected":%q,"signature":%q}]}`, p, h, s), malformed),
		Given("the general JSON serialization, first signature bad", fmt.Sprintf(`{"payload":%q,"signatures":[{"protected":%q,"signature":"AAAA"},{"protected":%q,"signature":%q}]}`, p, h, h, s), malformed),
		Given("the flattened JSON serialization, kid unprotected", fmt.Sprintf(`{"header":{"kid":"k1"},"protected":%q,"payload":%q,"signature":%q}`, h, p, s), malformed),
		Given("unsigned claims", payload, malformed),
		Given("a nested token that says so", tokentest.Sign(tokentest.Header("k1").With("cty", `"JWT"`).JSON(), []byte(valid), tokentest.K1()), refusal.UnsupportedHeader),
		Given("a nested token that does not say so", RawPayload(valid), malformed),
		Given("a detached payload", h+".."+s, malformed),
		Given("a byte order mark before the header", RawHeader("\ufeff"+header), malformed),
		Given("a byte order mark before the payload", RawPayload("\ufeff"+payload), malformed),
		Given("a header in UTF-16", RawHeader(inUTF16(header)), malformed),
		Given("a payload in UTF-16", RawPayload(inUTF16(payload)), malformed),
		Given("garbage after the header", RawHeader(header+"xx"), malformed),
		Given("garbage after the payload", RawPayload(payload+"garbage"), malformed),
		Given("a closing brace after the payload", RawPayload(payload+"}"), malformed),
		Given("a NUL after the payload", RawPayload(payload+"\x00"), malformed),
		Given("two documents in the payload", RawPayload(payload+`{"sub":"root"}`), malformed),
		Given("two documents in the header", RawHeader(header+header), malformed),
		Given("an array as payload", RawPayload("[]"), malformed),
		Given("an array around the payload", RawPayload("["+payload+"]"), malformed),
		Given("null as payload", RawPayload("null"), malformed),
		Given("a string as payload", RawPayload(`"str"`), malformed),
		Given("a number as payload", RawPayload("5"), malformed),
		Given("white space as payload", RawPayload("  "), malformed),
		Given("an array as header", RawHeader("[]"), malformed),
		Given("a string as header", RawHeader(`"RS256"`), malformed),
		Given("invalid UTF-8 in sub", Claims(Set("sub", "\"a\xff\xfe\"")), malformed),
		Given("invalid UTF-8 in an unknown claim", Claims(Also("foo", "\"\xc3\x28\"")), malformed),
		Given("invalid UTF-8 deep in an unknown claim", Claims(Also("foo", "[{\"a\":\"\xc0\x80\"}]")), malformed),
		Given("invalid UTF-8 in a name", Claims(Also("\xff", "1")), malformed),
		Given("invalid UTF-8 in the header", Headers(Also("foo", "\"\xff\"")), malformed),
		Given("a lone surrogate in sub", Claims(Set("sub", `"a\ud800"`)), malformed),
		Given("a surrogate encoded in UTF-8", Claims(Set("sub", "\"\xed\xa0\x80\"")), malformed),
		Given("white space within header and payload", tokentest.Sign(spaced(header), spaced(payload), tokentest.K1()), Accepted),
		Given("an escape in a claim's name", RawPayload(strings.Replace(payload, `"aud"`, `"\u0061ud"`, 1)), Accepted),
		Given("an escape in a header's name", RawHeader(strings.Replace(header, `"alg"`, `"\u0061lg"`, 1)), Accepted),
		Given("an escape in a value", Claims(Set("aud", strings.ReplaceAll(tokentest.Quote(tokentest.Audience), "/", `\/`))), Accepted),
		Given("members in another order", Claims(Drop("iss"), Also("iss", tokentest.Quote(tokentest.Issuer))), Accepted),
		Given("brackets as deep as the size cap admits", Claims(Also("a", Nested(2900))), malformed),
		Given("unclosed brackets as deep as the size cap admits", RawPayload(`{"a":`+strings.Repeat("[", 5000)), malformed),
		Given("nesting at the depth cap", Claims(Also("a", Nested(31))), Accepted),
		Given("nesting one beyond the depth cap", Claims(Also("a", Nested(32))), malformed),
		Given("nesting beyond the depth cap in the header", Headers(Also("a", Nested(32))), malformed),
		Given("nesting of objects beyond the depth cap", Claims(Also("a", strings.Repeat(`{"a":`, 32)+"1"+strings.Repeat("}", 32))), malformed),

		Given("a header cut off after a name", RawHeader(`{"alg"`), malformed),
		Given("a header cut off after a value", RawHeader(header[:len(header)-1]), malformed),
		Given("a payload cut off within a nested value", RawPayload(payload[:len(payload)-1]+`,"a":[1`), malformed),
		Given("a payload cut off within a string", RawPayload(payload[:len(payload)-3]), malformed),
		Given("an empty object as header", RawHeader("{}"), refusal.UnsupportedAlg),
		Given("an empty object as payload", RawPayload("{}"), refusal.BadIssuer),
		Given("a name that is not a string", RawPayload(`{1:2}`), malformed),
		Given("a trailing comma", RawPayload(payload[:len(payload)-1]+",}"), malformed),
		Given("single quotes", RawPayload(strings.ReplaceAll(payload, `"`, "'")), malformed),
		Given("a comment", RawPayload("/**/"+payload), malformed),
		Given("a raw line feed within a string", Claims(Also("foo", "\"a\nb\"")), malformed),
		Given("an unfinished escape", Claims(Also("foo", `"\u12"`)), malformed),
		Given("NaN", Claims(Also("foo", "NaN")), malformed),
		Given("a number with a leading zero", Claims(Set("exp", "01700086400")), malformed),
		Given("a number with a plus", Claims(Set("exp", "+1700086400")), malformed),
		Given("a number that ends in a point", Claims(Set("exp", "1700086400.")), malformed),
		Given("a hexadecimal number", Claims(Set("exp", "0x65556480")), malformed),
	}
}

// ofLength is a good token of that many bytes, with an unknown claim as filler.
func ofLength(want int) string {
	for filler := want * 3 / 4 * 9 / 10; ; filler++ {
		for _, kid := range []string{"", " ", "  "} { // base64 skips every fourth length; the header shifts it
			header := strings.Replace(tokentest.Header("k1").String(), "{", "{"+kid, 1)
			payload := tokentest.Payload().Also("padding", tokentest.Quote(strings.Repeat("x", filler))).String()
			length := base64.RawURLEncoding.EncodedLen
			if length(len(header))+length(len(payload))+length(256)+2 == want {
				return tokentest.Sign([]byte(header), []byte(payload), tokentest.K1())
			}
		}
	}
}

// padded is text in base64url with padding, grown by spaces until it needs some.
func padded(text string) string {
	for len(text)%3 == 0 {
		text += " "
	}
	return base64.URLEncoding.EncodeToString([]byte(text))
}

// looseTail is text in base64url whose last character has stray bits.
func looseTail(text string) string {
	for len(text)%3 == 0 {
		text += " "
	}
	segment := tokentest.Segment([]byte(text))
	return segment[:len(segment)-1] + next(segment[len(segment)-1])
}

// next is the character after char in the alphabet. As the last one of a part with unused
// bits it decodes to the same bytes.
func next(char byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return alphabet[strings.IndexByte(alphabet, char)+1:][:1]
}

// inStandardAlphabet is a good token with + and / instead of - and _ in its signature. White
// space varies the payload until the signature has one of them.
func inStandardAlphabet() string {
	for space := ""; ; space += " " {
		token := RawPayload(tokentest.Payload().String() + space)
		dot := strings.LastIndexByte(token, '.')
		if standard := strings.NewReplacer("-", "+", "_", "/").Replace(token[dot:]); standard != token[dot:] {
			return token[:dot] + standard
		}
	}
}

func inUTF16(text string) string {
	var encoded bytes.Buffer
	if err := binary.Write(&encoded, binary.BigEndian, utf16.Encode([]rune("\ufeff"+text))); err != nil {
		panic(err)
	}
	return encoded.String()
}

// spaced puts every kind of JSON white space around the structural characters.
// It is for fixtures whose strings hold none of them but the colon.
func spaced(text string) []byte {
	return []byte("\r\n\t " + strings.NewReplacer("{", "{\n\t", `":`, "\" :\r\n ", ",", " ,\n", "}", "\t}\n").Replace(text))
}
