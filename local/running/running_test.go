package running

import (
	"strings"
	"testing"
)

func TestMakeTestHashesWhatTestsRead(t *testing.T) {
	makefile := Read(t, "../../Makefile")
	for _, line := range []string{"export FILES = $(call HASH,.)\n", "export RUNNER = $(call HASH," + strings.Join(Runner, " ") + ")\n"} {
		if !strings.Contains(makefile, line) {
			t.Errorf("expected %q in the Makefile", line)
		}
	}
}
