package spelling_test

import (
	"testing"

	"account-api/internal/spelling"
)

func TestNearest(t *testing.T) {
	for name, row := range map[string]struct {
		written string
		known   []string
		want    string
	}{
		"a letter is missing":            {"realm_acess", []string{"tier", "realm_access"}, "realm_access"},
		"a letter is another":            {"tear", []string{"realm_access", "tier"}, "tier"},
		"another case":                   {"TENANT", []string{"tier", "tenant"}, "tenant"},
		"a long name with a third wrong": {"organisation_id", []string{"organization_ids"}, "organization_ids"},
		"another word":                   {"subscription", []string{"tier", "tenant"}, ""},
		"a short name that is another":   {"a", []string{"tier"}, ""},
		"nothing is known":               {"tier", nil, ""},
	} {
		if got := spelling.Nearest(row.written, row.known); got != row.want {
			t.Errorf("%s: got %q of %q, want %q", name, got, row.written, row.want)
		}
	}
}
