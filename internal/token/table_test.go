package token_test

import (
	"maps"
	"slices"
	"testing"

	"account-api/internal/token"
)

// TestEveryTableEntryIsNecessary proves that the rows cover the tables of headers and claims:
// without any one entry some row fails.
func TestEveryTableEntryIsNecessary(t *testing.T) {
	all := proofs()
	entries := token.TableEntries()
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		restore := entries[name]()
		if noticed(all) == "" {
			t.Errorf("no row fails without the table entry %q", name)
		}
		restore()
	}
}

// noticed returns the name of a proof that fails, or nothing. It moves that proof to the
// front, because it often fails for the next mutant too.
func noticed(all []proof) string {
	for i, p := range all {
		if p.fails() {
			copy(all[1:], all[:i])
			all[0] = p
			return p.name
		}
	}
	return ""
}

func (p proof) fails() (failed bool) {
	defer func() {
		if recover() != nil {
			failed = true
		}
	}()
	return p.check() != nil
}
