package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"account-api/infra/guardrail"
)

// reviewStack previews a stack and judges the preview.
func reviewStack(ctx context.Context, stack string) part {
	const infrastructure, guardRails = "infrastructure", "guard rails"
	there, err := exists(ctx, stack)
	if err == nil && !there {
		return part{Subject: stack, Verdicts: []verdict{{infrastructure, "not previewed, as there is no such stack yet: the first deployment creates it", false, false}}}
	}
	p, document, err := runPreview(ctx, stack)
	if err != nil {
		return part{stack, []verdict{{infrastructure, "the preview failed", true, true}, {guardRails, "not checked", true, true}},
			[]section{{Title: "why the preview failed", Text: err.Error()}}}
	}
	changes := p.changes()
	reviewed := part{Subject: stack, Verdicts: []verdict{counts(changes)}}
	if warnings := p.said("warning"); len(warnings) > 0 {
		reviewed.Sections = append(reviewed.Sections, section{Title: counted(len(warnings), "warning"), Text: strings.Join(warnings, "\n")})
	}

	judged, err := judge(ctx, document)
	switch {
	case err != nil:
		reviewed.Verdicts = append(reviewed.Verdicts, verdict{guardRails, "could not be checked", true, true})
		reviewed.Sections = append(reviewed.Sections, section{Title: "why the guard rails could not be checked", Text: err.Error()})
	case len(judged.Violations) > 0:
		reviewed.Verdicts = append(reviewed.Verdicts, verdict{guardRails, counted(len(judged.Violations), "violation"), true, true})
		reviewed.Sections = append(reviewed.Sections, section{Title: "violations of policies/infra", Text: violations(judged)})
	default:
		reviewed.Verdicts = append(reviewed.Verdicts, verdict{guardRails, passed(judged), false, false})
	}

	packages, text := p.packages()
	reviewed.Verdicts = append(reviewed.Verdicts, verdict{"packages", packages, false, false})
	if len(changes) > 0 {
		var diff []string
		for _, c := range changes {
			diff = append(diff, c.lines()...)
		}
		reviewed.Sections = append(reviewed.Sections, section{Title: "what changes", Text: strings.Join(diff, "\n")})
	}
	if text != "" {
		reviewed.Sections = append(reviewed.Sections, section{Title: "SHA-256 of the packages", Text: text})
	}
	return reviewed
}

// counts are the changes in words.
func counts(changes []change) verdict {
	number := map[string]int{}
	grave := false
	for _, c := range changes {
		number[c.operation]++
		// A deployment is a snapshot, which every change of the API replaces.
		grave = grave || (c.operation == "replace" || c.operation == "delete") && c.kind != "Deployment"
	}
	var words []string
	for _, operation := range gravity {
		if n := number[operation]; n > 0 {
			noun := map[string]string{"replace": "replacement", "delete": "deletion", "update": "update", "create": "creation"}[operation]
			words = append(words, counted(n, noun))
		}
	}
	if words == nil {
		words = []string{"no change"}
	}
	return verdict{"infrastructure", strings.Join(words, ", "), grave, false}
}

// packages compares the functions' deployment packages.
func (p preview) packages() (summary, text string) {
	var changed, all []string
	for _, s := range p.Steps {
		if s.NewState == nil || s.NewState.Type != "aws:lambda/function:Function" || operations[s.Op] == "replace" && s.Op != "replace" {
			continue
		}
		name := s.NewState.URN[strings.LastIndex(s.NewState.URN, ":")+1:]
		is, was := packageOf(s.NewState.Inputs["code"]), packageHash("")
		if s.OldState != nil {
			was = packageOf(s.OldState.Inputs["code"])
		}
		if was == is {
			all = append(all, fmt.Sprintf("  %s  %s", is, name))
			continue
		}
		changed = append(changed, name)
		if was != "" {
			all = append(all, fmt.Sprintf("- %s  %s", was, name))
		}
		all = append(all, fmt.Sprintf("+ %s  %s", is, name))
	}
	slices.Sort(changed)
	if changed == nil {
		return "unchanged", strings.Join(all, "\n")
	}
	return strings.Join(changed, ", ") + " changed", strings.Join(all, "\n")
}

// judge applies policies/infra to the document of a preview.
func judge(ctx context.Context, document []byte) (guardrail.Verdict, error) {
	rules, err := guardrail.Load(ctx, os.DirFS("policies/infra"))
	if err != nil {
		return guardrail.Verdict{}, err
	}
	return rules.JudgeDocument(ctx, document)
}

// passed says how much the rules could see.
func passed(v guardrail.Verdict) string {
	if n := len(v.Unjudged); n > 0 {
		return fmt.Sprintf("pass (%s known after the deployment)", strings.Replace(counted(n, "policy"), "policys", "policies", 1))
	}
	return "pass"
}

func violations(v guardrail.Verdict) string {
	var text strings.Builder
	for _, found := range v.Violations {
		fmt.Fprintf(&text, "- row %d, %s, %s: %s\n", found.Row, found.Severity, found.Resource, found.Message)
	}
	return text.String()
}

// guard checks one stack and returns what it says, or an error: it succeeds only if the
// preview succeeded and the rules found no violation.
func guard(ctx context.Context, stack string) (string, error) {
	_, document, err := runPreview(ctx, stack)
	if errors.Is(err, errNoPulumi) {
		return "", err
	}
	if err != nil {
		return "", fmt.Errorf("%w\nguard: the preview of stack %s failed, so nothing was checked: make preview STACK=%s shows why", err, stack, stack)
	}
	v, err := judge(ctx, document)
	if err != nil {
		return "", fmt.Errorf("guard: the rules could not judge the preview of stack %s: %w", stack, err)
	}
	if len(v.Violations) > 0 {
		return "", fmt.Errorf("%sguard: stack %s violates policies/infra: each violation above names its fix", violations(v), stack)
	}
	return fmt.Sprintf("policies/infra finds nothing wrong with stack %s: %s", stack, passed(v)), nil
}
