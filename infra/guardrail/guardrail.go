// Package guardrail judges what a stack declares by the rules of policies/infra.
package guardrail

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"

	"account-api/local/graph"
)

// Violation is a resource that breaks a rule, and the fix.
type Violation struct {
	Row      int    `json:"row"`
	Severity string `json:"severity"`
	Resource string `json:"resource"`
	Message  string `json:"message"`
}

// Row is a requirement and what became of it.
type Row struct {
	Row         int      `json:"row"`
	Requirement string   `json:"requirement"`
	IDs         []string `json:"ids"` // of the audit rules that ask for it; none if only we do
	Severity    string   `json:"severity"`
	Status      string   `json:"status"` // pass, config, waived or violated
	How         string   `json:"how"`
}

// Verdict is what the rules answer about one stack.
type Verdict struct {
	Violations []Violation `json:"violations"`
	Rows       []Row       `json:"rows"`
	// Unjudged are the URNs of what a preview does not know yet, and the rules do not judge.
	Unjudged []string `json:"unjudged"`
}

// Rules are the rules, compiled.
type Rules struct{ query rego.PreparedEvalQuery }

// Load compiles the rules in a directory, without their tests.
func Load(ctx context.Context, directory fs.FS) (Rules, error) {
	names, err := fs.Glob(directory, "*.rego")
	if err != nil {
		return Rules{}, err
	}
	options := []func(*rego.Rego){rego.Query("data.infra"), rego.StrictBuiltinErrors(true)}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.rego") {
			continue
		}
		source, err := fs.ReadFile(directory, name)
		if err != nil {
			return Rules{}, err
		}
		// The rows are made of the rules' own annotations.
		module, err := ast.ParseModuleWithOpts(name, string(source), ast.ParserOptions{ProcessAnnotation: true})
		if err != nil {
			return Rules{}, err
		}
		options = append(options, rego.ParsedModule(module))
	}
	query, err := rego.New(options...).PrepareForEval(ctx)
	return Rules{query}, err
}

// Judge evaluates the rules over what a stack declares.
func (r Rules) Judge(ctx context.Context, g *graph.Graph) (Verdict, error) {
	var document bytes.Buffer
	if err := g.Write(&document); err != nil {
		return Verdict{}, err
	}
	return r.JudgeDocument(ctx, document.Bytes())
}

// JudgeDocument evaluates the rules over a graph or a preview, as JSON.
func (r Rules) JudgeDocument(ctx context.Context, document []byte) (Verdict, error) {
	var input any
	if err := json.Unmarshal(document, &input); err != nil {
		return Verdict{}, err
	}
	results, err := r.query.Eval(ctx, rego.EvalInput(input))
	if err != nil {
		return Verdict{}, err
	}
	if len(results) != 1 {
		return Verdict{}, errors.New("the rules gave no answer: is there a package infra in the directory?")
	}
	encoded, err := json.Marshal(results[0].Expressions[0].Value)
	if err != nil {
		return Verdict{}, err
	}
	var v Verdict
	if err := json.Unmarshal(encoded, &v); err != nil {
		return Verdict{}, err
	}
	if len(v.Rows) == 0 {
		return Verdict{}, errors.New("the rules list no requirements: expected rows, got none")
	}
	return v, nil
}
