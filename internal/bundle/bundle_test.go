package bundle

import (
	"bufio"
	"context"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"account-api/internal/decision"
)

func TestBuildKeepsAnUnchangedFile(t *testing.T) {
	o := greet(module(t, nil))
	mustBuild(t, o)
	past := time.Date(2001, time.February, 3, 4, 5, 6, 0, time.UTC)
	if err := os.Chtimes(o.Out, past, past); err != nil {
		t.Fatal(err)
	}

	mustBuild(t, o)
	info, err := os.Stat(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	if !info.ModTime().Equal(past) {
		t.Errorf("expected modification time %v, got %v", past, info.ModTime())
	}

	write(t, o.Out, "damaged")
	built := mustBuild(t, o)
	if info, err = os.Stat(o.Out); err != nil || info.Size() != built.Size {
		t.Errorf("expected a damaged file to be replaced by %d bytes, got %d, %v", built.Size, info.Size(), err)
	}
	if got := listed(t, filepath.Dir(o.Out)); !slices.Equal(got, []string{"greet.zip"}) {
		t.Errorf("expected the bundle alone, got %q", got)
	}
}

// As in make build: the current directory is the module, and there is no stack. In a process of
// its own, as no result of a test is cached that changes to a temporary directory.
func TestBuildInTheCurrentDirectoryTakesTheClaimsOfAllStacks(t *testing.T) {
	const reads = "package greet\n\ndefault decision := {\"allow\": false, \"reasons\": set()}\n\nallow if input.claims.org_id\n"
	root := module(t, map[string]string{"Pulumi.dev.yaml": "config:\n  claims: [org_id]\n", "policies/greet/greet.rego": reads})
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Dir, cmd.Env = root, append(os.Environ(), asBuilder+"="+here)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		"checking policies/greet with the claims of all stacks together: pulumi preview checks it with those of its stack\n",
		"\ndist/greet.zip\n", // as given
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("expected %q, got\n%s", want, out)
		}
	}
	if _, err := os.Stat(filepath.Join(root, "dist", "greet.zip")); err != nil {
		t.Error(err)
	}
}

// Two at a time in this process, two in others: as in two previews at once.
func TestBuildsAtTheSameTimeAgree(t *testing.T) {
	root := module(t, nil)
	var (
		builds sync.WaitGroup
		mu     sync.Mutex
		sums   = map[string]int{}
	)
	record := func(sum string) {
		mu.Lock()
		defer mu.Unlock()
		sums[sum]++
	}
	for range 2 {
		builds.Go(func() {
			built, err := Build(t.Context(), greet(root))
			if err != nil {
				t.Error(err)
			}
			record(built.SHA256)
		})
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), asBuilder+"="+root)
		builds.Go(func() {
			out, err := cmd.Output()
			if err != nil {
				t.Error(err)
				return
			}
			record(string(out[strings.LastIndexByte(strings.TrimSpace(string(out)), '\n')+1 : len(out)-1]))
		})
	}
	builds.Wait()
	if len(sums) != 1 {
		t.Errorf("expected four equal bundles, got %v", sums)
	}
	if got := listed(t, filepath.Join(root, "dist")); !slices.Equal(got, []string{"greet.zip"}) {
		t.Errorf("expected the bundle alone, got %q", got)
	}
}

func TestAKilledBuildLeavesOutAsItWas(t *testing.T) {
	for _, step := range []string{"compiling", "packing"} {
		t.Run("while "+step, func(t *testing.T) {
			root := module(t, map[string]string{"dist/greet.zip": "from before"})
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), asBuilder+"="+root, stopAt+"="+step, "TMPDIR="+t.TempDir())
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			reached := false
			for scanner := bufio.NewScanner(stdout); !reached && scanner.Scan(); {
				reached = strings.HasPrefix(scanner.Text(), step)
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err == nil || !reached {
				t.Fatalf("expected a process that was killed while %s, got %v", step, err)
			}
			content, err := os.ReadFile(filepath.Join(root, "dist", "greet.zip"))
			if err != nil || string(content) != "from before" {
				t.Errorf("expected the file from before, got %q, %v", content, err)
			}
			if got := listed(t, filepath.Join(root, "dist")); !slices.Equal(got, []string{"greet.zip"}) {
				t.Errorf("expected no file besides it, got %q", got)
			}
		})
	}
}

func TestBuildStopsWithItsContext(t *testing.T) {
	root := module(t, nil)
	work := t.TempDir()
	t.Setenv("TMPDIR", work)
	ctx, cancel := context.WithCancel(t.Context())
	o := greet(root)
	o.Progress = writerFunc(func(p []byte) (int, error) {
		if strings.HasPrefix(string(p), "packing") {
			cancel()
		}
		return len(p), nil
	})
	_, err := Build(ctx, o)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("expected %v, got %v", context.Canceled, err)
	}
	if got := append(listed(t, work), listed(t, filepath.Join(root, "dist"))...); len(got) != 0 {
		t.Errorf("expected no files to be left, got %q", got)
	}
}

func TestBuildErrorsSayWhatToChange(t *testing.T) {
	broken := map[string]string{"handlers/greet/main.go": "package main\n\nfunc main() { undefined() }\n"}
	for name, row := range map[string]struct {
		changes map[string]string
		options func(*Options)
		want    []string // parts of the error, in this order
	}{
		"a compile error": {changes: broken, want: []string{
			"main.go:3:15: undefined: undefined\n", "bundle handlers/greet: the go command could not compile it"}},
		"a policy that does not compile": {
			changes: map[string]string{"policies/greet/greet.rego": "package greet\n\ndecision := x\n\nmore := y\n"},
			want: []string{"policies/greet/greet.rego:3: ", "policies/greet/greet.rego:5: ",
				"\nbundle handlers/greet: the handler would refuse this policy"}},
		"a policy that is not Rego": {
			changes: map[string]string{"policies/shared/shared.rego": "package shared\n\nlist := {\n"},
			want:    []string{"policies/shared/shared.rego:4: ", "\nbundle handlers/greet: the handler would refuse"}},
		"a policy that needs what the handler lacks": {
			changes: map[string]string{"policies/greet/greet.rego": "package greet\n\ndecision if not data.silent.blocked\n"},
			want:    []string{"policies/greet/greet.rego:3: ", "data.silent, got none", "\nbundle handlers/greet: the handler would refuse"}},
		"a policy without a default": {
			changes: map[string]string{"policies/greet/greet.rego": "package greet\n\ndecision := 1 if input.scope\n"},
			want:    []string{"policies/greet/greet.rego:3: ", "expected a default of data.greet.decision", "\nbundle handlers/greet: the handler would refuse"}},
		"a policy with a misspelt claim": {
			changes: map[string]string{"policies/greet/greet.rego": "package greet\n\ndefault decision := {\"allow\": false, \"reasons\": set()}\n\nallow if input.scopes\n"},
			want:    []string{"policies/greet/greet.rego:5: ", "undefined ref: input.scopes", "\nbundle handlers/greet: the handler would refuse"}},
		"a policy with a claim that no stack passes on": {
			changes: map[string]string{
				"Pulumi.dev.yaml":           "config:\n  claims: [org_id]\n",
				"policies/greet/greet.rego": "package greet\n\ndefault decision := {\"allow\": false, \"reasons\": set()}\n\nallow if input.claims.orgid\n"},
			want: []string{"policies/greet/greet.rego:5: ", "undefined ref: input.claims.orgid", "no stack passes this claim on: did you mean org_id? If not, pulumi config set --path 'claims[N]' orgid ", "\nbundle handlers/greet: the handler would refuse"}},
		"a policy with a claim that another stack passes on": {
			changes: map[string]string{
				"Pulumi.dev.yaml":           "config:\n  claims: [org_id, tier]\n",
				"policies/greet/greet.rego": "package greet\n\ndefault decision := {\"allow\": false, \"reasons\": set()}\n\nallow if input.claims.org_id\n"},
			options: func(o *Options) { o.Stack = decision.Stack{Name: "live", Claims: []string{"tier"}} },
			want: []string{"policies/greet/greet.rego:5: ", "undefined ref: input.claims.org_id",
				"stack live does not pass this claim on: pulumi config set --path 'claims[1]' org_id --stack live\n", "bundle handlers/greet: the handler would refuse"}},
		"a policy with a claim in a stack without any": {
			changes: map[string]string{
				"Pulumi.dev.yaml":           "config:\n  claims: [\"https://example.net/my role\"]\n",
				"policies/greet/greet.rego": "package greet\n\ndefault decision := {\"allow\": false, \"reasons\": set()}\n\nallow if input.claims[\"https://example.net/my role\"]\n"},
			options: func(o *Options) { o.Stack = decision.Stack{Name: "live"} },
			want:    []string{"policies/greet/greet.rego:5: ", "pulumi config set --path 'claims[0]' 'https://example.net/my role' --stack live\n"}},
		"a handler whose policy's directory was renamed": {
			changes: map[string]string{"handlers/greet/policy.go": "package main\n\n// policies.For(\"greet\")\n", "policies/greet/greet.rego": "", "policies/greet/greet_test.rego": "", "policies/greet/limits/limits.rego": ""},
			want:    []string{"policies/greet: expected the policy of handlers/greet, got no such directory: add policies/greet/greet.rego", "\nbundle handlers/greet: the handler would refuse"}},
		"a handler that asks for another's policy": {
			changes: map[string]string{"handlers/greet/policy.go": "package main\n\n// policies.For(\"silent\")\n"},
			want:    []string{`handlers/greet/policy.go: expected policies.For("greet"), as the directory is named, got policies.For("silent")`, "\nbundle handlers/greet: the handler would refuse"}},
		"two data documents with one key": {
			changes: map[string]string{"policies/greet/data.json": `{"limits":{"a":1}}`, "policies/greet/limits/data.json": `{"a":1}`},
			want:    []string{"policies/greet/limits/data.json: ", "data.greet.limits.a in both", "\nbundle handlers/greet: the handler would refuse"}},
		"a policy without a decision": {
			changes: map[string]string{"policies/greet/greet.rego": "package greet\n\nallow := 1\n"},
			want:    []string{"policies/greet/greet.rego:1: ", "expected a rule at data.greet.decision", "\nbundle handlers/greet: the handler would refuse"}},
		"a package that is not main": {
			options: func(o *Options) { o.Package = "words" },
			want:    []string{"bundle words: expected package main, got a library"}},
		"a package that does not exist": {
			options: func(o *Options) { o.Package = "handlers/none" },
			want:    []string{"directory not found", "\nbundle handlers/none: "}},
		"no package":                 {options: func(o *Options) { o.Package = "" }, want: []string{`like handlers/orders, got ""`}},
		"a package above the module": {options: func(o *Options) { o.Package = "../x" }, want: []string{`bundle ../x: expected the directory`}},
		"an absolute package":        {options: func(o *Options) { o.Package = "/x" }, want: []string{`bundle /x: expected the directory`}},
		"a pattern":                  {options: func(o *Options) { o.Package = "handlers/..." }, want: []string{`expected the directory`}},
		"no out":                     {options: func(o *Options) { o.Out = "" }, want: []string{"bundle handlers/greet: expected a file to write to"}},
		"an out that is a directory": {options: func(o *Options) { o.Out = filepath.Join(o.Root, "words") }, want: []string{"bundle handlers/greet: ", "words"}},
		"an out below a file":        {options: func(o *Options) { o.Out = filepath.Join(o.Root, "go.mod", "greet.zip") }, want: []string{"bundle handlers/greet: ", "go.mod"}},
		"no go.mod":                  {changes: map[string]string{"go.mod": ""}, want: []string{"bundle handlers/greet: expected go.mod in the module's root"}},
		"a go.mod that is not one":   {changes: map[string]string{"go.mod": "nonsense\n"}, want: []string{"go.mod:1: unknown directive: nonsense\n", "bundle handlers/greet: go mod edit failed"}},
		"a go.mod without a release": {
			changes: map[string]string{"go.mod": "module example.test/tiny\n\ngo 1.26\n"},
			want:    []string{`expected go.mod to name a released toolchain, like go1.26.8, got "go1.26"`}},
		"a go.mod that pins nothing": {
			changes: map[string]string{"go.mod": "module example.test/tiny\n\ngo 1.26.0\n\ntoolchain default\n"},
			want:    []string{`expected go.mod to name a released toolchain, like go1.26.8, got "default"`}},
		"a dependency that go.mod lacks": {
			changes: map[string]string{"handlers/greet/main.go": "package main\n\nimport _ \"example.test/other\"\n\nfunc main() {}\n"},
			want:    []string{"example.test/other", "\nbundle handlers/greet: "}},
	} {
		t.Run(name, func(t *testing.T) {
			root := module(t, row.changes)
			before := slices.Sorted(maps.Keys(source()))
			o := greet(root)
			if row.options != nil {
				row.options(&o)
			}
			built, err := Build(t.Context(), o)
			if err == nil {
				t.Fatalf("expected an error, got %+v", built)
			}
			rest := err.Error()
			for _, part := range row.want {
				_, after, found := strings.Cut(rest, part)
				if !found {
					t.Fatalf("expected an error with %q in this order, got:\n%v", row.want, err)
				}
				rest = after
			}
			for _, dir := range []string{"dist", "words"} {
				for _, file := range listed(t, filepath.Join(root, dir)) {
					if !slices.Contains(before, dir+"/"+file) {
						t.Errorf("expected no file to be left, got %s/%s", dir, file)
					}
				}
			}
		})
	}
}

func TestBuildWithoutGoSaysSo(t *testing.T) {
	root := module(t, nil)
	t.Setenv("PATH", t.TempDir())
	_, err := Build(t.Context(), greet(root))
	if !errors.Is(err, exec.ErrNotFound) || !strings.Contains(err.Error(), "bundle handlers/greet: expected the go command on PATH") {
		t.Errorf("expected an error that names the package and the go command, got %v", err)
	}
}

func BenchmarkBuildUnchanged(b *testing.B) {
	root := filepath.Join("..", "..")
	o := Options{Root: root, Package: "internal/bundle/build", Out: filepath.Join(b.TempDir(), "build.zip")}
	for b.Loop() {
		if _, err := Build(b.Context(), o); err != nil {
			b.Fatal(err)
		}
	}
}
