package access

import (
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"math/big"
	"reflect"
	"slices"
	"strings"

	"account-api/internal/access/flow"
	"account-api/internal/decision"
)

// Bounds of a search. A pair of decisions takes about 40 µs, so that two cores judge mostCallers
// in 5 s. mostSubsets are those of 15 parts: 14 constants and one text that no rule names.
var mostCallers = 200_000 // less in a test that compares many policies

// space is what callers are made of.
type space struct {
	dimensions []dimension
	leftOut    []string // in words
	cut        bool     // the core has not all values
}

func newSpace(reading flow.Reading) space {
	var s space
	for leaf, values := range reading.Leaves {
		d, leftOut := newDimension(leaf, values, reading)
		s.cut = s.cut || d.cut
		s.dimensions = append(s.dimensions, d)
		s.leftOut = append(s.leftOut, leftOut...)
	}
	slices.Sort(s.leftOut)
	// Callers of one size come in the order of these. What grants access comes first.
	rank := func(d dimension) int {
		switch {
		case d.leaf.Field == "scope":
			return 0
		case d.leaf.Field == "permissions":
			return 1
		case d.leaf.Field == "azp":
			return 2
		case slices.Contains(always, d.leaf.Field):
			return 4
		}
		return 3
	}
	slices.SortFunc(s.dimensions, func(a, b dimension) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a.leaf.Field, b.leaf.Field), strings.Compare(a.leaf.Member, b.leaf.Member))
	})
	return s
}

// caller has the index of a value for each dimension; near misses follow the core.
type caller []uint16

// callers yields callers, smallest first: those of the core, then those with one near miss.
// Core is false for the latter.
func (s space) callers() iter.Seq2[caller, bool] {
	return func(yield func(caller, bool) bool) {
		ranges := make([][2]int, len(s.dimensions)) // of the indices that a dimension takes
		for i, d := range s.dimensions {
			ranges[i] = [2]int{0, len(d.core)}
		}
		if !s.fill(ranges, func(c caller) bool { return yield(c, true) }) {
			return
		}
		for i, d := range s.dimensions {
			core := ranges[i]
			ranges[i] = [2]int{len(d.core), d.values()}
			if !s.fill(ranges, func(c caller) bool { return yield(c, false) }) {
				return
			}
			ranges[i] = core
		}
	}
}

// fill yields the callers with values of the ranges, smallest first.
func (s space) fill(ranges [][2]int, yield func(caller) bool) bool {
	bySize := make([][][]uint16, len(s.dimensions))
	most := 0
	for i, d := range s.dimensions {
		for index := ranges[i][0]; index < ranges[i][1]; index++ {
			size := d.value(uint16(index)).size
			for len(bySize[i]) <= size {
				bySize[i] = append(bySize[i], nil)
			}
			bySize[i][size] = append(bySize[i][size], uint16(index))
		}
		most += max(0, len(bySize[i])-1)
	}
	c := make(caller, len(s.dimensions))
	var fill func(i, size int) bool
	fill = func(i, size int) bool {
		if i == len(c) {
			return size > 0 || yield(slices.Clone(c))
		}
		for own := min(size, len(bySize[i])-1); own >= 0; own-- {
			for _, index := range bySize[i][own] {
				c[i] = index
				if !fill(i+1, size-own) {
					return false
				}
			}
		}
		return true
	}
	for size := 0; size <= most; size++ {
		if !fill(0, size) {
			return false
		}
	}
	return true
}

// total is how many callers there are, in the core and in all.
func (s space) total() (core, all *big.Int) {
	core = big.NewInt(1)
	for _, d := range s.dimensions {
		core.Mul(core, big.NewInt(int64(len(d.core))))
	}
	all = new(big.Int).Set(core)
	for i, d := range s.dimensions {
		near := big.NewInt(int64(len(d.near)))
		for j, other := range s.dimensions {
			if i != j {
				near.Mul(near, big.NewInt(int64(len(other.core))))
			}
		}
		all.Add(all, near)
	}
	return core, all
}

// input is the caller as the policy sees it.
func (s space) input(c caller) decision.Input {
	var input decision.Input
	members := map[string]map[string]any{}
	for i, d := range s.dimensions {
		v := d.value(c[i])
		switch {
		case v.json == nil:
		case d.leaf.Member == "":
			set(&input, d.leaf.Field, v.json)
		default:
			if members[d.leaf.Field] == nil {
				members[d.leaf.Field] = map[string]any{}
			}
			members[d.leaf.Field][d.leaf.Member] = v.json
		}
	}
	for field, object := range members {
		set(&input, field, object)
	}
	return input
}

// indices are those of the fields of [decision.Input], by name.
var indices = func() map[string]int {
	all := map[string]int{}
	for i, field := range flow.Fields {
		all[field.Name] = i
	}
	return all
}()

// set gives a field of the input a value of its kind.
func set(input *decision.Input, name string, content any) {
	field := reflect.ValueOf(input).Elem().Field(indices[name])
	switch content := content.(type) {
	case string:
		field.SetString(content)
		return
	case int64:
		field.SetInt(content)
		return
	case []string:
		field.Set(reflect.ValueOf(content))
		return
	}
	text, err := json.Marshal(content)
	if err == nil {
		err = json.Unmarshal(text, field.Addr().Interface())
	}
	if err != nil {
		panic(fmt.Sprintf("input.%s cannot be %s: %v", name, text, err)) // a mistake of this package
	}
}
