package main

import "testing"

func TestPoliciesOfOtherHandlersBuildNothing(t *testing.T) {
	for file, want := range map[string]bool{
		"policies/seats/seats.rego":      false,
		"policies/seats/deep/rows.rego":  false,
		"policies/seats/data.json":       false,
		"policies/shared/shared.rego":    false,
		"policies/policies.go":           false,
		"policies/door/door.go":          false,
		"internal/hall/hall.go":          false,
		"policies/seats/seats_test.rego": true,
		"policies/door/door.rego":        true,
		"policies/door/seats/data.json":  true,
	} {
		if got := foreign("./cmd/seats", file); got != want {
			t.Errorf("%s: expected %t, got %t", file, want, got)
		}
	}
}
