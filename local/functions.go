package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"account-api/local/graph"
	"account-api/local/lambda"
	"account-api/local/reload"
	"account-api/local/trace"
)

// These make a handler log why its policy denied, with the claims that it saw, and the
// messages of its errors. No stack may declare them.
const (
	explainVariable = "EXPLAIN_DENIALS"
	revealVariable  = "REVEAL_ERRORS"
)

// endpointVariable, with the name of a service, is where AWS's SDKs reach that service.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
const endpointVariable = "AWS_ENDPOINT_URL_"

const functionType = "aws:lambda/function:Function"

// functions are the stack's functions as processes, by ARN without a qualifier. The gateway
// invokes them.
type functions struct {
	pools map[string]*lambda.Pool
	root  string // the project

	sources  map[string]source
	debugged []string // ARNs
}

// Invoke implements [gateway.Functions].
func (f functions) Invoke(ctx context.Context, arn string, event []byte) (lambda.Result, error) {
	pool, known := f.pools[arn]
	if !known {
		return lambda.Result{}, fmt.Errorf("no function has the ARN %s", arn)
	}
	begun := time.Now()
	result, err := pool.Invoke(ctx, event)
	trouble := readTrouble(result, f.sources[arn], f.root)
	trace.Invoked(ctx, trace.Invocation{
		Function: arn, Took: time.Since(begun), Init: result.InitDuration, Cold: result.ColdStart, Log: result.LogTail,
		Failure: trouble.message, Place: trouble.at,
	})
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
	f := functions{pools: map[string]*lambda.Pool{}, sources: map[string]source{}, root: l.settings.root}
	var reserved []int
	for _, declared := range called(g) {
		reserved = append(reserved, max(concurrency(declared), 0))
	}
	account, err := lambda.NewAccount(reserved...)
	if err != nil {
		return functions{}, err
	}
	for _, declared := range called(g) {
		fn, err := function(g, declared, built, l.cloud)
		if err != nil {
			return functions{}, errors.Join(err, f.close())
		}
		options := lambda.Options{Log: l.out.line, TempDir: l.builds.Dir(), Account: account, MaxProcesses: concurrency(declared)}
		if l.debugs(g.Bundles[codePath(declared)]) {
			options.Debug, options.Started = true, func(pid int) { l.out.debugging(fn.Name, pid) }
			f.debugged = append(f.debugged, fn.ARN)
		}
		pool, err := lambda.NewPool(fn, options)
		if err != nil {
			return functions{}, errors.Join(err, f.close())
		}
		f.pools[fn.ARN], f.sources[fn.ARN] = pool, source{g.Bundles[codePath(declared)], max(fn.MemoryMB, lambda.MinMemoryMB)}
	}
	if l.settings.debug != "" && len(f.debugged) == 0 {
		var names []string
		for _, handler := range handlers(g) {
			names = append(names, path.Base(handler))
		}
		return functions{}, errors.Join(fmt.Errorf("DEBUG: expected a function, one of %s, got %q: make run DEBUG=%s", strings.Join(names, ", "), l.settings.debug, names[0]), f.close())
	}
	return f, nil
}

// warm starts the processes that a debugger is for.
func (f functions) warm() error {
	var errs []error
	for _, arn := range f.debugged {
		errs = append(errs, f.pools[arn].Warm())
	}
	return errors.Join(errs...)
}

// concurrency is what a function reserves, in the terms of [lambda.Options]. A declared -1
// reserves nothing.
func concurrency(f graph.Resource) int {
	switch declared, reserves := f.Inputs["reservedConcurrentExecutions"].(float64); {
	case !reserves || declared < 0:
		return 0
	case declared == 0:
		return lambda.Never
	default:
		return int(declared)
	}
}

// function is a declared function in Lambda's terms.
func function(g *graph.Graph, f graph.Resource, built reload.Release, c cloud) (lambda.Function, error) {
	program, err := executable(g, f, built)
	reach, errReach := c.give(g, f)
	err = errors.Join(err, errReach)
	if err != nil {
		return lambda.Function{}, err
	}
	logging, _ := f.Inputs["loggingConfig"].(map[string]any)
	logGroup, _ := logging["logGroup"].(string)
	memory, _ := f.Inputs["memorySize"].(float64)
	timeout, _ := f.Inputs["timeout"].(float64)
	variables := f.Environment()
	for service, address := range g.Endpoints {
		if !authorizes(g, f) {
			variables[endpointVariable+strings.ToUpper(strings.ReplaceAll(service, "-", "_"))] = address
		}
	}
	target := f.Target(g.Targets())
	variables[explainVariable], variables[revealVariable] = "true", "true"
	return lambda.Function{
		Name: f.String("name"), ARN: target.ARN, Version: target.Version, Region: g.Region, LogGroup: logGroup,
		Executable: program, Environment: variables, Reach: reach,
		MemoryMB: int(memory), Timeout: time.Duration(timeout * float64(time.Second)),
	}, nil
}

// executable was built from the handler that is in a function's package.
func executable(g *graph.Graph, f graph.Resource, built reload.Release) (string, error) {
	handler, known := g.Bundles[codePath(f)]
	if !known {
		return "", fmt.Errorf("function %s: no main package is known that %q is built from: write it into local.%s.yaml, as handlers: {%s: DIRECTORY}", f.Name, codePath(f), g.Stack, codePath(f))
	}
	return built["./"+handler], nil
}

// codePath is the file of a function's package, as the program declares it.
func codePath(f graph.Resource) string {
	code, _ := f.Inputs["code"].(map[string]any)
	file, _ := code["path"].(string)
	return file
}

// trial is an event that no caller has sent: its path cannot be decoded. A handler here refuses
// it, whatever its policy says, so that a save does nothing that a request would. But a handler
// whose policy does not compile answers it with a server error.
var trial = []byte(`{"pathParameters":{"trial":"%"}}`)

// tryOut starts one process of a function, beside those that serve, and sends it [trial]. It is
// an error if the process does not start, or if it answers with a server error.
func tryOut(ctx context.Context, f lambda.Function, tempDir string) error {
	pool, err := lambda.NewPool(f, lambda.Options{TempDir: tempDir})
	if err != nil {
		return err
	}
	result, err := pool.Invoke(ctx, trial)
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
		lines = []string{"it logged no reason"}
	}
	return fmt.Errorf("%s %s:\n%s", f.Name, problem, strings.Join(lines, "\n"))
}

// platformFailed reports whether a process ended before it answered. Error types of the
// platform have these prefixes; those of a handler are names of Go types.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-logs-api.html
func platformFailed(result lambda.Result) bool {
	var failed struct {
		Type string `json:"errorType"`
	}
	return result.FunctionError != "" && (json.Unmarshal(result.Payload, &failed) != nil ||
		strings.HasPrefix(failed.Type, "Runtime.") || strings.HasPrefix(failed.Type, "Sandbox."))
}

// complaints are the lines of a log that a person should read: errors, of one or several
// lines, and whatever is not structured.
func complaints(log []string) []string {
	var lines []string
	for _, line := range log {
		var entry struct {
			Level   string `json:"level"`
			Message string `json:"msg"`
			Error   string `json:"error"`
			Cause   string `json:"cause"`
			Reveal  string `json:"message"` // by revealVariable
			Detail  string `json:"detail"`
		}
		switch {
		case json.Unmarshal([]byte(line), &entry) != nil:
			lines = append(lines, line)
		case entry.Level == "ERROR":
			said := []string{entry.Message, entry.Error, entry.Cause, entry.Reveal, entry.Detail}
			lines = append(lines, strings.Join(slices.DeleteFunc(said, func(s string) bool { return s == "" }), ": "))
		}
	}
	return lines
}
