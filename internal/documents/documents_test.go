// Package documents holds what the documents promise: each command in them is run by a
// test, or says what it needs; each make target exists; each link leads somewhere.
//
// It has tests only.
package documents

import (
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// root is the project's directory, seen from this package's.
const root = "../.."

// tests run the commands of the documents, as DIRECTORY.TestName.
var tests = map[string]string{
	"make run":                   "adoption.TestWalks",
	"make run ISSUER=stack":      "local.TestProviderOfTheStack",
	"make run DEBUG=profile":     "local/lambda.TestADebuggerHasOneProcessAndAllTheTime",
	"make test":                  "adoption.TestWalks",
	"make explain":               "local/explain.TestWithoutAToken",
	"make explain < token":       "local/explain.TestExplanations",
	"make mutants":               "internal/mutant/mutants.TestRun",
	"make review BASE=main":      "infra/review.TestChangesOfAStack",
	"go tool opa test policies":  "adoption.TestWalks",
	"make access-diff BASE=main": "internal/access/access-diff.TestAgainstARevision",
	"opa check --strict --capabilities internal/decision/capabilities.json policies": "policies.TestRego",
	"opa test --capabilities internal/decision/capabilities.json policies":           "policies.TestRego",
	"go run ./local -root path/to/project -stack dev -capture ./cmd/capture":         "local/programs.TestAnotherProgram",
}

// taken are the documents of which a test runs every block.
var taken = map[string]string{"docs/dynamodb.md": "adoption.TestWalks"}

// mistakes are made by tests, under the headings that explain them.
var mistakes = map[string]string{
	"No Go, or an old one":                          "internal/documents.TestMakeSaysWhatIsMissing",
	"A port is taken, or is none":                   "local.TestSettingsThatAreWrongAreNamed",
	"A value that make run does not know":           "local.TestSettingsThatAreWrongAreNamed",
	"An AWS profile without credentials":            "local.TestReach",
	"A stack that does not exist":                   "local.TestSettingsThatAreWrongAreNamed",
	"Pulumi is missing":                             "internal/documents.TestMakeSaysWhatIsMissing",
	"A misspelt setting, or a value that cannot be": "infra.TestConfigurationIsRefusedWithItsCorrection",
	"The issuer without its slash":                  "infra.TestConfigurationIsRefusedWithItsCorrection",
	"The project has another name":                  "infra.TestSettingsOfTheEngineAreRefused",
	"TENANT is still there":                         "infra.TestAnExamplesIssuerIsWarnedOf",
	"The stack file is no YAML":                     "local/record.TestBadStackFilesAreRefused",
	"The policy has a syntax error":                 "internal/decision/edits.TestCommandsAgreeAboutEveryEdit",
	"A claim or a field is misspelt":                "internal/decision/edits.TestCommandsAgreeAboutEveryEdit",
	"Go does not compile":                           "local/programs.TestReload",
	"Several things are wrong at once":              "local/programs.TestMistakesOfSeveralKindsAreShownTogether",
	"A list in data.json is not found":              "internal/decision.TestAMissingRuleThatIsInADocumentElsewhere",
	"The rule is other than its tests say":          "local.TestReloadOfAPolicy",
	"The program declares a table":                  "local/record.TestLocalResources",
	"A token of make run, explained for the stack":  "local/explain.TestExplanations",
	"An old token after a restart":                  "handlers/authorizer.TestCorpus",
	"The right token for another audience":          "local/explain.TestExplanations",
	"The algorithm none":                            "local/explain.TestExplanations",
	"Without Bearer, or in lower case":              "local.TestEveryStackOfTheProject",
	"A clock that is wrong":                         "handlers/authorizer.TestCorpus",
	"A proxy or a CA in between":                    "local/explain.TestACertificateThatIsNotTrusted",
	"The log role is missing":                       "local/gateway/findings.TestOf",
	"A revision that git does not know":             "internal/access/access-diff.TestAgainstARevision",
	"Nothing answers":                               "local/conform.TestTroubleIsOneSentence",
}

// needs is the first line of a block of commands that no test can run.
var needs = regexp.MustCompile(`^# needs (AWS|Pulumi|an Auth0 tenant)\b`)

// template is filled in by Pulumi Cloud, with the outputs of a deployed stack.
const template = "Pulumi.README.md"

// page is a document, without its fenced blocks, and the blocks of commands.
type page struct {
	name, prose string
	blocks      [][]string
}

func pages(t *testing.T) []page {
	t.Helper()
	var all []page
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if base := path.Base(name); entry.IsDir() && (base == ".git" || base == "dist" || base == "node_modules") {
			return fs.SkipDir
		}
		if path.Ext(name) != ".md" || name == template {
			return nil
		}
		content, err := os.ReadFile(filepath.Join(root, name))
		all = append(all, read(name, string(content)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// read separates a document into prose and blocks of commands, which are fenced as sh.
func read(name, content string) page {
	p := page{name: name}
	fence := ""
	for line := range strings.Lines(content) {
		text := strings.TrimSpace(line)
		switch {
		case fence == "" && strings.HasPrefix(text, "```"):
			fence = text
			if fence == "```sh" {
				p.blocks = append(p.blocks, nil)
			}
		case text == "```":
			fence = ""
		case fence == "":
			p.prose += line
		case fence == "```sh":
			last := &p.blocks[len(p.blocks)-1]
			*last = append(*last, strings.TrimRight(line, "\n"))
		}
	}
	return p
}

var comment = regexp.MustCompile(`(^|\s+)#.*$`)

// commands are the lines of a block, without comments.
func commands(block []string) []string {
	var all []string
	for _, line := range block {
		if line = strings.TrimSpace(comment.ReplaceAllString(line, "")); line != "" {
			all = append(all, line)
		}
	}
	return all
}

func TestCommandsAreRunByTests(t *testing.T) {
	used := map[string]bool{}
	for _, p := range pages(t) {
		for _, block := range p.blocks {
			if needs.MatchString(block[0]) || taken[p.name] != "" {
				continue
			}
			for _, command := range commands(block) {
				used[command] = true
				if tests[command] == "" {
					t.Errorf("%s: no test runs %q: name one in this package, or let the block begin with %s", p.name, command, needs)
				}
			}
		}
	}
	for command, test := range tests {
		if !used[command] {
			t.Errorf("expected %q in a document, found none: remove it here", command)
		}
		if !exists(t, test) {
			t.Errorf("expected the test %s, which runs %q, found none", test, command)
		}
	}
	for document, test := range taken {
		if !exists(t, test) {
			t.Errorf("expected the test %s, which runs the commands of %s, found none", test, document)
		}
	}
}

// exists reports whether there is a test, named as DIRECTORY.TestName.
func exists(t *testing.T, test string) bool {
	t.Helper()
	directory, name, _ := strings.Cut(test, ".")
	files, err := filepath.Glob(filepath.Join(root, directory, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(file string) bool {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(content), "\nfunc "+name+"(t *testing.T)")
	})
}

func TestMistakesAreMadeByTests(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs/troubleshooting.md"))
	if err != nil {
		t.Fatal(err)
	}
	explained := map[string]bool{}
	for _, found := range regexp.MustCompile(`(?m)^### (.+)$`).FindAllStringSubmatch(string(page), -1) {
		explained[found[1]] = true
		if mistakes[found[1]] == "" {
			t.Errorf("no test makes the mistake %q: name one in this package", found[1])
		}
	}
	for mistake, test := range mistakes {
		if !explained[mistake] {
			t.Errorf("expected the heading %q in docs/troubleshooting.md, found none: remove it here", mistake)
		}
		if !exists(t, test) {
			t.Errorf("expected the test %s of the mistake %q, found none", test, mistake)
		}
	}
}

func TestMakeTargetsExist(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	mentioned := regexp.MustCompile("`make ([a-z-]+)")
	for _, p := range pages(t) {
		for _, found := range mentioned.FindAllStringSubmatch(p.prose, -1) {
			if !strings.Contains(string(makefile), "\n"+found[1]+":") {
				t.Errorf("%s: expected a target of the Makefile, got make %s", p.name, found[1])
			}
		}
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	code    = regexp.MustCompile("`[^`\n]*`")
)

func TestLinksLeadSomewhere(t *testing.T) {
	all := pages(t)
	anchors := map[string][]string{}
	for _, p := range all {
		for _, found := range heading.FindAllStringSubmatch(p.prose, -1) {
			anchors[p.name] = append(anchors[p.name], anchor(found[1]))
		}
	}
	for _, p := range all {
		for _, found := range link.FindAllStringSubmatch(code.ReplaceAllString(p.prose, "``"), -1) {
			if strings.Contains(found[1], "://") {
				continue
			}
			file, fragment, _ := strings.Cut(found[1], "#")
			target := p.name
			if file != "" {
				target = path.Join(path.Dir(p.name), file)
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s: expected the file %s, found none", p.name, target)
			} else if fragment != "" && !slices.Contains(anchors[target], fragment) {
				t.Errorf("%s: expected the heading #%s in %s, got %q", p.name, fragment, target, anchors[target])
			}
		}
	}
}

var noLetter = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)

// anchor is how GitHub names a heading in a link.
func anchor(heading string) string {
	return strings.ReplaceAll(strings.ToLower(noLetter.ReplaceAllString(strings.TrimSpace(heading), "")), " ", "-")
}

// TestMakeSaysWhatIsMissing runs make where only its own tools are installed. The page about
// trouble quotes what it says.
func TestMakeSaysWhatIsMissing(t *testing.T) {
	trouble, err := os.ReadFile(filepath.Join(root, "docs/troubleshooting.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name  string
		tools []string
		make  []string
		fails bool
		says  string
	}{
		{"no Go", []string{"sh", "sed", "awk"}, []string{"run"}, true, `this needs Go [0-9.]+ or later, from https://go\.dev/dl/, or GOTOOLCHAIN=auto; here "go list -m" says: `},
		{"no Go, and a target that needs none", []string{"sh", "sed", "awk"}, []string{"help"}, false, "  make run  "},
		{"no Pulumi", []string{"sh", "sed", "awk", "go"}, []string{"preview"}, true, `pulumi is not installed: https://www\.pulumi\.com/docs/install/ says how`},
	} {
		t.Run(row.name, func(t *testing.T) {
			path := t.TempDir()
			for _, tool := range row.tools {
				file, err := exec.LookPath(tool)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(file, filepath.Join(path, tool)); err != nil {
					t.Fatal(err)
				}
			}
			command := exec.Command("make", append([]string{"--no-print-directory"}, row.make...)...)
			command.Dir = root
			command.Env = append(os.Environ(), "PATH="+path, "MAKEFLAGS=")
			output, err := command.CombinedOutput()
			said := regexp.MustCompile(row.says).FindString(string(output))
			if (err != nil) != row.fails || said == "" {
				t.Fatalf("expected %q and failure %t, got %v:\n%s", row.says, row.fails, err, output)
			}
			if row.fails && !strings.Contains(string(trouble), said) {
				t.Errorf("expected docs/troubleshooting.md to quote %q", said)
			}
		})
	}
}
