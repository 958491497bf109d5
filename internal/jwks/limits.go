package jwks

import (
	"errors"
	"time"
)

const (
	// unknownKidInterval is how often, in the long run, unknown key IDs may cause a fetch.
	// It is also how long a key ID that was not found is refused without a fetch: a token
	// signed before its key is published works half a minute later.
	unknownKidInterval = 30 * time.Second
	// unknownKidBurst lets a rotation through at once after one junk key ID has caused a
	// fetch.
	unknownKidBurst = 2
	// maxAbsent bounds the table of absent key IDs to 32 KiB.
	maxAbsent = 128

	// firstBackoff doubles with each failed fetch up to maxBackoff.
	firstBackoff = time.Second
	// maxBackoff is for a source that has keys.
	maxBackoff = 30 * time.Second
	// maxRetryAfter bounds a provider's Retry-After (RFC 9110, section 10.2.3), which counts
	// for a source without keys, too: asking a provider that limits requests prolongs it.
	maxRetryAfter = 5 * time.Minute
	// maxColdBackoff is for a source without keys, which refuses every request meanwhile.
	// It saves those requests the wait for fetchDeadline.
	maxColdBackoff = 4 * time.Second
	// maxStrangers is how many key IDs without a key, and none with one, make the address
	// suspicious. Providers publish two to four keys.
	maxStrangers = 30
	// coldTries are the failed fetches after which a source without keys backs off: one in
	// the init phase and one in the first request.
	coldTries = 2
)

// budget is a token bucket over the wall clock. Its zero value is full. It counts only the
// fetches that it allowed.
type budget struct {
	spent    int
	refilled time.Time // when spent last went down, or up from zero
}

// take spends one fetch if there is one.
func (b *budget) take(now time.Time) bool {
	if elapsed := now.Sub(b.refilled); elapsed < 0 {
		b.refilled = now // the clock was set back: start this interval again
	} else {
		intervals := elapsed / unknownKidInterval
		b.spent = int(max(0, time.Duration(b.spent)-intervals))
		b.refilled = b.refilled.Add(intervals * unknownKidInterval)
	}
	if b.spent == 0 {
		b.refilled = now
	}
	if b.spent == unknownKidBurst {
		return false
	}
	b.spent++
	return true
}

// absent remembers key IDs that a good set did not have. A client that keeps sending the same
// unknown one then does not spend the budget. Its zero value is empty.
type absent struct {
	since map[string]time.Time
}

func (a *absent) holds(kid string, now time.Time) bool {
	since, ok := a.since[kid]
	return ok && within(now, since, unknownKidInterval)
}

// add remembers kid, unless the table is full of live entries. The budget still bounds the
// fetches for what is not remembered.
func (a *absent) add(kid string, now time.Time) {
	if a.since == nil {
		a.since = make(map[string]time.Time)
	}
	if len(a.since) >= maxAbsent {
		for known, since := range a.since {
			if !within(now, since, unknownKidInterval) {
				delete(a.since, known)
			}
		}
	}
	if len(a.since) < maxAbsent {
		a.since[kid] = now
	}
}

// failures counts the failed fetches since the last good one. During back-off, requests are
// answered without another fetch. Its zero value has none.
type failures struct {
	count      int
	at         time.Time     // of the last one
	last       string        // what went wrong then
	retryAfter time.Duration // that the provider asked for then
}

func (f *failures) add(now time.Time, err error) {
	f.count++
	f.at, f.last, f.retryAfter = now, err.Error(), 0
	if status, ok := errors.AsType[statusError](err); ok {
		f.retryAfter = status.retryAfter
	}
}

// backingOff reports whether it is too early for another fetch. A warm source has keys.
func (f *failures) backingOff(now time.Time, warm bool) bool {
	count, longest := f.count, maxBackoff
	if !warm {
		count, longest = f.count-coldTries, maxColdBackoff
	}
	pause := time.Duration(0)
	if count > 0 {
		pause = longest
	}
	if doublings := count - 1; count > 0 && doublings < 5 { // 1 s · 2⁵ is past maxBackoff
		pause = min(firstBackoff<<doublings, longest)
	}
	return within(now, f.at, max(pause, f.retryAfter))
}
