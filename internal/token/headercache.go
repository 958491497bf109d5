package token

import (
	"maps"
	"strings"
	"sync/atomic"
)

const (
	// maxHeaders is how many header segments are remembered. A provider signs with one or
	// two keys at a time and has one header for each.
	maxHeaders = 16

	// maxHeaderSegment is the longest segment, in bytes, that is remembered.
	maxHeaderSegment = 512
)

// headerCache remembers which key ID a header segment names: all tokens under a key share
// the header. Only headers of tokens with a verified signature enter it, so a stranger can
// neither fill it nor evict from it. Claims and signature are checked every time.
type headerCache struct {
	known atomic.Pointer[map[string]string] // replaced as a whole, never written to
}

// keyID returns the key ID that the header names, if it was seen before.
func (c *headerCache) keyID(segment string) (kid string, ok bool) {
	if known := c.known.Load(); known != nil {
		kid, ok = (*known)[segment]
	}
	return kid, ok
}

// add remembers a header. A full cache starts again from empty.
func (c *headerCache) add(segment, kid string) {
	if _, ok := c.keyID(segment); ok || len(segment) > maxHeaderSegment {
		return
	}
	next := map[string]string{}
	if known := c.known.Load(); known != nil && len(*known) < maxHeaders {
		next = maps.Clone(*known)
	}
	next[strings.Clone(segment)] = kid // the segment itself would keep the whole token in memory
	// Of two calls at once, one header is forgotten until its next token.
	c.known.Store(&next)
}
