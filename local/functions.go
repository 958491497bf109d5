package main

import (
	"context"
	"fmt"
	"path"
	"path/filepath"
	"time"

	"account-api/local/graph"
	"account-api/local/lambda"
)

const functionType = "aws:lambda/function:Function"

// functions are the stack's functions as processes, by ARN. It is what the gateway
// invokes.
type functions map[string]*lambda.Pool

// Invoke implements [gateway.Functions].
func (f functions) Invoke(ctx context.Context, arn string, event []byte) (lambda.Result, error) {
	pool, known := f[arn]
	if !known {
		return lambda.Result{}, fmt.Errorf("no function has the ARN %s", arn)
	}
	return pool.Invoke(ctx, event)
}

// startFunctions makes a pool of processes for each function that the stack declares.
func (l *localStack) startFunctions() error {
	for _, f := range l.graph.OfType(functionType) {
		executable, err := l.executable(f)
		if err != nil {
			return err
		}
		logging, _ := f.Inputs["loggingConfig"].(map[string]any)
		logGroup, _ := logging["logGroup"].(string)
		memory, _ := f.Inputs["memorySize"].(float64)
		timeout, _ := f.Inputs["timeout"].(float64)
		pool, err := lambda.NewPool(lambda.Function{
			Name: f.String("name"), ARN: f.String("arn"), Region: l.graph.Region, LogGroup: logGroup,
			Executable: executable, Environment: environment(f),
			MemoryMB: int(memory), Timeout: time.Duration(timeout * float64(time.Second)),
		}, lambda.Options{Log: l.out.line})
		if err != nil {
			return err
		}
		l.functions[f.String("arn")] = pool
	}
	return nil
}

// executable is what was built of the handler that a function's package is made of.
func (l *localStack) executable(f graph.Resource) (string, error) {
	code, _ := f.Inputs["code"].(map[string]any)
	zip, _ := code["path"].(string)
	handler, known := l.graph.Bundles[zip]
	if !known {
		return "", fmt.Errorf("function %s: expected code that the program bundles from a handler, got %q", f.Name, zip)
	}
	return filepath.Join(l.executables(), path.Base(handler)), nil
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
