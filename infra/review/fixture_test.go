package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fake puts a program on PATH that prints the answer whose key begins its arguments, and
// notes its arguments. An answer may begin with "exit N\n".
func fake(t *testing.T, program string, answers map[string]string) (calls func() string) {
	t.Helper()
	directory := t.TempDir()
	var cases strings.Builder
	n := 0
	for arguments, answer := range answers {
		n++
		status := "0"
		if rest, found := strings.CutPrefix(answer, "exit "); found {
			status, answer, _ = strings.Cut(rest, "\n")
		}
		file := filepath.Join(directory, "answer"+string(rune('0'+n)))
		if err := os.WriteFile(file, []byte(answer), 0o600); err != nil {
			t.Fatal(err)
		}
		cases.WriteString("'" + arguments + "'*) cat '" + file + "'; exit " + status + " ;;\n")
	}
	script := "#!/usr/bin/env bash\necho \"$*\" >>'" + directory + "/calls'\n" +
		"for argument; do case $argument in body=@*) cp \"${argument#body=@}\" '" + directory + "/body' ;; esac; done\n" +
		"case \"$*\" in\n" + cases.String() + "*) echo \"unexpected: $*\" >&2; exit 9 ;;\nesac\n"
	if err := os.WriteFile(filepath.Join(directory, program), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", directory+string(os.PathListSeparator)+os.Getenv("PATH"))
	return func() string {
		calls, _ := os.ReadFile(filepath.Join(directory, "calls"))
		body, _ := os.ReadFile(filepath.Join(directory, "body"))
		return string(calls) + string(body)
	}
}

// environment answers as os.Getenv.
func environment(variables map[string]string) func(string) string {
	return func(name string) string { return variables[name] }
}

// document is a preview.
func document(t *testing.T, steps []step, diagnostics ...diagnostic) string {
	t.Helper()
	if steps == nil {
		steps = []step{}
	}
	encoded, err := json.Marshal(map[string]any{"steps": steps, "diagnostics": diagnostics})
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}

// one is a step of a resource: before or after may be nil.
func one(op, kind, name string, before, after map[string]any) step {
	urn := "urn:pulumi:test::shop::" + kind + "::" + name
	s := step{Op: op, URN: urn}
	if before != nil {
		s.OldState = &state{Type: kind, URN: urn, Custom: true, Inputs: before}
	}
	if after != nil {
		s.NewState = &state{Type: kind, URN: urn, Custom: true, Inputs: after}
	}
	return s
}

type object = map[string]any

func archive(hash string) object {
	return object{signature: "0def7320c3a5731c473e5ecbe6d01bc7", "hash": hash, "path": "dist/x.zip"}
}
