package main

import "testing"

func TestSuitesInWords(t *testing.T) {
	for want, s := range map[string]suite{
		"policies/seats: 9 tests pass, 100 % covered":  {Handler: "seats", Tests: 9},
		"policies/seats: 1 test passes, 100 % covered": {Handler: "seats", Tests: 1},
		"policies/seats: 2 tests pass, not covered: policies/seats/a.rego:7-9, policies/seats/b.rego:3": {
			Handler: "seats", Tests: 2, Uncovered: []string{"policies/seats/a.rego:7-9", "policies/seats/b.rego:3"}},
		"policies/seats: no tests": {Handler: "seats", Uncovered: []string{"policies/seats/a.rego:7-9"}},
		"policies/seats: 1 of 9 tests fails: data.seats_test.test_a: FAIL": {
			Handler: "seats", Tests: 9, Failed: []string{"data.seats_test.test_a: FAIL\nwith a trace"}},
		"policies/seats: the tests do not compile: seats_test.rego:4: no": {Handler: "seats", Failed: []string{"seats_test.rego:4: no"}},
		"policies/seats: 2 of 9 tests fail: a; b":                         {Handler: "seats", Tests: 9, Failed: []string{"a", "b"}},
	} {
		if got := s.String(); got != want {
			t.Errorf("expected %q, got %q", want, got)
		}
	}
}

func TestSuitesConcernTheirFiles(t *testing.T) {
	s := suite{Handler: "seats"}
	for file, want := range map[string]bool{
		"policies/seats/seats_test.rego": true, "policies/shared/data.json": true,
		"policies/seats2/seats.rego": false, "handlers/seats/main.go": false,
	} {
		if got := s.concerns([]string{"README.md", file}); got != want {
			t.Errorf("%s: expected %t, got %t", file, want, got)
		}
	}
}
