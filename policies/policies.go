// Package policies holds the Rego policies of the API, for the handlers that evaluate them.
//
// Each handler has a directory here with its own name, and shares the directory shared with
// all others. To add a policy is to add a directory: nothing here names one.
//
// The package only carries text. It neither parses nor evaluates anything.
package policies

import (
	"embed"
	"io/fs"

	"account-api/internal/ruleset"
)

// Everything in every directory: go:embed has no pattern for "but the tests", and without
// all: it leaves out a file such as deep/_list.rego, which Rego tests see. For leaves
// out what is not the handler's, and package bundle hides it from the compiler, so that no
// deployed executable has it.
//
//go:embed all:*/*
var everything embed.FS

// For returns the policy of the handler in handlers/<name>: the files of policies/<name>
// and of policies/shared, without their tests.
func For(name string) fs.FS { return ruleset.Of(everything, name) }
