package decision

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// The cache answers as the engine's own does, or, when it is full, not at all.
func TestRuleCacheAgreesWithTheEngines(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 0))
		var ours topdown.VirtualCache = new(ruleCache)
		theirs := topdown.NewVirtualCache()

		// The engine reuses the memory of a path as soon as Put has returned.
		path := make(ast.Ref, 0, 8)
		depth, hits := 0, 0
		for step := range 200 {
			path = append(path[:0], ast.DefaultRootDocument)
			for range 1 + random.IntN(2) {
				path = append(path, ast.StringTerm(fmt.Sprint(random.IntN(4))))
			}
			switch action := random.IntN(20); {
			case action == 0:
				ours.Push()
				theirs.Push()
				depth++
			case action == 1 && depth > 0:
				ours.Pop()
				theirs.Pop()
				depth--
			case action < 6:
				var value *ast.Term // undefined
				if action > 2 {
					value = ast.IntNumberTerm(step)
				}
				// Theirs cannot turn a defined rule into an undefined one and back; nor does the engine.
				if known, undefined := theirs.Get(path); known == nil && !undefined {
					ours.Put(path, value)
					theirs.Put(path, value)
				}
			default:
				value, undefined := ours.Get(path)
				wantValue, wantUndefined := theirs.Get(path)
				if value == nil && !undefined {
					continue // forgotten, or never known
				}
				hits++
				if value != wantValue || undefined != wantUndefined {
					t.Fatalf("seed %d, step %d: %v is %v, %t; want %v, %t", seed, step, path, value, undefined, wantValue, wantUndefined)
				}
			}
		}
		if hits == 0 {
			t.Fatalf("seed %d: never found anything", seed)
		}
	}
}

func TestRuleCacheRemembersUntilItIsFull(t *testing.T) {
	cache := new(ruleCache)
	path := func(i int) ast.Ref { return ast.Ref{ast.DefaultRootDocument, ast.IntNumberTerm(i)} }
	for i := range 2 * cachedRules {
		cache.Put(path(i), ast.IntNumberTerm(i))
	}
	for i := range 2 * cachedRules {
		value, undefined := cache.Get(path(i))
		if undefined || (value != nil) != (i < cachedRules) {
			t.Errorf("rule %d of %d: got %v, %t", i, cachedRules, value, undefined)
		}
	}
	if keys := cache.Keys(); len(keys) != cachedRules || !keys[0].Equal(path(0)) {
		t.Errorf("got keys %v, want the first %d", keys, cachedRules)
	}
	cache.Push()
	if keys := cache.Keys(); len(keys) != 0 {
		t.Errorf("got keys %v in a new frame, want none", keys)
	}
}
