package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"account-api/local/graph"
	"account-api/local/lambda"
	"account-api/local/reload"
)

const functionType = "aws:lambda/function:Function"

// functions are the stack's functions as processes, by ARN. It is what the gateway
// invokes.
type functions struct {
	pools     map[string]*lambda.Pool
	decisions *decisions
}

// Invoke implements [gateway.Functions].
func (f functions) Invoke(ctx context.Context, arn string, event []byte) (lambda.Result, error) {
	pool, known := f.pools[arn]
	if !known {
		return lambda.Result{}, fmt.Errorf("no function has the ARN %s", arn)
	}
	result, err := pool.Invoke(ctx, event)
	f.decisions.note(result.RequestID, result.LogTail)
	return result, err
}

// close ends every process.
func (f functions) close() error {
	var errs []error
	for _, pool := range f.pools {
		errs = append(errs, pool.Close())
	}
	return errors.Join(errs...)
}

// startFunctions makes a pool of processes for each function that the stack declares.
func (l *localStack) startFunctions(g *graph.Graph, built reload.Release) (functions, error) {
	f := functions{pools: map[string]*lambda.Pool{}, decisions: l.decisions}
	for _, declared := range g.OfType(functionType) {
		function, err := l.function(g, declared, built)
		if err != nil {
			return functions{}, errors.Join(err, f.close())
		}
		pool, err := lambda.NewPool(function, lambda.Options{Log: l.out.line})
		if err != nil {
			return functions{}, errors.Join(err, f.close())
		}
		f.pools[function.ARN] = pool
	}
	return f, nil
}

// function is what Lambda would know of a function that the stack declares.
func (l *localStack) function(g *graph.Graph, f graph.Resource, built reload.Release) (lambda.Function, error) {
	executable, err := l.executable(g, f, built)
	if err != nil {
		return lambda.Function{}, err
	}
	logging, _ := f.Inputs["loggingConfig"].(map[string]any)
	logGroup, _ := logging["logGroup"].(string)
	memory, _ := f.Inputs["memorySize"].(float64)
	timeout, _ := f.Inputs["timeout"].(float64)
	return lambda.Function{
		Name: f.String("name"), ARN: f.String("arn"), Region: g.Region, LogGroup: logGroup,
		Executable: executable, Environment: environment(f),
		MemoryMB: int(memory), Timeout: time.Duration(timeout * float64(time.Second)),
	}, nil
}

// executable is what was built of the handler that a function's package is made of.
func (l *localStack) executable(g *graph.Graph, f graph.Resource, built reload.Release) (string, error) {
	code, _ := f.Inputs["code"].(map[string]any)
	zip, _ := code["path"].(string)
	handler, known := g.Bundles[zip]
	if !known {
		return "", fmt.Errorf("function %s: expected code that the program bundles from a handler, got %q", f.Name, zip)
	}
	// What was built of a handler outlives its directory.
	if _, err := os.Stat(filepath.Join(l.settings.root, handler)); err != nil {
		return "", fmt.Errorf("function %s: expected its handler in %s: %w", f.Name, handler, err)
	}
	executable, known := built[path.Base(handler)]
	if !known {
		return "", fmt.Errorf("function %s: expected a command in %s, got no executable of it: put package main there", f.Name, handler)
	}
	return executable, nil
}

// environment is what the stack declares as a function's environment.
func environment(f graph.Resource) map[string]string {
	declared, _ := f.Inputs["environment"].(map[string]any)
	variables, _ := declared["variables"].(map[string]any)
	values := make(map[string]string, len(variables))
	for name, value := range variables {
		values[name], _ = value.(string)
	}
	return values
}

// tryOut starts one process of a function, in no pool that serves, and says why it is
// not fit to: it does not come up, or it answers an event that holds nothing with a
// server error. A Rego file that does not parse, or that contradicts itself, is found
// here, since the compiler only embeds it. Any other answer is the function's own affair.
func tryOut(ctx context.Context, f lambda.Function) error {
	pool, err := lambda.NewPool(f, lambda.Options{})
	if err != nil {
		return err
	}
	result, err := pool.Invoke(ctx, []byte(`{}`))
	if err = errors.Join(err, pool.Close()); err != nil {
		return err
	}
	var problem string
	switch {
	case platformFailed(result):
		problem = "does not start"
	case serverError(result):
		problem = "starts, but answers with a server error"
	default:
		return nil
	}
	lines := slices.Compact(complaints(result.LogTail))
	if len(lines) == 0 {
		lines = []string{"it logs nothing about it"}
	}
	return fmt.Errorf("%s %s:\n%s", f.Name, problem, strings.Join(lines, "\n"))
}

// serverError reports whether a proxy integration's answer is one.
func serverError(result lambda.Result) bool {
	var answer struct {
		Status int `json:"statusCode"`
	}
	return result.FunctionError == "" && json.Unmarshal(result.Payload, &answer) == nil && answer.Status >= http.StatusInternalServerError
}

// platformFailed reports whether a process did not live to answer. The platform has
// error types of its own; a handler's are names of Go types.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-logs-api.html
func platformFailed(result lambda.Result) bool {
	var failed struct {
		Type string `json:"errorType"`
	}
	return result.FunctionError != "" && (json.Unmarshal(result.Payload, &failed) != nil ||
		strings.HasPrefix(failed.Type, "Runtime.") || strings.HasPrefix(failed.Type, "Sandbox."))
}

// complaints are the lines of a log that a person should read: the errors among those
// that are structured, which may have several lines each, and all that are not.
func complaints(log []string) []string {
	var lines []string
	for _, line := range log {
		var entry struct {
			Level   string `json:"level"`
			Message string `json:"msg"`
			Error   string `json:"error"`
			Detail  string `json:"detail"`
		}
		switch {
		case json.Unmarshal([]byte(line), &entry) != nil:
			lines = append(lines, line)
		case entry.Level == "ERROR":
			said := []string{entry.Message, entry.Error, entry.Detail}
			lines = append(lines, strings.Join(slices.DeleteFunc(said, func(s string) bool { return s == "" }), ": "))
		}
	}
	return lines
}
