package decision

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// cachedRules and cachedTerms bound the memory of a [ruleCache]: 16 rules, of four
// path segments on average, are a few times what an access policy evaluates. Beyond
// them a rule is evaluated again wherever it is used, which costs time only.
const (
	cachedRules = 16
	cachedTerms = 4 * cachedRules
)

// ruleCache remembers the value of each rule during one evaluation, which makes it a
// [topdown.VirtualCache]. The engine's own is a tree of hash maps, made for policies
// with thousands of rules; for the few here, building it is a quarter of a decision's
// allocations. This one is a list, searched from the newest entry, in one allocation.
type ruleCache struct {
	rules [cachedRules]cachedRule
	terms [cachedTerms]*ast.Term // backs the paths: the engine reuses its own
	size  struct{ rules, terms int }

	// frames holds where each frame but the first begins. The with keyword pushes
	// one, as a rule may have another value under another input.
	frames []int
}

type cachedRule struct {
	path  ast.Ref
	value *ast.Term // nil: evaluated and found undefined
}

func (c *ruleCache) Push() { c.frames = append(c.frames, c.size.rules) }

// Pop forgets what the newest frame holds. The room of its paths stays taken.
func (c *ruleCache) Pop() {
	c.size.rules = c.frame()
	c.frames = c.frames[:len(c.frames)-1]
}

// Get returns the value at path, or true if it is known to be undefined.
func (c *ruleCache) Get(path ast.Ref) (*ast.Term, bool) {
	if rule := c.find(path); rule != nil {
		return rule.value, rule.value == nil
	}
	return nil, false
}

// Put remembers the value at path; a nil value says that it is undefined.
func (c *ruleCache) Put(path ast.Ref, value *ast.Term) {
	if rule := c.find(path); rule != nil {
		rule.value = value
		return
	}
	end := c.size.terms + len(path)
	if c.size.rules == len(c.rules) || end > len(c.terms) {
		return
	}
	own := c.terms[c.size.terms:end:end]
	copy(own, path)
	c.rules[c.size.rules] = cachedRule{path: own, value: value}
	c.size.rules++
	c.size.terms = end
}

// Keys returns the paths in the newest frame.
func (c *ruleCache) Keys() []ast.Ref {
	var paths []ast.Ref
	for _, rule := range c.rules[c.frame():c.size.rules] {
		paths = append(paths, slices.Clone(rule.path))
	}
	return paths
}

func (c *ruleCache) find(path ast.Ref) *cachedRule {
	for i := c.size.rules - 1; i >= c.frame(); i-- {
		if rule := &c.rules[i]; slices.EqualFunc(rule.path, path, (*ast.Term).Equal) {
			return rule
		}
	}
	return nil
}

// frame is where the newest frame begins.
func (c *ruleCache) frame() int {
	if len(c.frames) == 0 {
		return 0
	}
	return c.frames[len(c.frames)-1]
}

// noBaseDocuments is the [topdown.BaseCache] of an empty store.
type noBaseDocuments struct{}

func (noBaseDocuments) Get(ast.Ref) ast.Value  { return nil }
func (noBaseDocuments) Put(ast.Ref, ast.Value) {}
