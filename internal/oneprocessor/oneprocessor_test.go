package oneprocessor_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	_ "account-api/internal/oneprocessor"
)

// tell makes this test binary a program that imports the package.
const tell = "ONEPROCESSOR_TEST_TELL"

func TestMain(m *testing.M) {
	if os.Getenv(tell) != "" {
		fmt.Print(runtime.GOMAXPROCS(0))
		return
	}
	os.Exit(m.Run())
}

func TestProcessors(t *testing.T) {
	for _, row := range []struct{ name, variable, want string }{
		{"without a variable there is one", "", "1"},
		{"a variable wins", "3", "3"},
	} {
		t.Run(row.name, func(t *testing.T) {
			program := exec.CommandContext(t.Context(), os.Args[0])
			program.Env = append(os.Environ(), tell+"=1", "GOMAXPROCS="+row.variable)
			got, err := program.Output()
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != row.want {
				t.Errorf("expected %s processors, got %s", row.want, got)
			}
		})
	}
}

func TestEveryHandlerImportsIt(t *testing.T) {
	mains, err := filepath.Glob("../../handlers/*/main.go")
	if err != nil || len(mains) == 0 {
		t.Fatalf("expected handlers, got none (%v)", err)
	}
	for _, main := range mains {
		source, err := os.ReadFile(main)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(source), "_ \"account-api/internal/oneprocessor\"\n") {
			t.Errorf("%s: expected the import of internal/oneprocessor, got none: without it an invocation costs a third more", main)
		}
	}
}
