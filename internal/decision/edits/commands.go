package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/loader"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/tester"

	"account-api/internal/bundle"
	"account-api/internal/decision"
	"account-api/internal/endpoint"
	"account-api/internal/regotest"
	"account-api/internal/ruleset"
)

// verdict is what one command says about an edit.
type verdict struct {
	Refuses bool   // the policy
	Fails   string // which tests, or which lines no test evaluates
	Message string // why it refuses
}

func (v verdict) String() string {
	switch {
	case v.Refuses:
		return "refuses"
	case v.Fails != "":
		return v.Fails
	}
	return "accepts"
}

// verdicts are what all commands say about an edit.
type verdicts struct {
	edit
	Check, Test          verdict // of the stock opa command
	MakeTest, Run, Build verdict
	Denied, Allowed      int // status that the handler answers to a caller without the scope, and to one with it
}

// try makes the edit in a project of its own, and asks every command.
func (e edit) try(ctx context.Context) (verdicts, error) {
	root, err := os.MkdirTemp("", "edit-")
	if err != nil {
		return verdicts{}, err
	}
	defer os.RemoveAll(root)
	if err := e.write(root); err != nil {
		return verdicts{}, err
	}
	file, err := decision.CapabilitiesJSON()
	if err != nil {
		return verdicts{}, err
	}
	capabilities, err := ast.LoadCapabilitiesJSON(bytes.NewReader(file))
	if err != nil {
		return verdicts{}, err
	}
	policies := os.DirFS(filepath.Join(root, "policies"))
	v := verdicts{edit: e}
	v.Check = refusal(root, opaCheck(filepath.Join(root, "policies"), capabilities))
	v.Test = opaTest(ctx, root, capabilities)

	// make test and make run know the claims of all stacks here: there is one.
	claims, err := ruleset.Claims(os.DirFS(root))
	if err != nil {
		return v, err
	}
	result, err := regotest.Check(ctx, policies, handler, decision.Stack{Claims: claims})
	v.MakeTest = refusal(root, err)
	v.Run = v.MakeTest
	switch {
	case err != nil:
	case result.Tests == 0:
		v.MakeTest.Fails = "the tests do not compile"
		v.Run.Fails = "serves, and shows that"
	case len(result.Failed) > 0:
		v.MakeTest.Fails = fmt.Sprintf("%d of %d tests fail", len(result.Failed), result.Tests)
		v.Run.Fails = "serves, and shows that"
	case len(result.Uncovered) > 0:
		v.MakeTest.Fails = "a line is not covered"
		v.Run.Fails = "serves, and shows that"
	}
	v.Build = refusal(root, bundle.Options{Root: root, Package: "handlers/" + handler}.CheckPolicy(ctx))

	h, err := endpoint.New(ctx, endpoint.Config{
		Policy: ruleset.Of(policies, handler), Entrypoint: handler + "/decision",
		Answer: func(context.Context, endpoint.Request) (endpoint.Reply, error) {
			return endpoint.Reply{Body: []byte(`{}`)}, nil
		},
	}, endpoint.Environment{Log: io.Discard, Now: time.Now})
	if err != nil {
		return v, err
	}
	v.Denied, err = status(ctx, h, e.denied())
	if err == nil {
		v.Allowed, err = status(ctx, h, `"principalId":"auth0|1","scope":"desk:read","azp":"web","claims":"{\"tier\":\"gold\"}"`)
	}
	return v, err
}

// refusal is the verdict of a command that ends with an error.
func refusal(root string, err error) verdict {
	if err == nil {
		return verdict{}
	}
	return verdict{Refuses: true, Message: strings.ReplaceAll(err.Error(), root+string(filepath.Separator), "")}
}

// opaCheck is what this command does, with the same parts of OPA:
//
//	opa check --strict --capabilities internal/decision/capabilities.json policies
//
// https://github.com/open-policy-agent/opa/blob/v1.22.3/cmd/check.go
func opaCheck(policies string, capabilities *ast.Capabilities) error {
	onlyRego := func(_ string, info fs.FileInfo, _ int) bool {
		return !info.IsDir() && filepath.Ext(info.Name()) != ".rego"
	}
	loaded, err := loader.NewFileLoader().WithRegoVersion(ast.RegoV1).WithProcessAnnotation(true).WithCapabilities(capabilities).
		Filtered([]string{policies}, onlyRego)
	if err != nil {
		return err
	}
	compiler := ast.NewCompiler().WithCapabilities(capabilities).WithSchemas(ast.NewSchemaSet()).
		WithEnablePrintStatements(true).WithStrict(true).WithUseTypeCheckAnnotations(true)
	if compiler.Compile(loaded.ParsedModules()); compiler.Failed() {
		return first(compiler.Errors)
	}
	return nil
}

// opaTest is what this command does, with the same parts of OPA:
//
//	opa test --capabilities internal/decision/capabilities.json policies
//
// https://github.com/open-policy-agent/opa/blob/v1.22.3/cmd/test.go
func opaTest(ctx context.Context, root string, capabilities *ast.Capabilities) verdict {
	options := ast.ParserOptions{RegoVersion: ast.RegoV1, Capabilities: capabilities, ProcessAnnotation: true}
	modules, store, err := tester.LoadWithParserOptions([]string{filepath.Join(root, "policies")}, nil, options)
	if err != nil {
		return refusal(root, err)
	}
	transaction, err := store.NewTransaction(ctx, storage.WriteParams)
	if err != nil {
		return refusal(root, err)
	}
	defer store.Abort(ctx, transaction)
	compiler := ast.NewCompiler().WithCapabilities(capabilities).WithSchemas(ast.NewSchemaSet()).
		WithPathConflictsCheck(storage.NonEmpty(ctx, store, transaction)).
		WithEnablePrintStatements(true).WithUseTypeCheckAnnotations(true)
	results, err := tester.NewRunner().SetCompiler(compiler).SetStore(store).SetModules(modules).SetTimeout(5*time.Second).RunTests(ctx, transaction)
	if err != nil {
		return refusal(root, first(err))
	}
	failed, all := 0, 0
	for result := range results {
		all++
		if !result.Pass() {
			failed++
		}
	}
	if failed > 0 {
		return verdict{Fails: fmt.Sprintf("%d of %d tests fail", failed, all)}
	}
	return verdict{}
}

// first is the first of OPA's errors.
func first(err error) error {
	if errs, ok := err.(ast.Errors); ok && len(errs) > 0 {
		return errs[0]
	}
	return err
}

var statusCode = regexp.MustCompile(`"statusCode":(\d+)`)

// status is what the handler answers to a caller.
func status(ctx context.Context, h *endpoint.Handler, caller string) (int, error) {
	response, err := h.Invoke(ctx, []byte(`{"resource":"/desks","path":"/desks","httpMethod":"GET","requestContext":{"path":"/test/desks","stage":"test","requestTimeEpoch":1718635961000,"requestId":"r","authorizer":{`+caller+`}}}`))
	if err != nil {
		return 0, err
	}
	var code int
	if found := statusCode.FindSubmatch(response); found != nil {
		_, err = fmt.Sscan(string(found[1]), &code)
	}
	if http.StatusText(code) == "" {
		return 0, fmt.Errorf("expected a status, got %s", response)
	}
	return code, err
}
