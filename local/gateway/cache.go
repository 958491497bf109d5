package gateway

import (
	"container/list"
	"crypto/sha256"
	"sync"
	"time"
)

// cacheEntries bounds the authorizer cache: what a developer's machine may see of
// distinct tokens within one TTL, at a few hundred bytes each.
const cacheEntries = 4096

// cache keeps authorizer results for their TTL. It knows a token only by its hash.
type cache struct {
	mu      sync.Mutex
	max     int
	entries map[[sha256.Size]byte]*list.Element
	order   *list.List // of *cached, oldest first
}

type cached struct {
	key            [sha256.Size]byte
	grant          *grant
	stored, expiry time.Time
}

func newCache(max int) *cache {
	return &cache{max: max, entries: map[[sha256.Size]byte]*list.Element{}, order: list.New()}
}

// cacheKey is the identity of a result: the authorizer, its stage and the whole
// header value. Stage names and IDs cannot contain the separator.
func cacheKey(stage, authorizerID, value string) [sha256.Size]byte {
	return sha256.Sum256([]byte(stage + "\x00" + authorizerID + "\x00" + value))
}

func (c *cache) get(key [sha256.Size]byte, now time.Time) (g *grant, age time.Duration, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.entries[key]
	if !ok {
		return nil, 0, false
	}
	entry := element.Value.(*cached)
	if !now.Before(entry.expiry) {
		c.remove(element)
		return nil, 0, false
	}
	return entry.grant, now.Sub(entry.stored), true
}

func (c *cache) put(key [sha256.Size]byte, g *grant, now time.Time, ttl time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element, ok := c.entries[key]; ok {
		c.remove(element)
	}
	if len(c.entries) >= c.max {
		c.remove(c.order.Front())
	}
	c.entries[key] = c.order.PushBack(&cached{key: key, grant: g, stored: now, expiry: now.Add(ttl)})
}

func (c *cache) remove(element *list.Element) {
	delete(c.entries, element.Value.(*cached).key)
	c.order.Remove(element)
}
