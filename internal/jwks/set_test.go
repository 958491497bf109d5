package jwks

import (
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"account-api/internal/refusal"
	"account-api/internal/signature"
	"account-api/internal/token/tokentest"
)

// good is the key k1 as the provider publishes it.
func good() tokentest.Object { return tokentest.JWK("k1", tokentest.K1()) }

// impostor is another RSA key under the same key ID.
func impostor() tokentest.Object { return tokentest.JWK("k1", tokentest.K3()) }

// ellipticKey is an EC key, the base point of P-256 (RFC 7518, section 6.2.1).
func ellipticKey(kid string) tokentest.Object {
	return tokentest.Object{}.With("kty", `"EC"`).With("crv", `"P-256"`).With("use", `"sig"`).With("kid", tokentest.Quote(kid)).
		With("x", `"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY"`).With("y", `"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"`)
}

// ofBits is an odd number of so many bits in base64url, quoted.
func ofBits(bits uint) string {
	n := new(big.Int).Lsh(big.NewInt(1), bits-1)
	return encoded(n.SetBit(n, 0, 1))
}

func encoded(n *big.Int) string { return tokentest.Quote(tokentest.Segment(n.Bytes())) }

func keys(members ...string) string { return `{"keys":[` + strings.Join(members, ",") + `]}` }

// nulls is a key with more members, all null, as some serializers write it.
func nulls(key tokentest.Object, names ...string) tokentest.Object {
	for _, name := range names {
		key = key.Also(name, "null")
	}
	return key
}

const noSet refusal.Reason = "not a key set" // stands for an error of Parse

func TestParse(t *testing.T) {
	k1 := good().String()
	k2 := tokentest.JWK("k2", tokentest.K2()).String()
	n := tokentest.Segment(tokentest.K1().N.Bytes())
	withN := func(n string) string { return keys(good().With("n", n).String()) }
	withE := func(e string) string { return keys(good().With("e", e).String()) }
	secret := good().Also("d", `"AQAB"`)

	const key refusal.Reason = "" // the row expects k1's key
	rows := []struct {
		name     string
		document string
		want     refusal.Reason // for the key ID k1
	}{
		{"two keys as Auth0 publishes them", keys(k1, k2), key},
		{"use enc", keys(good().With("use", `"enc"`).String()), refusal.KeyRejected},
		{"use SIG in capitals", keys(good().With("use", `"SIG"`).String()), refusal.KeyRejected},
		{"use null is absent", keys(good().With("use", `null`).String()), key},
		{"use an array", keys(good().With("use", `["sig"]`).String()), refusal.KeyRejected},
		{"use absent", keys(good().Without("use").String()), key},
		{"key_ops encrypt", keys(good().Also("key_ops", `["encrypt"]`).String()), refusal.KeyRejected},
		{"key_ops empty", keys(good().Also("key_ops", `[]`).String()), refusal.KeyRejected},
		{"key_ops null is absent", keys(good().Also("key_ops", `null`).String()), key},
		{"key_ops a bare string", keys(good().Also("key_ops", `"verify"`).String()), refusal.KeyRejected},
		{"key_ops verify beside null", keys(good().Also("key_ops", `["verify",null]`).String()), refusal.KeyRejected},
		{"key_ops verify with use sig", keys(good().Also("key_ops", `["verify"]`).String()), key},
		{"key_ops sign and verify without use", keys(good().Without("use").Also("key_ops", `["sign","verify"]`).String()), key},
		{"alg absent", keys(good().Without("alg").String()), key},
		{"alg PS256", keys(good().With("alg", `"PS256"`).String()), refusal.KeyRejected},
		{"alg RSA-OAEP", keys(good().With("alg", `"RSA-OAEP"`).String()), refusal.KeyRejected},
		{"alg null is absent", keys(good().With("alg", `null`).String()), key},
		{"alg RS384", keys(good().With("alg", `"RS384"`).String()), refusal.KeyRejected},
		{"oct key with the kid", keys(`{"kty":"oct","kid":"k1","alg":"HS256","k":"c2VjcmV0"}`), refusal.KeyRejected},
		{"only an EC key with the kid", keys(ellipticKey("k1").String()), refusal.KeyRejected},
		{"kty rsa in lower case", keys(good().With("kty", `"rsa"`).String()), refusal.KeyRejected},
		{"EC key first, RSA key with the same kid", keys(ellipticKey("k1").String(), k1), key},
		{"RSA key first, EC key with the same kid", keys(k1, ellipticKey("k1").String()), key},
		{"two RSA keys with one kid, good one first", keys(k1, impostor().String()), refusal.KeyRejected},
		{"two RSA keys with one kid, good one second", keys(impostor().String(), k1), refusal.KeyRejected},
		{"a third copy does not settle it", keys(k1, impostor().String(), k1), refusal.KeyRejected},
		{"same modulus, other exponent", keys(k1, good().With("e", `"Aw"`).String()), refusal.KeyRejected},
		{"an impostor that is for encryption is no rival", keys(impostor().With("use", `"enc"`).String(), k1), key},
		{"the same key twice", keys(k1, k1), key},
		{"the same key twice, once with less around it", keys(k1, good().Without("x5c").Without("alg").String()), key},
		{"1024 bits", withN(ofBits(1024)), refusal.KeyRejected},
		{"2047 bits", withN(ofBits(2047)), refusal.KeyRejected},
		{"8193 bits", withN(ofBits(8193)), refusal.KeyRejected},
		{"16384 bits", withN(ofBits(16384)), refusal.KeyRejected},
		{"even modulus", withN(encoded(new(big.Int).Lsh(big.NewInt(1), 2047))), refusal.KeyRejected},
		{"exponent 1", withE(`"AQ"`), refusal.KeyRejected},
		{"exponent 2", withE(`"Ag"`), refusal.KeyRejected},
		{"exponent 65536", withE(`"AQAA"`), refusal.KeyRejected},
		{"exponent 2³¹+1", withE(`"gAAAAQ"`), refusal.KeyRejected},
		{"exponent 2⁶⁴+65537", withE(`"AQAAAAAAAQAB"`), refusal.KeyRejected},
		{"exponent 0", withE(`"AA"`), refusal.KeyRejected},
		{"exponent empty", withE(`""`), refusal.KeyRejected},
		{"exponent a number", withE(`65537`), refusal.KeyRejected},
		{"exponent padded", withE(`"Aw=="`), refusal.KeyRejected},
		{"exponent with stray bits", withE(`"Ax"`), refusal.KeyRejected},
		{"exponent absent", keys(good().Without("e").String()), refusal.KeyRejected},
		{"exponent with a leading zero", withE(`"AAEAAQ"`), key},
		{"n with a leading zero", withN(tokentest.Quote(tokentest.Segment(append([]byte{0}, tokentest.K1().N.Bytes()...)))), key},
		{"n padded", withN(`"` + n + `=="`), refusal.KeyRejected},
		{"n in the standard alphabet", withN(tokentest.Quote(base64.RawStdEncoding.EncodeToString(
			new(big.Int).Or(new(big.Int).Lsh(big.NewInt(0xffff), 2032), tokentest.K1().N).Bytes()))), refusal.KeyRejected},
		{"n with a line break", withN(`"` + n[:8] + `\n` + n[8:] + `"`), refusal.KeyRejected},
		{"n with stray bits in the last character", withN(`"` + n[:len(n)-1] + strayBits(n[len(n)-1]) + `"`), refusal.KeyRejected},
		{"n absent", keys(good().Without("n").String()), refusal.KeyRejected},
		{"n empty", withN(`""`), refusal.KeyRejected},
		{"published again without its private half", keys(secret.String(), k1), refusal.KeyRejected},
		{"published properly first", keys(k1, secret.String()), refusal.KeyRejected},
		{"private half under another kid", keys(k1, secret.With("kid", `"k9"`).String()), refusal.KeyRejected},
		{"private half under no kid", keys(k1, secret.Without("kid").String()), refusal.KeyRejected},
		{"private half of another RSA key with the kid", keys(k1, impostor().Also("d", `"AQAB"`).String()), refusal.KeyRejected},
		{"a sibling's private half is the sibling's problem", keys(k1, tokentest.JWK("k2", tokentest.K2()).Also("d", `"AQAB"`).String()), key},
		{"an EC private key with the kid is no rival", keys(ellipticKey("k1").Also("d", `"AQAB"`).String(), k1), key},
		{"every private member null is absent", keys(nulls(good(), "d", "p", "q", "dp", "dq", "qi", "oth", "k").String()), key},
		{"one private member among nulls", keys(nulls(good(), "p", "q").Also("d", `"AQAB"`).String()), refusal.KeyRejected},
		{"n null", withN("null"), refusal.KeyRejected},
		{"exponent null", withE("null"), refusal.KeyRejected},
		{"own kty null", keys(k2, good().With("kty", "null").String()), refusal.KeyRejected},
		{"AKP sibling first", keys(`{"kty":"AKP","alg":"ML-DSA-44","kid":"pq","pub":"AAAA"}`, k1), key},
		{"sibling with n=!!", keys(good().With("kid", `"k0"`).With("n", `"!!"`).String(), k1), key},
		{"siblings that are no objects", keys(`null`, `5`, `"k1"`, `[]`, `true`, k1), key},
		{"sibling without kty", keys(`{"kid":"k1"}`, k1), key},
		{"sibling with a member twice", keys(good().With("kid", `"k0"`).Also("kid", `"k1"`).String(), k1), key},
		{"own member twice", keys(k2, good().Before("kid", `"k1"`).String()), refusal.UnknownKid},
		{"own kty not a string", keys(k2, good().With("kty", `["RSA"]`).String()), refusal.KeyRejected},
		{"names in capitals do not count", keys(strings.ReplaceAll(k1, `"kid"`, `"KID"`)), refusal.UnknownKid},
		{"an escaped name is the name", keys(strings.ReplaceAll(k1, `"kid"`, `"k\u0069d"`)), key},
		{"no kid", keys(good().Without("kid").String()), refusal.UnknownKid},
		{"kid empty", keys(good().With("kid", `""`).String()), refusal.UnknownKid},
		{"kid null", keys(good().With("kid", `null`).String()), refusal.UnknownKid},
		{"kid in another case", keys(good().With("kid", `"K1"`).String()), refusal.UnknownKid},
		{"a bare JWK", k1, noSet},
		{"an array of JWKs", `[` + k1 + `]`, noSet},
		{"KEYS in capitals", `{"KEYS":[` + k1 + `]}`, noSet},
		{"a member of the set that nobody knows", `{"foo":{"a":[1]},"keys":[` + k1 + `],"bar":null}`, key},
		{"no keys", `{"keys":[]}`, noSet},
		{"empty object", `{}`, noSet},
		{"null", `null`, noSet},
		{"keys an object", `{"keys":{}}`, noSet},
		{"keys null", `{"keys":null}`, noSet},
		{"keys with nothing that is a JWK", keys(`null`, `{}`, `{"kty":1}`), noSet},
		{"empty document", ``, noSet},
		{"white space only", " \n", noSet},
		{"garbage behind the set", keys(k1) + `x`, noSet},
		{"a second set behind the set", keys(k1) + keys(k1), noSet},
		{"a line break behind the set", keys(k1) + "\r\n", key},
		{"a byte order mark before the set", "\ufeff" + keys(k1), noSet},
		{"keys twice", `{"keys":[` + k2 + `],"keys":[` + k1 + `]}`, noSet},
		{"keys twice, once escaped", `{"\u006beys":[` + k2 + `],"keys":[` + k1 + `]}`, noSet},
		{"another member of the set twice", `{"a":1,"a":1,"keys":[` + k1 + `]}`, noSet},
		{"a name twice inside another member of the set", `{"a":{"b":1,"b":2},"keys":[` + k1 + `]}`, noSet},
		{"invalid UTF-8 anywhere", keys("\"\xff\"", k1), noSet},
		{"truncated", keys(k1)[:200], noSet},
		{"trailing comma", `{"keys":[` + k1 + `,]}`, noSet},
		{"100 keys", keys(append(many(99), k1)...), key},
		{"101 keys", keys(append(many(100), k1)...), noSet},
		{"150 001 bytes", keys(k1) + strings.Repeat(" ", 150_001-len(keys(k1))), noSet},
		{"150 000 bytes", keys(k1) + strings.Repeat(" ", 150_000-len(keys(k1))), key},
		{"x5c garbage", keys(good().With("x5c", `"garbage"`).String()), key},
		{"x5c of another key", keys(good().With("x5c", `["MIIB"]`).With("x5t", `0`).String()), key},
		{"nested 32 deep", keys(k1, nested(32-2)), key},
		{"nested 33 deep", keys(k1, nested(33-2)), noSet},
		{"nested 20 000 deep", keys(k1, nested(20_000)), noSet},
		{"a next key that is not in use yet", keys(k1, k2), key},
		{"a previous key that is still published", keys(k2, k1), key},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			set, err := Parse([]byte(row.document))
			if row.want == noSet {
				if err == nil {
					t.Fatal("got a set, want an error")
				}
				if len(err.Error()) > 200 {
					t.Errorf("the error has %d bytes: does it quote the document?", len(err.Error()))
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := set.Key("k1")
			if row.want == key {
				checkKey(t, got, err, tokentest.K1())
			} else {
				checkRefused(t, got, err, row.want)
			}
		})
	}
}

// strayBits returns another character with the same two leading bits. The last of the 342
// characters of a 2048 bit modulus has no others.
func strayBits(last byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return alphabet[strings.IndexByte(alphabet, last)+1:][:1]
}

func many(count int) []string {
	members := make([]string, count)
	for i := range members {
		members[i] = fmt.Sprintf(`{"kty":"AKP","kid":"pq%d"}`, i)
	}
	return members
}

func nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

func TestParseAcceptsKeySizes(t *testing.T) {
	for _, bits := range []uint{2048, 3072, 4096, 8192} {
		t.Run(fmt.Sprintf("%d bits", bits), func(t *testing.T) {
			set, err := Parse([]byte(keys(good().With("n", ofBits(bits)).String())))
			if err != nil {
				t.Fatal(err)
			}
			key, err := set.Key("k1")
			if err != nil || key.Public.(*rsa.PublicKey).N.BitLen() != int(bits) {
				t.Fatalf("got %v, %v; want a key of %d bits", key, err, bits)
			}
		})
	}
	for name, e := range map[string]int{`"Aw"`: 3, `"AQAB"`: 65537, `"f____w"`: 1<<31 - 1} {
		t.Run(fmt.Sprintf("exponent %d", e), func(t *testing.T) {
			set, err := Parse([]byte(keys(good().With("e", name).String())))
			if err != nil {
				t.Fatal(err)
			}
			if key, err := set.Key("k1"); err != nil || key.Public.(*rsa.PublicKey).E != e {
				t.Fatalf("got %v, %v; want exponent %d", key, err, e)
			}
		})
	}
}

func TestParsePrivateMembers(t *testing.T) {
	for _, member := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
		t.Run("published with "+member, func(t *testing.T) {
			// The type of the value does not matter, except for null.
			set, err := Parse([]byte(keys(good().Also(member, "false").String())))
			if err != nil {
				t.Fatal(err)
			}
			key, err := set.Key("k1")
			checkRefused(t, key, err, refusal.KeyRejected)
		})
	}
}

func TestParseComparesKeyIDsAsStrings(t *testing.T) {
	set, err := Parse([]byte(keys(good().With("kid", "1").String())))
	if err != nil {
		t.Fatal(err)
	}
	key, err := set.Key("1")
	checkRefused(t, key, err, refusal.UnknownKid)
	if set.Len() != 0 {
		t.Errorf("got %d usable keys, want 0", set.Len())
	}
}

func TestParseBoundsKeyIDs(t *testing.T) {
	for length, want := range map[int]int{256: 1, 257: 0} {
		set, err := Parse([]byte(keys(good().With("kid", tokentest.Quote(strings.Repeat("k", length))).String())))
		if err != nil || set.Len() != want {
			t.Errorf("a key ID of %d bytes: got %d usable keys, %v; want %d", length, set.Len(), err, want)
		}
	}
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	for document, want := range map[string]string{
		good().String():             `no member "keys": a single JWK is not a set`,
		`[` + good().String() + `]`: "not a JSON object",
		`{"keys":{}}`:               `"keys" is not an array`,
		`{"keys":[]}`:               `no member of "keys" is a JWK`,
		keys() + `{}`:               "followed by something else, at byte 1",
		`{"keys":[}`:                "not strict JSON, after byte 9",
		`{"a":0,"a":0}`:             "a member twice, at byte 10",
		keys(nested(31)):            "deeper than 32 levels",
		keys(many(101)...):          "more than 100 keys",
		strings.Repeat(" ", 2e5):    "larger than 150000 bytes",
	} {
		if _, err := Parse([]byte(document)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30s: got %v, want %q in it", document, err, want)
		}
	}
}

func TestZeroSetHasNoKeys(t *testing.T) {
	key, err := Set{}.Key("k1")
	checkRefused(t, key, err, refusal.UnknownKid)
}

// TestParseAgreesWithJWX compares with jwx on an ordinary document.
func TestParseAgreesWithJWX(t *testing.T) {
	document := tokentest.PublicKeySet()
	ours, err := Parse(document)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := jwk.Parse(document)
	if err != nil {
		t.Fatal(err)
	}
	for _, kid := range []string{"k1", "k2"} {
		other, _ := theirs.LookupKeyID(kid)
		var want rsa.PublicKey
		if err := other.Raw(&want); err != nil {
			t.Fatal(err)
		}
		if got, err := ours.Key(kid); err != nil || !got.Equal(&signature.Key{Algorithm: signature.RS256, Public: &want}) {
			t.Errorf("%s: got %v, %v; jwx has another key", kid, got, err)
		}
	}
}
