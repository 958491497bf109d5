// Package policies holds the Rego policies of the API, for the handlers that
// evaluate them.
//
// Each endpoint has one Rego package in the directory of the same name and one
// file system here, so that a handler carries the policy that it needs and no
// other. Tests stay on disk: they have no business in a deployed executable.
//
// The package only carries text. It neither parses nor evaluates anything.
package policies

import "embed"

// Profile decides who may read a profile. Its entrypoint is profile/decision.
//
// The file is named and not matched by a pattern, as *.rego would embed the tests
// too. A test compares the file system with the directory.
//
//go:embed profile/profile.rego
var Profile embed.FS
