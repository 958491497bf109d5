package main

import (
	"errors"
	"path/filepath"
	"testing"

	"account-api/local/running"
)

func TestSettingsThatAreRefusedHaveTheirLine(t *testing.T) {
	root := t.TempDir()
	running.Write(t, filepath.Join(root, "Pulumi.matinee.yaml"), "# maxAge: not here\nconfig:\n  aws:region: eu-west-1\n  cinema:maxAge: 0\n  \"rows\": [1]\n  issuer: x\n  price: 3\n")
	for name, row := range map[string]struct{ said, want string }{
		"with the project's name":           {"maxAge: expected at least 1 second, got 0", "Pulumi.matinee.yaml:4: maxAge: expected at least 1 second, got 0"},
		"of a provider":                     {"aws:region: unknown", "Pulumi.matinee.yaml:3: aws:region: unknown"},
		"one of a list":                     {"rows[1]: expected a text", "Pulumi.matinee.yaml:5: rows[1]: expected a text"},
		"several":                           {"refused:\n  maxAge: too low\n  rows: none", "refused:\n  Pulumi.matinee.yaml:4: maxAge: too low\n  Pulumi.matinee.yaml:5: rows: none"},
		"one that the file lacks":           {"audience: expected one, got nothing", "audience: expected one, got nothing"},
		"one that begins alike":             {"max: expected one", "max: expected one"},
		"one that the command line has":     {"price: expected less", "price: expected less"},
		"one that the local issuer has":     {"issuer: expected https", "issuer: expected https"},
		"one in the middle of a sentence":   {"the program says price: expected less", "the program says price: expected less"},
		"one whose name is part of another": {"Age: expected one", "Age: expected one"},
	} {
		t.Run(name, func(t *testing.T) {
			keys, err := listen("ISSUER_PORT", 0)
			if err != nil {
				t.Fatal(err)
			}
			defer keys.Close()
			l := &localStack{settings: settings{root: root, stack: "matinee", config: []string{"cinema:price=3"}}, keys: keys}
			if got := l.placed(errors.New(row.said)).Error(); got != row.want {
				t.Errorf("expected\n%s\ngot\n%s", row.want, got)
			}
		})
	}
}
