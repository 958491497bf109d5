package corpus_test

import (
	"testing"

	"account-api/internal/token/corpus"
)

// TestRowNamesAreUnique keeps a copied row from hiding behind another's name.
func TestRowNamesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, row := range corpus.Rows() {
		if seen[row.Name] {
			t.Errorf("two rows are named %q", row.Name)
		}
		seen[row.Name] = true
	}
}
