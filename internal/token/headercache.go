package token

import (
	"maps"
	"strings"
	"sync/atomic"
)

const (
	// maxHeaders is how many header segments are remembered. A provider signs with
	// one or two keys at a time, and its header depends on nothing else.
	maxHeaders = 16

	// maxHeaderSegment, in bytes, keeps unusual headers from holding memory.
	maxHeaderSegment = 512
)

// headerCache remembers which key ID a header segment names, so that the header
// that every token of a provider shares is parsed once. Only headers of tokens
// whose signature was verified enter it: a stranger can neither fill it nor evict
// from it. It holds no verdict about a token; claims and signature are checked
// every time.
type headerCache struct {
	known atomic.Pointer[map[string]string] // never written to after it is stored
}

// keyID returns the key ID that the header names, if it was seen before.
func (c *headerCache) keyID(segment string) (kid string, ok bool) {
	if known := c.known.Load(); known != nil {
		kid, ok = (*known)[segment]
	}
	return kid, ok
}

// add remembers a header. A full cache starts anew: whatever is in use comes back
// with its next token.
func (c *headerCache) add(segment, kid string) {
	if _, ok := c.keyID(segment); ok || len(segment) > maxHeaderSegment {
		return
	}
	next := map[string]string{}
	if known := c.known.Load(); known != nil && len(*known) < maxHeaders {
		next = maps.Clone(*known)
	}
	next[strings.Clone(segment)] = kid // the segment alone must not keep the whole token alive
	// Of two that add at once one is forgotten until its next token: no harm.
	c.known.Store(&next)
}
