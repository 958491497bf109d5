package main

import (
	"bytes"
	"strings"
	"testing"
)

// What runs in this process has a figure in every row. The other figures take executables, and
// minutes.
func TestRun(t *testing.T) {
	t.Chdir(".") // run changes it
	var out bytes.Buffer
	if err := run(t.Context(), true, "P1,P3,P4,P5,P5b,P16", &out); err != nil {
		t.Fatal(err)
	}
	for _, figure := range []string{"P1.", "P2.", "P3.", "P4.", "P5.", "P5b.", "P16."} {
		if !strings.Contains(out.String(), "\n**"+figure) {
			t.Errorf("expected a table of %s got\n%s", figure, &out)
		}
	}
	if strings.Contains(out.String(), "not measured") || strings.Contains(out.String(), "NaN") {
		t.Errorf("expected a figure in every row, got\n%s", &out)
	}
}
