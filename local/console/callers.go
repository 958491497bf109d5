package console

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"account-api/local/example"
	"account-api/local/trial"
)

// callersFile holds the callers that were saved for a policy, next to its rules:
//
//	callers := {"an auditor": {"scope": "read:orders"}}
//
// A Rego test uses one with: input as callers["an auditor"]. The value is JSON. The file is a
// Rego test because every tool leaves those out of a handler, and the opa command would load a
// file of JSON as a data document.
const callersFile = "callers_test.rego"

const callersRule = "callers"

// callersTest uses every caller, because tests have to cover the file like every other one.
const callersTest = "test_callers_are_objects"

// maxCallers bounds the file.
const maxCallers = 100

// savedCallers reads the callers that were saved for a policy, by name.
func savedCallers(root, policy string) (map[string]example.Caller, error) {
	name := path.Join(policy, callersFile)
	source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]example.Caller{}, nil
	}
	if err != nil {
		return nil, err
	}
	module, err := ast.ParseModule(name, string(source))
	if err != nil {
		return nil, err
	}
	edit := fmt.Errorf("%s: expected the rule %s, an object of callers by name, got something else: edit the file by hand", name, callersRule)
	others := slices.ContainsFunc(module.Rules, func(r *ast.Rule) bool {
		return r.Head.Name != callersRule && r.Head.Name != callersTest || r.Head.Value == nil
	})
	if len(module.Rules) != 2 || others || module.Rules[0].Head.Name != callersRule {
		return nil, edit
	}
	value, err := ast.JSON(module.Rules[0].Head.Value.Value)
	if err != nil {
		return nil, edit
	}
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	var callers map[string]example.Caller
	if json.Unmarshal(text, &callers) != nil {
		return nil, edit
	}
	return callers, nil
}

// writeCallers replaces the callers that were saved for a policy.
func writeCallers(root, policy string, callers map[string]example.Caller) error {
	file := filepath.Join(root, filepath.FromSlash(path.Join(policy, callersFile)))
	if len(callers) == 0 {
		err := os.Remove(file)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(callers); err != nil {
		return err
	}
	text := "# Callers that the console of make run has saved. A test uses one with:\n#\n#\tinput as " + callersRule + `["` + "NAME" + `"]` +
		"\npackage " + testPackage(path.Base(policy)) + "\n\n" + callersRule + " := " + b.String() +
		"\n" + callersTest + " if {\n\tevery caller in " + callersRule + " {\n\t\tis_object(caller)\n\t}\n}\n"
	return replaceFile(file, trial.Format(text), 0o644)
}

// serveCaller saves the caller that the form describes, or forgets one.
func (c *Console) serveCaller(w http.ResponseWriter, r *http.Request) {
	policy, name := r.PostFormValue("policy"), strings.TrimSpace(r.PostFormValue("name"))
	if !slices.Contains(c.policies(), policy) {
		answer(w, http.StatusNotFound, said{Message: "expected the directory of a policy to save the caller in"})
		return
	}
	if name == "" || len(name) > 80 || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		answer(w, http.StatusBadRequest, said{Message: "expected a name of up to 80 bytes for the caller"})
		return
	}
	c.saving.Lock()
	defer c.saving.Unlock()
	callers, err := savedCallers(c.options.Root, policy)
	var message string
	if err == nil {
		if r.PostFormValue("forget") != "" {
			delete(callers, name)
			message = "Forgotten."
		} else {
			callers[name], err = caller(r)
			message = fmt.Sprintf("Saved in %s: a Rego test uses it with input as %s[%q].", path.Join(policy, callersFile), callersRule, name)
		}
	}
	if err == nil && len(callers) > maxCallers {
		err = fmt.Errorf("expected at most %d callers", maxCallers)
	}
	if err == nil {
		err = writeCallers(c.options.Root, policy, callers)
	}
	if err != nil {
		answer(w, http.StatusBadRequest, said{Message: err.Error()})
		return
	}
	options, err := c.rendered("callers", c.callers())
	if err != nil {
		answer(w, http.StatusInternalServerError, said{Message: err.Error()})
		return
	}
	answer(w, http.StatusOK, said{Message: message, HTML: string(options)})
}

// caller reads the caller that a form describes.
func caller(r *http.Request) (example.Caller, error) {
	described := example.Caller{
		Scope: strings.Join(strings.Fields(strings.Join(r.PostForm["scope"], " ")), " "), Permissions: strings.TrimSpace(r.PostFormValue("permissions")),
		Principal: strings.TrimSpace(r.PostFormValue("sub")), AuthorizedParty: strings.TrimSpace(r.PostFormValue("azp")),
	}
	if text := strings.TrimSpace(r.PostFormValue("claims")); text != "" && json.Unmarshal([]byte(text), &described.Claims) != nil {
		return described, errors.New(`expected further claims as a JSON object, such as {"org_id":"one"}`)
	}
	return described, nil
}

// choice is a caller to choose, in a group.
type choice struct {
	Policy, Name string // of a saved one
	Title        string
	Caller       string // in JSON
}

// callerGroup are callers of one origin.
type callerGroup struct {
	Title   string
	Choices []choice
}

// callers are those that the policies' examples and the files have.
func (c *Console) callers() []callerGroup {
	var groups []callerGroup
	found := callerGroup{Title: "Found in the policies"}
	for _, e := range c.options.Stack().Endpoints {
		for _, row := range []struct {
			verdict string
			caller  *example.Caller
		}{{"allowed", e.Allowed}, {"denied", e.Denied}} {
			title := fmt.Sprintf("%s for %s %s", row.verdict, e.Method, e.Path)
			if row.caller != nil {
				found.Choices = append(found.Choices, choice{Title: title + ": " + row.caller.String(), Caller: object(row.caller)})
			}
		}
	}
	if len(found.Choices) > 0 {
		groups = append(groups, found)
	}
	for _, policy := range c.policies() {
		saved, err := savedCallers(c.options.Root, policy)
		g := callerGroup{Title: "Saved in " + policy}
		if err != nil {
			g.Title = "Not readable: " + err.Error()
		}
		for _, name := range slices.Sorted(maps.Keys(saved)) {
			g.Choices = append(g.Choices, choice{policy, name, name, object(saved[name])})
		}
		if len(g.Choices) > 0 || err != nil {
			groups = append(groups, g)
		}
	}
	return groups
}

// policies are the directories of the endpoints' policies, each once.
func (c *Console) policies() []string {
	var dirs []string
	for _, e := range c.options.Stack().Endpoints {
		if e.Policy != "" && !slices.Contains(dirs, e.Policy) {
			dirs = append(dirs, e.Policy)
		}
	}
	return dirs
}
