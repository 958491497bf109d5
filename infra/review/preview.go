package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

// preview is the document of pulumi preview --json:
// https://www.pulumi.com/docs/iac/cli/commands/pulumi_preview/
type preview struct {
	Steps       []step       `json:"steps"`
	Diagnostics []diagnostic `json:"diagnostics"`
}

type step struct {
	Op             string         `json:"op"`
	URN            string         `json:"urn"`
	OldState       *state         `json:"oldState"`
	NewState       *state         `json:"newState"`
	ReplaceReasons []string       `json:"replaceReasons"`
	DetailedDiff   map[string]any `json:"detailedDiff"`
}

type state struct {
	Type   string         `json:"type"`
	URN    string         `json:"urn"`
	Custom bool           `json:"custom"` // a component is not
	Inputs map[string]any `json:"inputs"`
}

type diagnostic struct {
	Severity string `json:"severity"`
	Message  string `json:"message"`
}

// operations are those of the engine, with what a reviewer calls them. A replacement is
// several steps of one resource.
var operations = map[string]string{
	"same": "same", "read": "same", "refresh": "same", "read-discard": "same", "discard-replaced": "same", "remove-pending-replace": "same",
	"create": "create", "import": "create", "update": "update", "delete": "delete", "read-replacement": "replace",
	"replace": "replace", "create-replacement": "replace", "delete-replaced": "replace", "import-replacement": "replace",
}

// readPreview decodes the document. It accepts only what it understands in full, as what
// is not seen would pass the guard rails.
func readPreview(document []byte) (preview, error) {
	var p struct {
		preview
		Steps *[]step `json:"steps"`
	}
	if err := json.Unmarshal(document, &p); err != nil {
		return preview{}, fmt.Errorf("expected the document of pulumi preview --json, got %d bytes that are something else: %w", len(document), err)
	}
	if p.Steps == nil {
		return p.preview, errors.New("expected a preview with steps, got none")
	}
	p.preview.Steps = *p.Steps
	for i, s := range *p.Steps {
		operation, known := operations[s.Op]
		deleted := operation == "delete" || s.Op == "delete-replaced" || s.Op == "discard-replaced" || s.Op == "read-discard" || s.Op == "remove-pending-replace"
		switch {
		case !known:
			return p.preview, fmt.Errorf("step %d: expected an operation of Pulumi's engine, got %q: teach infra/review what it does", i, s.Op)
		case !deleted && (s.NewState == nil || s.NewState.Type == "" || len(strings.Split(s.NewState.URN, "::")) < 4):
			return p.preview, fmt.Errorf("step %d: expected the new state of a resource with its type and URN, got none", i)
		}
	}
	return p.preview, nil
}

// failed is why there is no preview.
type failed struct{ reasons []string }

func (f failed) Error() string { return strings.Join(f.reasons, "\n") }

// runPreview previews a stack, and returns the document too.
func runPreview(ctx context.Context, stack string, flags ...string) (preview, []byte, error) {
	document, stderr, err := output(ctx, "pulumi", append([]string{"preview", "--stack", stack, "--json", "--show-sames", "--non-interactive"}, flags...)...)
	p, wrong := readPreview(document)
	if err != nil {
		// With --json the CLI writes its diagnostics into the document.
		reasons := p.said("error")
		if len(reasons) == 0 {
			reasons = []string{strings.TrimSpace(fmt.Sprintf("%v\n%s", err, stderr))}
		}
		return p, nil, failed{reasons}
	}
	if wrong != nil {
		return p, nil, failed{append(p.said("error"), wrong.Error())}
	}
	return p, document, nil
}

// markup is how Pulumi colours a diagnostic.
var markup = regexp.MustCompile(`<\{%.*?%\}>`)

// said are the diagnostics of a severity. Progress, of severity info, is none of them.
func (p preview) said(severity string) (messages []string) {
	for _, d := range p.Diagnostics {
		message := strings.TrimSpace(markup.ReplaceAllString(d.Message, ""))
		if d.Severity == severity && message != "" && !slices.Contains(messages, message) {
			messages = append(messages, message)
		}
	}
	return messages
}

// exists reports whether the backend has the stack.
func exists(ctx context.Context, stack string) (bool, error) {
	document, stderr, err := output(ctx, "pulumi", "stack", "ls", "--json")
	if err != nil {
		return false, fmt.Errorf("list the stacks: %w\n%s", err, stderr)
	}
	var stacks []struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal(document, &stacks); err != nil {
		return false, fmt.Errorf("list the stacks: %w", err)
	}
	// Pulumi Cloud may put the organization in front.
	last := func(name string) string { return name[strings.LastIndex(name, "/")+1:] }
	for _, s := range stacks {
		if last(s.Name) == last(stack) {
			return true, nil
		}
	}
	return false, nil
}

// output runs a program and returns what it prints.
func output(ctx context.Context, program string, arguments ...string) (stdout []byte, stderr string, err error) {
	command := exec.CommandContext(ctx, program, arguments...)
	var errors bytes.Buffer
	command.Stderr = &errors
	stdout, err = command.Output()
	if err != nil {
		err = fmt.Errorf("%s %s: %w", program, strings.Join(arguments, " "), err)
	}
	return stdout, errors.String(), err
}
