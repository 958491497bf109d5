package gateway

import (
	"crypto/sha256"
	"sync"
	"time"
)

// cacheEntries bounds the authorizer cache. A developer's machine sees fewer distinct
// tokens within one TTL. An entry takes a few hundred bytes.
const cacheEntries = 4096

// cache keeps authorizer results for their TTL. It knows a token only by its hash.
type cache struct {
	mu      sync.Mutex
	max     int
	entries map[cacheKey]cached
}

type cacheKey [sha256.Size]byte

type cached struct {
	grant          *grant
	stored, expiry time.Time
}

func newCache(max int) *cache { return &cache{max: max, entries: map[cacheKey]cached{}} }

// keyOf is the identity of a result: the authorizer, its stage and the whole header
// value. Stage names and IDs cannot contain the separator.
func keyOf(stage, authorizerID, value string) cacheKey {
	return sha256.Sum256([]byte(stage + "\x00" + authorizerID + "\x00" + value))
}

func (c *cache) get(key cacheKey, now time.Time) (g *grant, age time.Duration, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	entry, ok := c.entries[key]
	if !ok || !now.Before(entry.expiry) {
		return nil, 0, false
	}
	return entry.grant, now.Sub(entry.stored), true
}

// put stores a result. In a full cache it replaces the oldest.
func (c *cache) put(key cacheKey, g *grant, now time.Time, ttl time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.entries[key]; !known && len(c.entries) >= c.max {
		oldest, at := cacheKey{}, time.Time{}
		for key, entry := range c.entries {
			if at.IsZero() || entry.stored.Before(at) {
				oldest, at = key, entry.stored
			}
		}
		delete(c.entries, oldest)
	}
	c.entries[key] = cached{g, now, now.Add(ttl)}
}
