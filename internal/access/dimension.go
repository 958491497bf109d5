package access

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"account-api/internal/access/flow"
)

const mostSubsets = 1 << 15

var mostNear = 400 // near misses of a leaf; none in that test

// Others stand for any text that no rule names.
var others = []string{"other", "another", "third", "fourth", "fifth", "sixth", "seventh", "eighth"}

// value is what a leaf may have.
type value struct {
	json any      // nil: absent
	list []string // the members, if it is a list or a text that is split
	size int      // how many things it takes to say it
}

// dimension is a leaf with its values. Core has a value for each case that the rules
// distinguish if all expressions have the shapes of package flow. Near has values that show
// a mistake if they have not: near misses, repetitions, another order.
type dimension struct {
	leaf       flow.Leaf
	core, near []value
	split      bool
	cut        bool // the core has not all values
}

// always are the fields that every real request has. Their least value is present.
var always = []string{"principal", "method", "path", "resource", "time"}

func newDimension(leaf flow.Leaf, found *flow.Values, reading flow.Reading) (d dimension, leftOut []string) {
	d = dimension{leaf: leaf, split: len(found.Separators) > 0}
	kind, _ := leaf.Kind()
	fresh := fresh(found, reading)
	absent := value{}
	required := slices.Contains(always, leaf.Field)
	if required {
		absent.size = 2
	}
	switch {
	case kind == flow.Number:
		d.core, d.near = numbers(found), []value{absent}
		return d, nil
	case kind == flow.Any:
		d.core = append(d.core, absent)
		for _, json := range []any{true, false} {
			d.core = append(d.core, value{json: json, size: 1})
		}
		for _, text := range slices.Concat(found.Texts, fresh[:1]) {
			d.core = append(d.core, value{json: text, size: 1})
		}
		for _, number := range found.Numbers {
			d.core = append(d.core, value{json: number, size: 1})
		}
		subsets, cut := subsets(append(slices.Clone(found.Texts), fresh[0]), mostSubsets/8)
		for _, list := range subsets {
			d.core = append(d.core, value{json: list, list: list, size: len(list)})
		}
		d.near = append(d.near, value{json: json.RawMessage("null"), size: 1}, value{json: []string{}, size: 1}, value{json: map[string]any{}, size: 2}, value{json: json.Number("0"), size: 2})
		for _, near := range nearMisses(found.Texts) {
			d.near = append(d.near, value{json: near, size: 2}, value{json: []string{near}, list: []string{near}, size: 2})
		}
		for _, number := range around(found.Numbers) {
			d.near = append(d.near, value{json: number, size: 2})
		}
		for _, text := range append(slices.Clone(found.Texts), fresh[0]) {
			for _, separator := range found.Separators { // as in an e-mail address
				d.near = append(d.near, value{json: text + separator + fresh[0], size: 2}, value{json: fresh[0] + separator + text, size: 2})
			}
			for _, key := range append(slices.Clone(found.Texts), fresh[0]) {
				object := map[string]any{key: text}
				d.near = append(d.near, value{json: object, size: 2}, value{json: []any{object}, size: 2})
			}
		}
		plain := slices.Clone(d.core)
		for _, path := range found.Paths {
			for _, v := range plain {
				if v.json != nil {
					d.core = append(d.core, value{json: nested(path, v.json), size: v.size})
				}
			}
		}
		leftOut = append(leftOut, cutText(leaf, cut)...)
	case kind == flow.List, d.split:
		separator := " "
		if len(found.Separators) > 0 {
			separator = found.Separators[0]
		}
		d.core, d.near, leftOut = lists(leaf, kind, found, fresh, separator)
		for i, v := range d.core {
			if required && slices.Equal(v.list, fresh[:1]) {
				d.core[i].size = 0
			}
		}
		d.core = append(d.core, absent)
	default:
		for i, text := range fresh {
			size := 1 + i
			if i == 0 && required {
				size = 0
			}
			d.core = append(d.core, value{json: text, size: size})
		}
		for _, text := range found.Texts {
			if text != "" || leaf.Member != "" {
				d.core = append(d.core, value{json: text, size: 1})
			}
		}
		d.core = append(d.core, absent)
		texts := found.Texts
		if len(found.Peers) > 1 {
			texts = append(slices.Clone(texts), fresh[0])
		}
		for _, near := range nearMisses(texts) {
			d.near = append(d.near, value{json: near, size: 2})
		}
		for _, number := range around(found.Numbers) {
			d.near = append(d.near, value{json: string(number), size: 2})
			if n, err := number.Int64(); err == nil && n > 0 && n <= 256 { // a length
				d.near = append(d.near, value{json: strings.Repeat("x", int(n)), size: 3})
			}
		}
		if leaf.Member != "" && !slices.Contains(found.Texts, "") {
			d.near = append(d.near, value{json: "", size: 2})
		}
	}
	d.cut = len(leftOut) > 0
	// A caller lacks most things: the least value first, and no value twice.
	slices.SortStableFunc(d.core, func(a, b value) int { return cmp.Compare(a.size, b.size) })
	d.core = distinct(d.core, nil)
	d.near = distinct(d.near, d.core)
	slices.SortStableFunc(d.near, func(a, b value) int { return cmp.Compare(a.size, b.size) })
	if len(d.near) > mostNear {
		leftOut = append(slices.Clone(leftOut), fmt.Sprintf("%d of %d near misses of %s", len(d.near)-mostNear, len(d.near), name(leaf.String())))
		d.near = d.near[:mostNear]
	}
	return d, leftOut
}

// nested is an object with a value at a path.
func nested(path []string, content any) any {
	for _, key := range slices.Backward(path) {
		content = map[string]any{key: content}
	}
	return content
}

func cutText(leaf flow.Leaf, cut int) []string {
	if cut == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s with more than %d of its values at once", name(leaf.String()), cut)}
}

// fresh are texts that no rule names: two, or one for each text that may be compared with
// the leaf.
func fresh(found *flow.Values, reading flow.Reading) []string {
	wanted := max(2, len(found.Peers))
	named := map[string]bool{}
	for _, v := range reading.Leaves {
		for _, text := range v.Texts {
			named[text] = true
		}
	}
	var fresh []string
	for i := 0; len(fresh) < wanted; i++ {
		text := others[i%len(others)]
		if i >= len(others) {
			text += fmt.Sprint(i)
		}
		if !named[text] {
			fresh = append(fresh, text)
		}
	}
	return fresh
}

func distinct(values, besides []value) []value {
	seen := map[string]bool{}
	key := func(v value) string {
		if v.json == nil {
			return "" // absent is not null
		}
		text, _ := json.Marshal(v.json) // a value of the kinds above
		return string(text)
	}
	for _, v := range besides {
		seen[key(v)] = true
	}
	return slices.DeleteFunc(values, func(v value) bool {
		present := seen[key(v)]
		seen[key(v)] = true
		return present
	})
}

// lists are the values of a list, or of a text that is split.
func lists(leaf flow.Leaf, kind flow.Kind, found *flow.Values, fresh []string, separator string) (core, near []value, leftOut []string) {
	isText := kind == flow.Text
	of := func(list []string, size int) value {
		if isText {
			return value{json: strings.Join(list, separator), list: list, size: size}
		}
		return value{json: list, list: list, size: size}
	}
	var parts []string
	for _, text := range found.Texts {
		if isText && separator != "" && strings.Contains(text, separator) {
			core = append(core, value{json: text, list: strings.Split(text, separator), size: strings.Count(text, separator) + 1})
		} else if text != "" || !isText {
			parts = append(parts, text)
		}
	}
	subsets, cut := subsets(append(slices.Clone(parts), fresh[0]), mostSubsets)
	leftOut = cutText(leaf, cut)
	for _, subset := range subsets {
		v := of(subset, len(subset))
		core = append(core, v)
		// The same parts in a text that the rules do not name.
		if again := subset; isText && slices.Contains(found.Texts, v.json.(string)) {
			for slices.Contains(found.Texts, strings.Join(again, separator)) {
				again = append(slices.Clone(again), again[len(again)-1])
			}
			core = append(core, of(again, len(again)))
		}
	}
	add := func(list ...string) { near = append(near, of(list, 1+len(list))) }
	add(fresh[0], fresh[1])
	for _, sequence := range found.Sequences {
		add(sequence...)
	}
	for _, part := range parts {
		if isText {
			for _, text := range []string{part + separator, separator + part, part + separator + separator + fresh[0], part + "\t" + fresh[0], part + "," + fresh[0]} {
				near = append(near, value{json: text, list: strings.Split(text, separator), size: 2})
			}
		}
		add(part, part)
		add(fresh[0], part)
	}
	if isText {
		near = append(near, value{json: separator, size: 1})
	}
	for _, miss := range nearMisses(parts) {
		add(miss)
	}
	for _, number := range around(found.Numbers) {
		add(string(number))
	}
	if kind == flow.List {
		near = append(near, value{json: []string{}, list: []string{}, size: 1})
	}
	for _, number := range found.Numbers {
		n, err := number.Int64()
		if err != nil || n < 0 || n > 20 {
			continue
		}
		for length := max(1, n-1); length <= n+1; length++ {
			for _, first := range slices.Concat(parts, fresh[:1]) {
				list := []string{first}
				for i := 1; i < int(length); i++ {
					list = append(list, fmt.Sprintf("%s%d", fresh[0], i))
				}
				add(list...)
			}
		}
	}
	for _, a := range parts {
		for _, b := range parts {
			add(a, b)
		}
	}
	if len(parts) <= 4 {
		for _, a := range parts {
			for _, b := range parts {
				for _, c := range parts {
					add(a, b, c)
				}
			}
		}
	}
	if kind == flow.List {
		add("")
	}
	return core, near, leftOut
}

// subsets are all subsets of values but the empty one, smallest first. Where they are more
// than most, those of the largest sizes are missing, and cut is the largest that is there.
func subsets(values []string, most int) (all [][]string, cut int) {
	count := 0
	largest := 0
	for size := 1; size <= len(values); size++ {
		n := new(big.Int).Binomial(int64(len(values)), int64(size))
		if !n.IsInt64() || count+int(n.Int64()) > most {
			cut = size - 1
			break
		}
		count += int(n.Int64())
		largest = size
	}
	var choose func(from, size int, chosen []string)
	choose = func(from, size int, chosen []string) {
		if size == 0 {
			all = append(all, slices.Clone(chosen))
			return
		}
		for i := from; i+size <= len(values); i++ {
			choose(i+1, size-1, append(chosen, values[i]))
		}
	}
	for size := 1; size <= largest; size++ {
		choose(0, size, nil)
	}
	return all, cut
}

func (d dimension) value(i uint16) value {
	if int(i) < len(d.core) {
		return d.core[i]
	}
	return d.near[int(i)-len(d.core)]
}

func (d dimension) values() int { return len(d.core) + len(d.near) }
