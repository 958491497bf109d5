package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"account-api/internal/access"
)

// reviewAccess compares the policies of two versions. Description is the pull request's,
// which may hold the reason why what is gained is meant. It returns the exit status of
// access-diff.
func reviewAccess(ctx context.Context, base, head, description string) (part, int) {
	report, err := compareVersions(ctx, base, head)
	if err != nil {
		return part{"policies", []verdict{{"", "who gains or loses access could not be judged", true, true}}, []section{{Title: "why", Text: err.Error()}}}, 1
	}
	terms := access.Terms{Review: description}
	word, _ := report.Verdict(terms)
	exit := word.Exit()
	reviewed := part{Subject: "policies"}
	for _, e := range report.Endpoints {
		if v, changed := endpointVerdict(e); changed {
			v.Fails = exit != 0 && v.Grave
			reviewed.Verdicts = append(reviewed.Verdicts, v)
		}
	}
	switch {
	case reviewed.Verdicts == nil:
		reviewed.Verdicts = []verdict{{"", "nobody gains or loses access", false, false}}
		return reviewed, exit
	case word == access.Reviewed:
		reviewed.Verdicts = append(reviewed.Verdicts, verdict{"", "reviewed", false, false})
	}
	var text strings.Builder
	if err := report.WriteMarkdown(&text, terms); err != nil {
		return part{"policies", []verdict{{"", err.Error(), true, true}}, nil}, 1
	}
	reviewed.Sections = []section{{Title: "who gains or loses access", Markdown: text.String()}}
	return reviewed, exit
}

// endpointVerdict says in words how a policy's answers change.
func endpointVerdict(e access.Endpoint) (v verdict, changed bool) {
	if e.State == access.Same {
		return verdict{}, false
	}
	v = verdict{Of: e.Name}
	number := map[access.Kind]int{}
	for _, c := range e.Changes {
		number[c.Kind] += c.Callers
	}
	var words []string
	switch e.State {
	case access.Compared:
	case access.Broken:
		words, v.Grave = append(words, "compiles in neither version"), true
	default: // new or removed
		words = append(words, string(e.State))
	}
	for _, row := range []struct {
		kind  access.Kind
		words string
		grave bool
	}{
		{access.Error, "%s now get an error", true}, {access.Gained, "%s gained", true}, {access.Revoked, "%s revoked", true}, {access.Reason, "%s denied for another reason", false},
	} {
		if n := number[row.kind]; n > 0 {
			words = append(words, fmt.Sprintf(row.words, counted(n, "caller")))
			v.Grave = v.Grave || row.grave
		}
	}
	if words == nil {
		words = []string{"changed, and no caller gets another answer"}
	}
	v.Says = strings.Join(words, ", ")
	return v, true
}

func compareVersions(ctx context.Context, base, head string) (access.Report, error) {
	before, remove, err := policiesOf(base)
	if err != nil {
		return access.Report{}, err
	}
	defer remove()
	after, _, err := policiesOf(head)
	if err != nil {
		return access.Report{}, err
	}
	return access.Compare(ctx, before, after, nil)
}

// policiesOf is policies/ of a directory or, if there is no such directory, of a revision.
// A symbolic link may not lead out of the version: the report would quote what it leads
// to, and may stand in a public comment.
func policiesOf(version string) (policies fs.FS, remove func(), err error) {
	remove = func() {}
	if _, err := os.Stat(version); err != nil {
		directory, err := os.MkdirTemp("", "review")
		if err != nil {
			return nil, remove, err
		}
		remove = func() { os.RemoveAll(directory) }
		archive := filepath.Join(directory, "policies.tar")
		for _, command := range [][]string{
			{"git", "archive", "--format=tar", "-o", archive, version, "policies"},
			{"tar", "-xf", archive, "-C", directory},
		} {
			if output, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
				remove()
				return nil, remove, fmt.Errorf("expected a directory or a revision with policies/, got %q: %w\n%s", version, err, output)
			}
		}
		version = directory
	}
	root, err := os.OpenRoot(version)
	if err != nil {
		return nil, remove, err
	}
	policies, err = fs.Sub(root.FS(), "policies")
	return policies, remove, err
}
