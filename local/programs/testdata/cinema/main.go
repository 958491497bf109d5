// Cinema is a Pulumi program for tests of the local runner. It shares nothing with the
// product but the runner: it has another layout, another authorizer and no policies.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema/deploy"
)

func main() { pulumi.Run(deploy.Program(func(string, string) error { return nil })) }
