package build_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"account-api/local/build"
)

// module writes files into a new module.
func module(t *testing.T, files map[string]string) (root string) {
	t.Helper()
	root = t.TempDir()
	for name, content := range files {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestReads(t *testing.T) {
	cinema := map[string]string{
		"go.mod":                      "module example.com/cinema\n\ngo 1.26\n",
		"cmd/seats/main.go":           "package main\n\nimport _ \"example.com/cinema/internal/hall\"\n",
		"cmd/seats/main_test.go":      "package main\n\nimport _ \"example.com/cinema/internal/robot\"\n",
		"cmd/rows/main.go":            "package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println() }\n",
		"internal/hall/hall.go":       "package hall\n",
		"internal/hall/hall_plan9.go": "package hall\n\nimport _ \"example.com/cinema/internal/curtain\"\n",
		"internal/curtain/curtain.go": "package curtain\n",
		"internal/hallway/hallway.go": "package hallway\n",
		"internal/robot/robot.go":     "package robot\n",
	}
	for name, row := range map[string]struct {
		files []string
		also  map[string]string
		want  bool
	}{
		"a file of the package":                                          {files: []string{"cmd/seats/door.go"}, want: true},
		"a file of an import":                                            {files: []string{"internal/hall/hall.go"}, want: true},
		"a file below an import, which it may embed":                     {files: []string{"internal/hall/plan/a/b.json"}, want: true},
		"a file of an import on another operating system":                {files: []string{"internal/curtain/curtain.go"}, want: true},
		"a file of what only a test imports":                             {files: []string{"internal/robot/robot.go"}},
		"a file of another program":                                      {files: []string{"cmd/rows/main.go"}},
		"a file of a package whose name begins alike":                    {files: []string{"internal/hallway/hallway.go"}},
		"a file above all of its packages":                               {files: []string{"settings.yaml"}},
		"one file of several":                                            {files: []string{"cmd/rows/main.go", "internal/hall/hall.go"}, want: true},
		"the module":                                                     {files: []string{"go.mod"}, want: true},
		"the checksums":                                                  {files: []string{"go.sum"}, want: true},
		"a file of a dependency in the repository":                       {files: []string{"vendor/example.org/x/x.go"}, want: true},
		"a file of another module, which go.mod or a workspace may name": {files: []string{"fork/deep/fork.go"}, also: map[string]string{"fork/go.mod": "module example.org/x\n"}, want: true},
		"another module, which may be gone":                              {files: []string{"fork/go.mod"}, want: true},
		"a workspace":                                                    {files: []string{"go.work"}, want: true},
		"anything while an import cannot be read":                        {files: []string{"cmd/rows/main.go"}, also: map[string]string{"cmd/seats/door.go": "package main\n\nimport \"fmt\n"}, want: true},
		"anything without a module":                                      {files: []string{"cmd/rows/main.go"}, also: map[string]string{"go.mod": "\n"}, want: true},
		"an import that is gone":                                         {files: []string{"internal/stage/stage.go"}, also: map[string]string{"cmd/seats/door.go": "package main\n\nimport _ \"example.com/cinema/internal/stage\"\n"}, want: true},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{}
			for _, some := range []map[string]string{cinema, row.also} {
				for name, content := range some {
					files[name] = content
				}
			}
			if got := build.Reads(module(t, files), "./cmd/seats", row.files); got != row.want {
				t.Errorf("expected %t, got %t", row.want, got)
			}
		})
	}
}

func TestEveryMistakeIsListed(t *testing.T) {
	const broken = "package main\n\nimport \"cinema/screen\"\n\nfunc main() { screen.Show() }\n"
	for name, row := range map[string]struct {
		screen, seats, rows string
		want                []string
	}{
		"in two functions": {
			screen: "package screen\n", seats: "package main\n\nfunc main() { a() }\n", rows: "package main\n\nfunc main() { b() }\n",
			want: []string{"cmd/rows/main.go:3:15: undefined: b", "cmd/seats/main.go:3:15: undefined: a"},
		},
		"in one function, and an import of another that is not there": {
			screen: "package screen\n", seats: "package main\n\nimport _ \"cinema/nowhere\"\n", rows: "package main\n\nfunc main() { b() }\n",
			want: []string{"cmd/seats/main.go:3:8: package cinema/nowhere is not in std", "cmd/rows/main.go:3:15: undefined: b"},
		},
		"in what functions and tools share": {
			screen: "package screen\n\nfunc Show() { c() }\n", seats: broken, rows: broken,
			want: []string{"screen/screen.go:3:15: undefined: c"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := module(t, map[string]string{
				"go.mod": "module cinema\n\ngo 1.26\n", "screen/screen.go": row.screen, "tool/main.go": broken,
				"cmd/seats/main.go": row.seats, "cmd/rows/main.go": row.rows,
			})
			o := build.Options{Root: root, Out: filepath.Join(root, "dist"), Progress: func(build.Progress) {}}
			err := build.Packages(t.Context(), o, build.Functions("./cmd/seats", "./cmd/rows"), build.Tools("./tool"))
			if err == nil || !build.Failed(err, "./cmd/seats") || !build.Failed(err, "./cmd/rows") {
				t.Errorf("expected both functions to fail, got %v", err)
			}
			for _, want := range row.want {
				if n := strings.Count(err.Error(), want); n != 1 {
					t.Errorf("expected %q once, got it %d times in\n%s", want, n, err)
				}
			}
		})
	}
}
