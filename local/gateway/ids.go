package gateway

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
)

// ids are the random names of one request.
type ids struct{ request, extended, trace string }

// newIDs draws the request's ID (UUID version 4), the shorter one that access logs
// call extendedRequestId, and the root of an X-Ray trace, without its time.
func newIDs() ids {
	var b [16 + 11 + 12]byte
	rand.Read(b[:]) // never fails: https://pkg.go.dev/crypto/rand#Read
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	u := hex.EncodeToString(b[:16])
	return ids{
		request:  u[:8] + "-" + u[8:12] + "-" + u[12:16] + "-" + u[16:20] + "-" + u[20:],
		extended: base64.URLEncoding.EncodeToString(b[16:27]),
		trace:    hex.EncodeToString(b[27:]),
	}
}
