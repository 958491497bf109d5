package access

import (
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"time"

	"account-api/internal/access/flow"
	"account-api/internal/decision"
)

// Bounds of a search. A pair of decisions takes about 40 µs, so that two cores judge mostCallers
// in 5 s. mostSubsets are those of 15 parts: 14 constants and one text that no rule names.
var mostCallers = 200_000 // less in a test that compares many policies

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

// around are numbers and their neighbours.
func around(numbers []json.Number) (near []json.Number) {
	for _, number := range numbers {
		near = append(near, number)
		if n, err := number.Int64(); err == nil && n > math.MinInt64 && n < math.MaxInt64 {
			near = append(near, json.Number(fmt.Sprint(n-1)), json.Number(fmt.Sprint(n+1)))
		}
	}
	return near
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

// nearMisses are texts that a careless rule takes for one of the constants.
func nearMisses(constants []string) (near []string) {
	for _, c := range constants {
		if c == "" {
			continue
		}
		near = append(near, c+"x", "x"+c, "x"+c+"x", strings.ToUpper(c), strings.ToLower(c), strings.ToUpper(c[:1])+c[1:], c+" ", " "+c)
		if len(c) > 1 {
			near = append(near, c[:len(c)-1], c[1:])
		}
		if i := strings.IndexAny(c, ":/.|"); i > 0 {
			near = append(near, c[:i], c[:i+1], c[:i+1]+"x")
		}
		// What a pattern may match.
		if strings.ContainsAny(c, "*^$[(\\") {
			plain := strings.NewReplacer("^", "", "$", "", ".*", "x", ".+", "x", "**", "x", "*", "x", "[a-z]+", "x", "[0-9]+", "1", "\\d+", "1", "\\.", ".").Replace(c)
			near = append(near, plain, plain+"x", "x"+plain)
		}
	}
	return near
}

// numbers are points in time: each hour of a week, those in the constants, and the moments
// around them.
func numbers(found *flow.Values) (values []value) {
	add := func(n int64, size int) { values = append(values, value{json: n, size: size}) }
	noon := time.Date(2026, time.January, 7, 12, 0, 0, 0, time.UTC) // a Wednesday
	add(noon.UnixNano(), 0)
	for hour := range 24 {
		add(noon.Add(time.Duration(hour-12)*time.Hour).UnixNano(), 1)
	}
	for day := range 7 {
		for hour := range 24 {
			add(noon.AddDate(0, 0, day).Add(time.Duration(hour-12)*time.Hour).UnixNano(), 2)
		}
	}
	for _, number := range found.Numbers {
		n, err := number.Int64()
		if err != nil {
			continue
		}
		if n >= 0 && n < 60 {
			for hour := range 24 {
				add(noon.Add(time.Duration(hour-12)*time.Hour+time.Duration(n)*time.Minute).UnixNano(), 2)
			}
		}
		if n >= 0 && n <= 24 {
			add(noon.Truncate(24*time.Hour).Add(time.Duration(n)*time.Hour-time.Nanosecond).UnixNano(), 2)
		}
		if n >= 1970 && n <= 2260 { // a year
			for year := n - 1; year <= n+1; year++ {
				add(noon.AddDate(int(year)-noon.Year(), 0, 0).UnixNano(), 2)
			}
		}
		if n > 60 {
			for _, near := range []int64{n - 1, n, n + 1} {
				add(near, 1)
			}
		}
	}
	slices.SortStableFunc(values, func(a, b value) int { return cmp.Compare(a.size, b.size) })
	return distinct(values, nil)
}

// caller has the index of a value for each dimension; near misses follow the core.
type caller []uint16

func (d dimension) value(i uint16) value {
	if int(i) < len(d.core) {
		return d.core[i]
	}
	return d.near[int(i)-len(d.core)]
}

func (d dimension) values() int { return len(d.core) + len(d.near) }

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
