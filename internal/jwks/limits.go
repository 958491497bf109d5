package jwks

import "time"

const (
	// unknownKidInterval is how often, in the long run, key IDs that nobody
	// published may make us ask the provider. It is also how long a key ID that
	// was looked up in vain is refused without asking: a token that is signed
	// before its key is published works half a minute later.
	unknownKidInterval = 30 * time.Second
	// unknownKidBurst lets a rotation through at once although one junk key ID
	// has just caused a fetch.
	unknownKidBurst = 2
	// maxAbsent bounds the table of absent key IDs to 32 KiB of them.
	maxAbsent = 128

	// firstBackoff doubles with each failed fetch up to maxBackoff.
	firstBackoff = time.Second
	// maxBackoff is for a source with keys to serve: nobody notices the wait.
	maxBackoff = 30 * time.Second
	// maxColdBackoff is for a source without: every request in it is refused, so
	// it only keeps an outage from also costing a full fetchDeadline each.
	maxColdBackoff = 4 * time.Second
	// coldTries are the failed fetches that a source without keys forgives before
	// it backs off: one in the init phase and one in the first request.
	coldTries = 2
)

// budget is a token bucket over the wall clock. Its zero value is full. It counts
// from the fetches that it allowed, so other fetches neither spend nor delay it.
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

// absent remembers key IDs that a good set did not have, so that a client that
// keeps sending the same withdrawn or invented one does not spend the budget. It
// is consulted only after the set itself. Its zero value is empty.
type absent struct {
	since map[string]time.Time
}

func (a *absent) holds(kid string, now time.Time) bool {
	since, ok := a.since[kid]
	return ok && within(now, since, unknownKidInterval)
}

// add remembers kid. When the table is full of live entries it stays as it is:
// what is not remembered is still bounded by the budget.
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

// failures counts the failed fetches since the last good one. While it backs off,
// requests are answered from what there is instead of waiting out another fetch.
// Its zero value has none.
type failures struct {
	count int
	at    time.Time // of the last one
	last  string    // what went wrong then
}

func (f *failures) add(now time.Time, what string) {
	f.count++
	f.at, f.last = now, what
}

// backingOff reports whether it is too early for another fetch. A warm source has
// keys to serve meanwhile.
func (f *failures) backingOff(now time.Time, warm bool) bool {
	count, longest := f.count, maxBackoff
	if !warm {
		count, longest = f.count-coldTries, maxColdBackoff
	}
	if count <= 0 {
		return false
	}
	pause := longest
	if doublings := count - 1; doublings < 5 { // 1 s · 2⁵ is past maxBackoff
		pause = min(firstBackoff<<doublings, longest)
	}
	return within(now, f.at, pause)
}
