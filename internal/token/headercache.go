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

// headerCache remembers what a header segment says: all tokens under a key share the header.
// Only headers of tokens with a verified signature enter it, so a stranger can neither fill it
// nor evict from it. Claims and signature are checked every time.
type headerCache struct {
	known atomic.Pointer[map[string]naming] // replaced as a whole, never written to
}

// find returns what the header says, if it was seen before.
func (c *headerCache) find(segment string) (n naming, ok bool) {
	if known := c.known.Load(); known != nil {
		n, ok = (*known)[segment]
	}
	return n, ok
}

// add remembers a header. A full cache starts again from empty.
func (c *headerCache) add(segment string, n naming) {
	if _, ok := c.find(segment); ok || len(segment) > maxHeaderSegment {
		return
	}
	next := map[string]naming{}
	if known := c.known.Load(); known != nil && len(*known) < maxHeaders {
		next = maps.Clone(*known)
	}
	next[strings.Clone(segment)] = n // the segment itself would keep the whole token in memory
	// Of two calls at once, one header is forgotten until its next token.
	c.known.Store(&next)
}
