package token_test

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
func formRows() []scenario {
	valid := tokentest.Valid()
	part := strings.Split(valid, ".")
	h, p, s := part[0], part[1], part[2]
	header, payload := tokentest.Header("k1").String(), tokentest.Payload().String()
	malformed := refusal.MalformedToken

	return []scenario{
		given("E01 the provider's token as it is", valid, accepted),
		given("E08 an opaque value", "1234", malformed),
		given("E11 a leading space", " "+valid, malformed),
		given("E14 a trailing space", valid+" ", malformed),
		given("E15 a trailing line feed", valid+"\n", malformed),
		given("E15 a trailing carriage return and line feed", valid+"\r\n", malformed),
		given("E15 a line feed within the payload, which base64 decoders skip", h+"."+p[:8]+"\n"+p[8:]+"."+s, malformed),
		given("E15 a carriage return before the payload, which base64 decoders skip", h+".\r"+p+"."+s, malformed),
		given("E15 a line feed within the header, signed as it stands", signedAsIs(h[:8]+"\n"+h[8:]+"."+p), malformed),
		given("E15 a line feed within the payload, signed as it stands", signedAsIs(h+"."+p[:8]+"\n"+p[8:]), malformed),
		given("E15 a line feed before the payload, signed as it stands", signedAsIs(h+".\n"+p), malformed),
		given("E15 a carriage return before the payload, signed as it stands", signedAsIs(h+".\r"+p), malformed),
		given("E15 a line feed within the signature", h+"."+p+"."+s[:8]+"\n"+s[8:], malformed),
		given("E17 two tokens, comma-joined", valid+", Bearer "+valid, malformed),
		given("E19 a good token of more than 8 KiB", claims(also("padding", tokentest.Quote(strings.Repeat("x", 8<<10)))), malformed),
		given("E19 a good token of exactly 8 KiB", ofLength(8<<10), accepted),
		given("E19 a good token of one byte more than 8 KiB", ofLength(8<<10+1), malformed),
		given("E20 a megabyte of letters", strings.Repeat("A", 1<<20), malformed),
		given("E20 a megabyte of dots", strings.Repeat(".", 1<<20), malformed),
		given("nothing", "", malformed),

		given("S01 two parts", h+"."+p, malformed),
		given("S02 four parts", valid+".x", malformed),
		given("S03 five parts, as of an encrypted token", valid+".x.y", malformed),
		given("S04 an empty signature", h+"."+p+".", malformed),
		given("S05 an empty header", "."+p+"."+s, malformed),
		given("S05 an empty payload", h+".."+s, malformed),
		given("S05 an empty payload, signed as it stands", signedAsIs(h+"."), malformed),
		given("S05 three empty parts", "..", malformed),
		given("S06 a leading dot", "."+valid, malformed),
		given("S06 a trailing dot", valid+".", malformed),
		given("S06 a double dot", h+".."+p+"."+s, malformed),
		given("S07 a padded signature", valid+"==", malformed),
		given("S08 a padded header, signed as it stands", signedAsIs(padded(header)+"."+p), malformed),
		given("S08 a padded payload, signed as it stands", signedAsIs(h+"."+padded(payload+" ")), malformed),
		given("S09 a signature in the standard alphabet", inStandardAlphabet(), malformed),
		given("S10 non-zero trailing bits in the signature", valid[:len(valid)-1]+next(valid[len(valid)-1]), malformed),
		given("S10 non-zero trailing bits in the payload, signed as it stands", signedAsIs(h+"."+looseTail(payload)), malformed),
		given("S10 non-zero trailing bits in the header, signed as it stands", signedAsIs(looseTail(header)+"."+p), malformed),
		given("S13 the flattened JSON serialization", fmt.Sprintf(`{"protected":%q,"payload":%q,"signature":%q}`, h, p, s), malformed),
		given("S14 the general JSON serialization", fmt.Sprintf(`{"payload":%q,"signatures":[{"protected":%q,"signature":%q}]}`, p, h, s), malformed),
		given("S15 the general JSON serialization, first signature bad", fmt.Sprintf(`{"payload":%q,"signatures":[{"protected":%q,"signature":"AAAA"},{"protected":%q,"signature":%q}]}`, p, h, h, s), malformed),
		given("S16 the flattened JSON serialization, kid unprotected", fmt.Sprintf(`{"header":{"kid":"k1"},"protected":%q,"payload":%q,"signature":%q}`, h, p, s), malformed),
		given("S17 unsigned claims", payload, malformed),
		given("S18 a nested token that says so", tokentest.Sign(tokentest.Header("k1").With("cty", `"JWT"`).JSON(), []byte(valid), tokentest.K1()), refusal.UnsupportedHeader),
		given("S19 a nested token that does not say so", rawPayload(valid), malformed),
		given("S20 a detached payload", h+".."+s, malformed),
		given("S23 a byte order mark before the header", rawHeader("\ufeff"+header), malformed),
		given("S23 a byte order mark before the payload", rawPayload("\ufeff"+payload), malformed),
		given("S23 a header in UTF-16", rawHeader(inUTF16(header)), malformed),
		given("S23 a payload in UTF-16", rawPayload(inUTF16(payload)), malformed),
		given("S24 garbage after the header", rawHeader(header+"xx"), malformed),
		given("S25 garbage after the payload", rawPayload(payload+"garbage"), malformed),
		given("S25 a closing brace after the payload", rawPayload(payload+"}"), malformed),
		given("S25 a NUL after the payload", rawPayload(payload+"\x00"), malformed),
		given("S26 two documents in the payload", rawPayload(payload+`{"sub":"root"}`), malformed),
		given("S26 two documents in the header", rawHeader(header+header), malformed),
		given("S27 an array as payload", rawPayload("[]"), malformed),
		given("S27 an array around the payload", rawPayload("["+payload+"]"), malformed),
		given("S27 null as payload", rawPayload("null"), malformed),
		given("S27 a string as payload", rawPayload(`"str"`), malformed),
		given("S27 a number as payload", rawPayload("5"), malformed),
		given("S27 white space as payload", rawPayload("  "), malformed),
		given("S27 an array as header", rawHeader("[]"), malformed),
		given("S27 a string as header", rawHeader(`"RS256"`), malformed),
		given("S28 invalid UTF-8 in sub", claims(set("sub", "\"a\xff\xfe\"")), malformed),
		given("S28 invalid UTF-8 in an unknown claim", claims(also("foo", "\"\xc3\x28\"")), malformed),
		given("S28 invalid UTF-8 deep in an unknown claim", claims(also("foo", "[{\"a\":\"\xc0\x80\"}]")), malformed),
		given("S28 invalid UTF-8 in a name", claims(also("\xff", "1")), malformed),
		given("S28 invalid UTF-8 in the header", headers(also("foo", "\"\xff\"")), malformed),
		given("S28 a lone surrogate in sub", claims(set("sub", `"a\ud800"`)), malformed),
		given("S28 a surrogate encoded in UTF-8", claims(set("sub", "\"\xed\xa0\x80\"")), malformed),
		given("S31 white space within header and payload", tokentest.Sign(spaced(header), spaced(payload), tokentest.K1()), accepted),
		given("S32 an escape in a claim's name", rawPayload(strings.Replace(payload, `"aud"`, `"\u0061ud"`, 1)), accepted),
		given("S32 an escape in a header's name", rawHeader(strings.Replace(header, `"alg"`, `"\u0061lg"`, 1)), accepted),
		given("S32 an escape in a value", claims(set("aud", `"https:\/\/api.example.com\/account"`)), accepted),
		given("S32 members in another order", claims(drop("iss"), also("iss", tokentest.Quote(tokentest.Issuer))), accepted),
		given("S33 brackets as deep as the size cap admits", claims(also("a", nested(2900))), malformed),
		given("S33 unclosed brackets as deep as the size cap admits", rawPayload(`{"a":`+strings.Repeat("[", 5000)), malformed),
		given("S34 nesting at the depth cap", claims(also("a", nested(31))), accepted),
		given("S34 nesting one beyond the depth cap", claims(also("a", nested(32))), malformed),
		given("S34 nesting beyond the depth cap in the header", headers(also("a", nested(32))), malformed),
		given("S34 nesting of objects beyond the depth cap", claims(also("a", strings.Repeat(`{"a":`, 32)+"1"+strings.Repeat("}", 32))), malformed),

		given("a header cut off after a name", rawHeader(`{"alg"`), malformed),
		given("a header cut off after a value", rawHeader(header[:len(header)-1]), malformed),
		given("a payload cut off within a nested value", rawPayload(payload[:len(payload)-1]+`,"a":[1`), malformed),
		given("a payload cut off within a string", rawPayload(payload[:len(payload)-3]), malformed),
		given("an empty object as header", rawHeader("{}"), refusal.UnsupportedAlg),
		given("an empty object as payload", rawPayload("{}"), refusal.BadIssuer),
		given("a name that is not a string", rawPayload(`{1:2}`), malformed),
		given("a trailing comma", rawPayload(payload[:len(payload)-1]+",}"), malformed),
		given("single quotes", rawPayload(strings.ReplaceAll(payload, `"`, "'")), malformed),
		given("a comment", rawPayload("/**/"+payload), malformed),
		given("a raw line feed within a string", claims(also("foo", "\"a\nb\"")), malformed),
		given("an unfinished escape", claims(also("foo", `"\u12"`)), malformed),
		given("NaN", claims(also("foo", "NaN")), malformed),
		given("a number with a leading zero", claims(set("exp", "01700086400")), malformed),
		given("a number with a plus", claims(set("exp", "+1700086400")), malformed),
		given("a number that ends in a point", claims(set("exp", "1700086400.")), malformed),
		given("a hexadecimal number", claims(set("exp", "0x65556480")), malformed),
	}
}

// signedAsIs signs a signing input whose parts are not encoded canonically.
func signedAsIs(input string) string {
	return input + "." + tokentest.Segment(tokentest.Signature(input, tokentest.K1()))
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

// looseTail is text in base64url whose last character carries a bit too many.
func looseTail(text string) string {
	for len(text)%3 == 0 {
		text += " "
	}
	segment := tokentest.Segment([]byte(text))
	return segment[:len(segment)-1] + next(segment[len(segment)-1])
}

// next is the character after char in the alphabet: for the last of a part with
// unused bits, the same bytes in another spelling.
func next(char byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return alphabet[strings.IndexByte(alphabet, char)+1:][:1]
}

// inStandardAlphabet is a good token but for + and / instead of - and _ in its
// signature. White space varies the payload until the signature needs them.
func inStandardAlphabet() string {
	for space := ""; ; space += " " {
		token := rawPayload(tokentest.Payload().String() + space)
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

// nested is depth arrays within each other.
func nested(depth int) string {
	return strings.Repeat("[", depth) + strings.Repeat("]", depth)
}
