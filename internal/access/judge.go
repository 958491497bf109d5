package access

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
)

// judged has the answers that two versions gave.
type judged struct {
	callers []caller
	before  []uint32 // indices of answers, by caller
	after   []uint32
	answers []Answer
	core    bool // all callers of the core were asked
	leftOut []string
}

// batch is how many callers a worker takes at once.
const batch = 512

// judge asks two versions about the callers of a space, within the bounds.
func judge(ctx context.Context, s space, before, after version) (judged, error) {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	j := judged{core: true}
	coreSize, inCore := 0, 0
	for c, core := range s.callers() {
		if len(j.callers) == mostCallers {
			total, all := s.total()
			if core {
				j.core = false
				j.leftOut = append(j.leftOut, fmt.Sprintf("%d of %v callers, the largest: those that take more than %d values at once", len(j.callers), all, coreSize-1))
			} else {
				j.leftOut = append(j.leftOut, fmt.Sprintf("near misses: %d of %v were tried", len(j.callers)-inCore, all.Sub(all, total)))
			}
			break
		}
		if core {
			coreSize = s.size(c)
			inCore++
		}
		j.callers = append(j.callers, c)
	}
	j.before, j.after = make([]uint32, len(j.callers)), make([]uint32, len(j.callers))

	var (
		workers sync.WaitGroup
		mu      sync.Mutex
		known   = map[string]uint32{}
		next    int
		undone  = len(j.callers)
	)
	intern := func(a Answer) uint32 {
		key := fmt.Sprintf("%d %s %q", a.Status, a.Error, a.Reasons)
		if index, ok := known[key]; ok {
			return index
		}
		index := uint32(len(j.answers))
		j.answers = append(j.answers, a)
		known[key] = index
		return index
	}
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			answers := make([][2]Answer, 0, batch)
			for {
				mu.Lock()
				from := next
				next += batch
				mu.Unlock()
				if from >= len(j.callers) {
					return
				}
				to := min(from+batch, len(j.callers))
				answers = answers[:0]
				for _, c := range j.callers[from:to] {
					input := s.input(c)
					answers = append(answers, [2]Answer{before.answer(limited, input), after.answer(limited, input)})
					if limited.Err() != nil {
						mu.Lock()
						undone = min(undone, from)
						mu.Unlock()
						return
					}
				}
				mu.Lock()
				for i, pair := range answers {
					j.before[from+i], j.after[from+i] = intern(pair[0]), intern(pair[1])
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return judged{}, err
	}
	if undone < len(j.callers) {
		j.leftOut = append(j.leftOut, fmt.Sprintf("%d callers after the first %d, because %v were over", len(j.callers)-undone, undone, patience))
		j.core = j.core && undone >= inCore
		j.callers = j.callers[:undone]
	}
	return j, nil
}

// size is how many values a caller takes.
func (s space) size(c caller) (n int) {
	for i, d := range s.dimensions {
		n += d.value(c[i]).size
	}
	return n
}

func (j judged) kind(i int) Kind { return kind(j.answers[j.before[i]], j.answers[j.after[i]]) }

// Most of what is shown of a change, and of one kind of change.
const (
	mostWitnesses = 3
	mostGroups    = 12
)

// changes groups the callers whose answer changes, the gravest kind first, then the group
// with the smallest caller.
func changes(s space, j judged) []Change {
	type key struct {
		kind          Kind
		before, after uint32
	}
	groups := map[key][]int{}
	var order []key
	for i := range j.callers {
		k := key{j.kind(i), j.before[i], j.after[i]}
		if k.kind == "" {
			continue
		}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], i)
	}
	found := []Change{}
	for _, kind := range kinds {
		shown := 0
		for _, k := range order {
			if k.kind != kind {
				continue
			}
			if shown++; shown > mostGroups {
				found[len(found)-1].More += len(groups[k])
				found[len(found)-1].Callers += len(groups[k])
				continue
			}
			found = append(found, change(s, j, kind, groups[k]))
		}
	}
	return found
}

// change describes a group of callers, the smallest first.
func change(s space, j judged, kind Kind, members []int) Change {
	first := members[0]
	c := Change{Kind: kind, Before: j.answers[j.before[first]], After: j.answers[j.after[first]], Callers: len(members)}
	smallest := s.smallest(j, members)
	for _, small := range smallest[:min(len(smallest), mostWitnesses)] {
		c.Smallest = append(c.Smallest, s.witness(small))
	}
	c.More = max(0, len(smallest)-mostWitnesses)
	c.Alone = s.alone(j, kind)
	c.Contrast = s.contrast(j, first)
	return c
}

// smallest are the callers of a group none of whom has all of another, and more. They are
// some only, if they are many.
func (s space) smallest(j judged, members []int) (smallest []caller) {
	for _, i := range members {
		if slices.ContainsFunc(smallest, func(small caller) bool { return s.contains(j.callers[i], small) }) {
			continue
		}
		smallest = append(smallest, j.callers[i])
		if len(smallest) > 4*mostWitnesses {
			break
		}
	}
	return smallest
}

// added is the one dimension in which a caller has what another lacks, or -1.
func (s space) added(small, large caller) int {
	found := -1
	for d := range large {
		if large[d] == small[d] {
			continue
		}
		if found >= 0 {
			return -1
		}
		found = d
	}
	if found < 0 {
		return -1
	}
	had, has := s.dimensions[found].value(small[found]), s.dimensions[found].value(large[found])
	if has.json == nil || had.json != nil && small[found] != 0 {
		return -1
	}
	return found
}

// contains reports whether a caller has all that another has.
func (s space) contains(large, small caller) bool {
	for i, d := range s.dimensions {
		if large[i] == small[i] {
			continue
		}
		a, b := d.value(large[i]), d.value(small[i])
		if small[i] == 0 { // the least
			continue
		}
		if a.list == nil || b.list == nil {
			return false
		}
		for _, part := range b.list {
			if !slices.Contains(a.list, part) {
				return false
			}
		}
	}
	return true
}

// alone is the one leaf that decides whether a caller's change is of a kind.
func (s space) alone(j judged, kind Kind) string {
	found := ""
	for d, dimension := range s.dimensions {
		const changes, stays = 1, 2
		seen := make([]byte, dimension.values())
		decides := true
		for i, c := range j.callers {
			if j.kind(i) == kind {
				seen[c[d]] |= changes
			} else {
				seen[c[d]] |= stays
			}
			if seen[c[d]] == changes|stays {
				decides = false
				break
			}
		}
		if decides && slices.Contains(seen, changes) && slices.Contains(seen, stays) {
			if found != "" {
				return ""
			}
			found = name(dimension.leaf.String())
		}
	}
	return found
}

// contrast is the first caller whose answer does not change and who has one thing more
// than the one at index.
func (s space) contrast(j judged, index int) *Contrast {
	small := j.callers[index]
	status := j.answers[j.before[index]].Status
	for i, c := range j.callers {
		if j.kind(i) != "" || j.answers[j.before[i]].Status != status {
			continue
		}
		if d := s.added(small, c); d >= 0 {
			return &Contrast{With: words(s.dimensions[d], s.dimensions[d].value(c[d])), Answer: j.answers[j.before[i]]}
		}
	}
	return nil
}
