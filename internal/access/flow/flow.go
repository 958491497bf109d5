// Package flow reads what a policy compares its input with. It follows values through the
// variables, rules, functions and data documents of a compiled policy. It says for every
// place of the input which constants meet it there, and which expressions have a shape for
// which these constants and a few other values stand for all values.
//
// It is for tools that make up callers. It evaluates nothing.
package flow

import "github.com/open-policy-agent/opa/v1/ast"

// Policy is what flow reads of one.
type Policy interface {
	Rules() []*ast.Rule // compiled
	Entrypoint() string
	Documents() map[string]any
}

// Read reads policies together: a constant that one of them compares a leaf with counts for
// all.
func Read(policies ...Policy) Reading {
	f := &flow{parent: map[place]place{}, found: map[place]*constants{}, separators: map[place][]string{}, defaults: map[Leaf][]string{}, paths: map[Leaf][][]string{}, inputs: map[place]bool{}, objects: map[place]string{}}
	var read []*shapes
	for side, policy := range policies {
		f.side, f.documents = side, policy.Documents()
		f.rules = map[string]*ast.Rule{}
		rules := policy.Rules()
		for _, rule := range rules {
			f.rules[rule.Ref().GroundPrefix().String()] = rule
		}
		for known := -1; known < len(f.inputs)+len(f.objects); { // handed on to functions
			known = len(f.inputs) + len(f.objects)
			for _, rule := range rules {
				f.rule(rule, policy.Entrypoint())
			}
		}
		read = append(read, readShapes(rules, policy.Entrypoint(), policy.Documents()))
	}
	reading := f.reading()
	for _, s := range read {
		reading.Quotes = reading.Quotes || s.quotes
		reading.Outside = append(reading.Outside, s.outside...)
		if reading.splitsPeers() {
			reading.Outside = append(reading.Outside, s.peers...)
		}
		if reading.looksForNothing() {
			reading.Outside = append(reading.Outside, s.empties()...)
		}
	}
	reading.Outside = innermost(reading.Outside)
	return reading
}

// place is where a value can be: exactly one of a leaf of the input, a rule or a function's
// argument, and a variable.
type place struct {
	leaf     Leaf
	side     int    // of rule
	rule     string // path
	argument int    // of the rule, from 1
	within   *ast.Rule
	variable ast.Var
}

// flow groups places between which values move. It is a disjoint-set forest. It is
// generous: what stands in one expression belongs together. That finds more constants than
// the rules really compare, never fewer.
type flow struct {
	parent     map[place]place
	found      map[place]*constants
	separators map[place][]string
	defaults   map[Leaf][]string
	paths      map[Leaf][][]string
	side       int
	rules      map[string]*ast.Rule // one for each path that the decision depends on
	documents  map[string]any
	inputs     map[place]bool   // that stand for the whole input
	objects    map[place]string // that stand for a field with members
}

func (f *flow) find(p place) place {
	parent, known := f.parent[p]
	if !known {
		f.parent[p] = p
		return p
	}
	if parent == p {
		return p
	}
	root := f.find(parent)
	f.parent[p] = root
	return root
}

// join puts places and constants into one group.
func (f *flow) join(places []place, values constants) {
	if len(places) == 0 {
		return
	}
	for _, p := range places {
		f.parent[f.find(p)] = f.find(places[0])
	}
	if f.found[places[0]] == nil {
		c := newConstants()
		f.found[places[0]] = &c
	}
	f.found[places[0]].add(values)
}
