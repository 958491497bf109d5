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
		Given("E01 the provider's token as it is", valid, Accepted),
		Given("E08 an opaque value", "1234", malformed),
		Given("E11 a leading space", " "+valid, malformed),
		Given("E14 a trailing space", valid+" ", malformed),
		Given("E15 a trailing line feed", valid+"\n", malformed),
		Given("E15 a trailing carriage return and line feed", valid+"\r\n", malformed),
		Given("E15 a line feed within the payload, which base64 decoders skip", h+"."+p[:8]+"\n"+p[8:]+"."+s, malformed),
		Given("E15 a carriage return before the payload, which base64 decoders skip", h+".\r"+p+"."+s, malformed),
		Given("E15 a line feed within the header, signed as it stands", SignedAsIs(h[:8]+"\n"+h[8:]+"."+p), malformed),
		Given("E15 a line feed within the payload, signed as it stands", SignedAsIs(h+"."+p[:8]+"\n"+p[8:]), malformed),
		Given("E15 a line feed before the payload, signed as it stands", SignedAsIs(h+".\n"+p), malformed),
		Given("E15 a carriage return before the payload, signed as it stands", SignedAsIs(h+".\r"+p), malformed),
		Given("E15 a line feed within the signature", h+"."+p+"."+s[:8]+"\n"+s[8:], malformed),
		Given("E17 two tokens, comma-joined", valid+", Bearer "+valid, malformed),
		Given("E19 a good token of more than 8 KiB", Claims(Also("padding", tokentest.Quote(strings.Repeat("x", 8<<10)))), malformed),
		Given("E19 a good token of exactly 8 KiB", ofLength(8<<10), Accepted),
		Given("E19 a good token of one byte more than 8 KiB", ofLength(8<<10+1), malformed),
		Given("E20 a megabyte of letters", strings.Repeat("A", 1<<20), malformed),
		Given("E20 a megabyte of dots", strings.Repeat(".", 1<<20), malformed),
		Given("nothing", "", malformed),

		Given("S01 two parts", h+"."+p, malformed),
		Given("S02 four parts", valid+".x", malformed),
		Given("S03 five parts, as of an encrypted token", valid+".x.y", malformed),
		Given("S04 an empty signature", h+"."+p+".", malformed),
		Given("S05 an empty header", "."+p+"."+s, malformed),
		Given("S05 an empty payload", h+".."+s, malformed),
		Given("S05 an empty payload, signed as it stands", SignedAsIs(h+"."), malformed),
		Given("S05 three empty parts", "..", malformed),
		Given("S06 a leading dot", "."+valid, malformed),
		Given("S06 a trailing dot", valid+".", malformed),
		Given("S06 a double dot", h+".."+p+"."+s, malformed),
		Given("S07 a padded signature", valid+"==", malformed),
		Given("S08 a padded header, signed as it stands", SignedAsIs(padded(header)+"."+p), malformed),
		Given("S08 a padded payload, signed as it stands", SignedAsIs(h+"."+padded(payload+" ")), malformed),
		Given("S09 a signature in the standard alphabet", inStandardAlphabet(), malformed),
		Given("S10 non-zero trailing bits in the signature", valid[:len(valid)-1]+next(valid[len(valid)-1]), malformed),
		Given("S10 non-zero trailing bits in the payload, signed as it stands", SignedAsIs(h+"."+looseTail(payload)), malformed),
		Given("S10 non-zero trailing bits in the header, signed as it stands", SignedAsIs(looseTail(header)+"."+p), malformed),
		Given("S13 the flattened JSON serialization", fmt.Sprintf(`{"protected":%q,"payload":%q,"signature":%q}`, h, p, s), malformed),
		Given("S14 the general JSON serialization", fmt.Sprintf(`{"payload":%q,"signatures":[{"protected":%q,"signature":%q}]}`, p, h, s), malformed),
		Given("S15 the general JSON serialization, first signature bad", fmt.Sprintf(`{"payload":%q,"signatures":[{"protected":%q,"signature":"AAAA"},{"protected":%q,"signature":%q}]}`, p, h, h, s), malformed),
		Given("S16 the flattened JSON serialization, kid unprotected", fmt.Sprintf(`{"header":{"kid":"k1"},"protected":%q,"payload":%q,"signature":%q}`, h, p, s), malformed),
		Given("S17 unsigned claims", payload, malformed),
		Given("S18 a nested token that says so", tokentest.Sign(tokentest.Header("k1").With("cty", `"JWT"`).JSON(), []byte(valid), tokentest.K1()), refusal.UnsupportedHeader),
		Given("S19 a nested token that does not say so", RawPayload(valid), malformed),
		Given("S20 a detached payload", h+".."+s, malformed),
		Given("S23 a byte order mark before the header", RawHeader("\ufeff"+header), malformed),
		Given("S23 a byte order mark before the payload", RawPayload("\ufeff"+payload), malformed),
		Given("S23 a header in UTF-16", RawHeader(inUTF16(header)), malformed),
		Given("S23 a payload in UTF-16", RawPayload(inUTF16(payload)), malformed),
		Given("S24 garbage after the header", RawHeader(header+"xx"), malformed),
		Given("S25 garbage after the payload", RawPayload(payload+"garbage"), malformed),
		Given("S25 a closing brace after the payload", RawPayload(payload+"}"), malformed),
		Given("S25 a NUL after the payload", RawPayload(payload+"\x00"), malformed),
		Given("S26 two documents in the payload", RawPayload(payload+`{"sub":"root"}`), malformed),
		Given("S26 two documents in the header", RawHeader(header+header), malformed),
		Given("S27 an array as payload", RawPayload("[]"), malformed),
		Given("S27 an array around the payload", RawPayload("["+payload+"]"), malformed),
		Given("S27 null as payload", RawPayload("null"), malformed),
		Given("S27 a string as payload", RawPayload(`"str"`), malformed),
		Given("S27 a number as payload", RawPayload("5"), malformed),
		Given("S27 white space as payload", RawPayload("  "), malformed),
		Given("S27 an array as header", RawHeader("[]"), malformed),
		Given("S27 a string as header", RawHeader(`"RS256"`), malformed),
		Given("S28 invalid UTF-8 in sub", Claims(Set("sub", "\"a\xff\xfe\"")), malformed),
		Given("S28 invalid UTF-8 in an unknown claim", Claims(Also("foo", "\"\xc3\x28\"")), malformed),
		Given("S28 invalid UTF-8 deep in an unknown claim", Claims(Also("foo", "[{\"a\":\"\xc0\x80\"}]")), malformed),
		Given("S28 invalid UTF-8 in a name", Claims(Also("\xff", "1")), malformed),
		Given("S28 invalid UTF-8 in the header", Headers(Also("foo", "\"\xff\"")), malformed),
		Given("S28 a lone surrogate in sub", Claims(Set("sub", `"a\ud800"`)), malformed),
		Given("S28 a surrogate encoded in UTF-8", Claims(Set("sub", "\"\xed\xa0\x80\"")), malformed),
		Given("S31 white space within header and payload", tokentest.Sign(spaced(header), spaced(payload), tokentest.K1()), Accepted),
		Given("S32 an escape in a claim's name", RawPayload(strings.Replace(payload, `"aud"`, `"\u0061ud"`, 1)), Accepted),
		Given("S32 an escape in a header's name", RawHeader(strings.Replace(header, `"alg"`, `"\u0061lg"`, 1)), Accepted),
		Given("S32 an escape in a value", Claims(Set("aud", strings.ReplaceAll(tokentest.Quote(tokentest.Audience), "/", `\/`))), Accepted),
		Given("S32 members in another order", Claims(Drop("iss"), Also("iss", tokentest.Quote(tokentest.Issuer))), Accepted),
		Given("S33 brackets as deep as the size cap admits", Claims(Also("a", Nested(2900))), malformed),
		Given("S33 unclosed brackets as deep as the size cap admits", RawPayload(`{"a":`+strings.Repeat("[", 5000)), malformed),
		Given("S34 nesting at the depth cap", Claims(Also("a", Nested(31))), Accepted),
		Given("S34 nesting one beyond the depth cap", Claims(Also("a", Nested(32))), malformed),
		Given("S34 nesting beyond the depth cap in the header", Headers(Also("a", Nested(32))), malformed),
		Given("S34 nesting of objects beyond the depth cap", Claims(Also("a", strings.Repeat(`{"a":`, 32)+"1"+strings.Repeat("}", 32))), malformed),

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
