// The Pulumi program. What it declares is in package infra.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"account-api/infra"
)

func main() {
	program := infra.New(infra.Build)
	pulumi.Run(program.Deploy, program.Settings)
}
