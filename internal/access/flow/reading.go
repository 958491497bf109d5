package flow

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Reading is what was found in one policy or several.
type Reading struct {
	Leaves map[Leaf]*Values
	// Outside are the expressions that have none of the shapes, sorted.
	Outside []Expression
	// Quotes reports whether a reason may quote the input.
	Quotes bool
}

// Values is what a leaf is compared with.
type Values struct {
	Texts      []string // sorted
	Numbers    []json.Number
	Sequences  [][]string // arrays of strings
	Separators []string   // that the leaf is split by
	Defaults   []string   // texts that object.get puts in place of an absent leaf; Texts has them too
	Paths      [][]string // to members within the leaf, if it may be any JSON
	Peers      []Leaf     // text that may be compared with this leaf
}

// Expression is a place in a policy.
type Expression struct {
	Place string // as in policies/orders/orders.rego:12
	Text  string
	Why   string
}

func (e Expression) String() string { return fmt.Sprintf("%s: %s (%s)", e.Place, e.Text, e.Why) }

// innermost leaves out an expression that contains another of the same line: that one says
// why. The result is sorted.
func innermost(all []Expression) (kept []Expression) {
	slices.SortFunc(all, func(a, b Expression) int {
		if a.Place == b.Place && len(a.Text) != len(b.Text) {
			return len(a.Text) - len(b.Text)
		}
		return cmpStrings(a.Place, b.Place, a.Text, b.Text)
	})
	for _, e := range all {
		if !slices.ContainsFunc(kept, func(k Expression) bool { return k.Place == e.Place && strings.Contains(e.Text, k.Text) }) {
			kept = append(kept, e)
		}
	}
	return kept
}

// splitsPeers reports whether a list of texts may be compared with another leaf.
func (r Reading) splitsPeers() bool {
	for leaf, values := range r.Leaves {
		if kind, _ := leaf.Kind(); len(values.Peers) > 1 && (kind == List || len(values.Separators) > 0) {
			return true
		}
	}
	return false
}

// looksForNothing reports whether an empty text may be looked for among the parts of a text.
func (r Reading) looksForNothing() bool {
	for _, values := range r.Leaves {
		if len(values.Separators) > 0 && slices.Contains(values.Texts, "") {
			return true
		}
	}
	return false
}

// reading collects what belongs to each leaf.
func (f *flow) reading() Reading {
	reading := Reading{Leaves: map[Leaf]*Values{}}
	groups := map[place][]Leaf{}
	for at := range f.parent {
		if at.leaf == (Leaf{}) {
			continue
		}
		if _, ok := at.leaf.Kind(); ok {
			reading.Leaves[at.leaf] = &Values{}
			groups[f.find(at)] = append(groups[f.find(at)], at.leaf)
		}
	}
	for at, found := range f.found {
		for _, leaf := range groups[f.find(at)] {
			v := reading.Leaves[leaf]
			for value := range found.scalars {
				switch value := value.(type) {
				case ast.String:
					v.Texts = append(v.Texts, string(value))
				case ast.Number:
					v.Numbers = append(v.Numbers, json.Number(value))
				}
			}
			v.Sequences = append(v.Sequences, found.sequences...)
		}
	}
	for at, separators := range f.separators {
		for _, leaf := range groups[f.find(at)] {
			reading.Leaves[leaf].Separators = append(reading.Leaves[leaf].Separators, separators...)
		}
	}
	for leaf, v := range reading.Leaves {
		v.Texts = sorted(v.Texts)
		v.Numbers = sorted(v.Numbers)
		v.Separators = sorted(v.Separators)
		v.Defaults = f.defaults[leaf]
		v.Paths = f.paths[leaf]
		slices.SortFunc(v.Paths, slices.Compare)
		v.Paths = slices.CompactFunc(v.Paths, slices.Equal)
		slices.SortFunc(v.Sequences, slices.Compare)
		v.Sequences = slices.CompactFunc(v.Sequences, slices.Equal)
		peers := groups[f.find(place{leaf: leaf})]
		slices.SortFunc(peers, func(a, b Leaf) int { return cmpStrings(a.Field, b.Field, a.Member, b.Member) })
		v.Peers = peers
	}
	return reading
}

func sorted[T ~string](values []T) []T {
	slices.Sort(values)
	return slices.Compact(values)
}

func cmpStrings(pairs ...string) int {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i] < pairs[i+1] {
			return -1
		} else if pairs[i] > pairs[i+1] {
			return 1
		}
	}
	return 0
}
