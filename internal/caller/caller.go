// Package caller finds example callers of a policy: the smallest caller that it allows and
// the smallest that it denies.
//
// It is for tools that show or test an API without knowing its rules. It reads the string
// constants that the rules compare the input with, makes callers of them, smallest first,
// and asks the policy itself about each. So an example is certain, but "none found" proves
// nothing: a rule may want a value that no constant spells out.
package caller

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"account-api/internal/decision"
)

// mostDecisions and patience bound a search. A decision takes about 20 µs, so 20,000 take
// half a second. They cover every pair of 100 scopes and every triple of 40. Patience is
// for a policy whose single decisions are slow.
const (
	mostDecisions = 20_000
	patience      = 2 * time.Second
)

// Examples are callers of one policy.
type Examples struct {
	Allowed *decision.Input // nil: none was found within the bound
	Denied  *decision.Input // likewise

	// Scopes are the sorted constants that the rules compare the scope field with. Several
	// in one constant, as in "read write", are several scopes here.
	Scopes []string
}

// Find asks the policy about callers, smallest first, until it knows one that is allowed
// and one that is denied. A caller is smaller if its fields have fewer values in total.
//
// A field that the policy does not read is empty in an example. That holds for the
// principal too, though a real caller always has one: any will do. A policy that reads the
// principal is asked about [someone] first.
//
// It is an error if ctx ends, or if the policy makes no decision about any caller.
func Find(ctx context.Context, p *decision.Policy) (Examples, error) {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	constants := constantsByField(p)
	found := Examples{Scopes: words(constants["scope"])}

	var failure error
	decisions := 0
	for input := range callers(constants) {
		if found.Allowed != nil && found.Denied != nil || decisions == mostDecisions || limited.Err() != nil {
			break
		}
		decisions++
		switch decided, err := p.Decide(limited, input); {
		case err != nil:
			failure = err
		case decided.Allow && found.Allowed == nil:
			found.Allowed = &input
		case !decided.Allow && found.Denied == nil:
			found.Denied = &input
		}
	}
	if err := ctx.Err(); err != nil {
		return Examples{}, fmt.Errorf("find callers: %w", err)
	}
	if found.Allowed == nil && found.Denied == nil {
		return Examples{}, fmt.Errorf("find callers: no decision about any of %d: %w", decisions, failure)
	}
	return found, nil
}

// field is a member of the input that describes the caller.
type field struct {
	name  string
	of    func(*decision.Input) *string
	list  bool   // of values with a space between
	least string // the value that counts as none
}

// someone is the principal of a caller where no other is needed.
const someone = "someone"

// fields are in the order in which callers of the same size are tried.
var fields = []field{
	{name: "scope", of: func(i *decision.Input) *string { return &i.Scope }, list: true},
	{name: "permissions", of: func(i *decision.Input) *string { return &i.Permissions }, list: true},
	{name: "azp", of: func(i *decision.Input) *string { return &i.AuthorizedParty }},
	{name: "principal", of: func(i *decision.Input) *string { return &i.Principal }, least: someone},
}

// callers yields every combination of the fields' values, smallest first. Constants has the
// fields that the policy reads.
func callers(constants map[string][]string) iter.Seq[decision.Input] {
	var read []values
	most := 0
	for _, f := range fields {
		if constants, ok := constants[f.name]; ok {
			v := f.values(constants)
			read = append(read, v)
			most += v.most()
		}
	}
	return func(yield func(decision.Input) bool) {
		var fill func(input decision.Input, i, size int) bool
		fill = func(input decision.Input, i, size int) bool {
			if i == len(read) {
				return size > 0 || yield(input)
			}
			// Most of the size goes to the first field, so that of two callers of one size
			// the one with a scope comes before the one with a permission.
			for own := min(size, read[i].most()); own >= 0; own-- {
				for value := range read[i].ofSize(own) {
					*read[i].field.of(&input) = value
					if !fill(input, i+1, size-own) {
						return false
					}
				}
			}
			return true
		}
		for size := 0; size <= most; size++ {
			if !fill(decision.Input{}, 0, size) {
				return
			}
		}
	}
}

// values are what a field may be made of.
type values struct {
	field   field
	single  []string // the last one is none that the policy names
	several []string // constants that are a list of values, in the policy's order
}

func (f field) values(constants []string) values {
	v := values{field: f, single: slices.Clone(constants)}
	if f.list {
		v.single = words(constants)
		v.several = slices.DeleteFunc(slices.Clone(constants), func(c string) bool { return len(strings.Fields(c)) < 2 })
	}
	other := "other-" + f.name
	for slices.Contains(v.single, other) {
		other += "-"
	}
	v.single = append(v.single, other)
	return v
}

// most is the size of the field's largest value.
func (v values) most() int {
	if v.field.list {
		return len(v.single)
	}
	return 1
}

// ofSize yields the field's values of a size.
func (v values) ofSize(size int) iter.Seq[string] {
	return func(yield func(string) bool) {
		if size == 0 {
			yield(v.field.least)
			return
		}
		for _, list := range v.several {
			if len(strings.Fields(list)) == size && !yield(list) {
				return
			}
		}
		subsets(v.single, size, nil, func(chosen []string) bool { return yield(strings.Join(chosen, " ")) })
	}
}

// subsets calls yield with chosen and size of the values, for every choice of those.
func subsets(values []string, size int, chosen []string, yield func([]string) bool) bool {
	if size == 0 {
		return yield(chosen)
	}
	for i := 0; i+size <= len(values); i++ {
		if !subsets(values[i+1:], size-1, append(chosen, values[i]), yield) {
			return false
		}
	}
	return true
}

// words are the sorted values in constants that may hold several.
func words(constants []string) []string {
	words := []string{}
	for _, constant := range constants {
		words = append(words, strings.Fields(constant)...)
	}
	slices.Sort(words)
	return slices.Compact(words)
}
