package record

import (
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// warnings are what a program logs for its operator. Under mocks, the SDK drops every message.
type warnings struct {
	pulumi.Log

	mu   sync.Mutex
	list []string
}

// of returns the program with a log that keeps its warnings and errors.
func (w *warnings) of(program pulumi.RunFunc) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		w.Log = ctx.Log
		ctx.Log = w
		return program(ctx)
	}
}

// Warn implements [pulumi.Log].
func (w *warnings) Warn(message string, args *pulumi.LogArgs) error {
	w.note(message)
	return w.Log.Warn(message, args)
}

// Error implements [pulumi.Log]. With Pulumi's engine, the update fails after it.
func (w *warnings) Error(message string, args *pulumi.LogArgs) error {
	w.note("error: " + message)
	return w.Log.Error(message, args)
}

func (w *warnings) note(message string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = append(w.list, message)
}
