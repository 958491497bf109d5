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
	"encoding/json"
	"fmt"
	"iter"
	"maps"
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

// Request is what the callers ask for.
type Request struct {
	Method   string
	Resource string // as declared: "/accounts/{account}"
}

// noon is when they ask: at noon, UTC, on a Wednesday.
const noon = 1781697600 * int64(time.Second)

// Input describes the request, whose path has one value for each parameter.
func (r Request) Input(value string) decision.Input {
	input := decision.Input{Method: r.Method, Resource: r.Resource}
	for part := range strings.SplitSeq(strings.Trim(r.Resource, "/"), "/") {
		if name, isParameter := strings.CutPrefix(part, "{"); isParameter {
			part = value
			if input.Parameters == nil {
				input.Parameters = map[string]string{}
			}
			input.Parameters[strings.TrimRight(name, "+}")] = part
		}
		if part != "" {
			input.Path = append(input.Path, part)
		}
	}
	return input
}

// Find asks the policy about callers, smallest first, until it knows one that is allowed
// and one that is denied. A caller is smaller if its fields have fewer values in total.
//
// Without requests the callers ask for whatever the policy names: a GET of a path of its own
// if it names none.
//
// A field that the policy does not read is empty in an example. That holds for the
// principal too, though a real caller always has one: any will do. A policy that reads the
// principal is asked about [someone] first.
//
// It is an error if ctx ends, or if the policy makes no decision about any caller.
func Find(ctx context.Context, p *decision.Policy, requests ...Request) (Examples, error) {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	constants := constantsByField(p)
	found := Examples{Scopes: words(constants["scope"])}

	var failure error
	decisions := 0
	for input := range callers(constants, inputs(p, constants, requests)) {
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
		return Examples{}, fmt.Errorf("find callers: the policy made no decision for any of %d callers: %w", decisions, failure)
	}
	return found, nil
}

// inputs describe the requests, as far as the policy reads them.
func inputs(p *decision.Policy, constants map[string][]string, requests []Request) []decision.Input {
	if len(requests) == 0 {
		methods, resources := constants["method"], constants["resource"]
		if len(methods) == 0 {
			methods = []string{"GET"}
		}
		if len(resources) == 0 {
			resources = []string{"/things/{thing}"}
		}
		for _, resource := range resources {
			for _, method := range methods {
				requests = append(requests, Request{method, resource})
			}
		}
	}
	reads := p.Reads()
	var inputs []decision.Input
	for _, request := range requests {
		full := request.Input("example")
		read := decision.Input{}
		for name, take := range map[string]func(){
			"method":     func() { read.Method = full.Method },
			"resource":   func() { read.Resource = full.Resource },
			"path":       func() { read.Path = full.Path },
			"parameters": func() { read.Parameters = full.Parameters },
			"time":       func() { read.Time = noon },
		} {
			if slices.Contains(reads, name) {
				take()
			}
		}
		inputs = append(inputs, read)
	}
	return inputs
}

// field is a member of the input that describes the caller.
type field struct {
	name  string
	set   func(*decision.Input, string)
	list  bool   // of values with a space between
	least string // the value that counts as none
}

// someone is the principal of a caller where no other is needed.
const someone = "someone"

// fields are in the order in which callers of the same size are tried.
var fields = []field{
	{name: "scope", set: func(i *decision.Input, v string) { i.Scope = v }, list: true},
	{name: "permissions", set: func(i *decision.Input, v string) { i.Permissions = v }, list: true},
	{name: "azp", set: func(i *decision.Input, v string) { i.AuthorizedParty = v }},
	{name: "principal", set: func(i *decision.Input, v string) { i.Principal = v }, least: someone},
	{name: "issuer", set: func(i *decision.Input, v string) { i.Issuer = v }},
}

// claimField is a claim, whose name is a path of keys below claims with a zero byte before
// each. Its values are JSON.
func claimField(name string) field {
	keys := strings.Split(name, claimSeparator)[1:]
	return field{name: name, set: func(i *decision.Input, v string) {
		if v != "" {
			i.Claims = withClaim(i.Claims, keys, json.RawMessage(v))
		}
	}}
}

// claimSeparator is in no name of a claim.
const claimSeparator = "\x00"

// withClaim returns claims with another value at a path of keys.
func withClaim(claims decision.Claims, keys []string, value json.RawMessage) decision.Claims {
	members := map[string]json.RawMessage{}
	if len(claims) > 0 && json.Unmarshal(claims, &members) != nil {
		return claims // a value on the way to the other one
	}
	if len(keys) > 1 {
		value = json.RawMessage(withClaim(decision.Claims(members[keys[0]]), keys[1:], value))
	}
	members[keys[0]] = value
	text, err := json.Marshal(members)
	if err != nil {
		panic(err) // members are JSON
	}
	return text
}

// claimValues are what a claim may be, if it is compared with the constants: true, one of
// them, or a list with one.
func claimValues(constants []string) []string {
	values := []string{"true"}
	for _, constant := range constants {
		text, err := json.Marshal(constant)
		if err != nil {
			panic(err) // a string
		}
		values = append(values, string(text), "["+string(text)+"]")
	}
	return values
}

// callers yields every combination of the fields' values with each request, smallest first.
// Constants has the fields that the policy reads.
func callers(constants map[string][]string, requests []decision.Input) iter.Seq[decision.Input] {
	var read []values
	most := 0
	all := slices.Clone(fields)
	for _, name := range slices.Sorted(maps.Keys(constants)) {
		if strings.Contains(name, claimSeparator) {
			all = append(all, claimField(name))
		}
	}
	for _, f := range all {
		if constants, ok := constants[f.name]; ok {
			if strings.Contains(f.name, claimSeparator) {
				constants = claimValues(constants)
			}
			if f.name == "principal" {
				constants = slices.Clone(constants)
				for _, request := range requests { // of somebody who asks for what is their own
					constants = slices.AppendSeq(append(constants, request.Path...), maps.Values(request.Parameters))
				}
				slices.Sort(constants)
				constants = slices.Compact(constants)
			}
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
					next := input
					read[i].field.set(&next, value)
					if !fill(next, i+1, size-own) {
						return false
					}
				}
			}
			return true
		}
		for size := 0; size <= most; size++ {
			for _, request := range requests {
				if !fill(request, 0, size) {
					return
				}
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
	if strings.Contains(f.name, claimSeparator) {
		return v
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
