// Command capture writes what one of the programs declares for a stack. It is one command
// for all of them: its link takes longer than the programs' own code.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"account-api/local/record"

	routes "examples/routes/deploy"
	uppercase "examples/uppercase/deploy"
	visits "examples/visits/deploy"
)

// programs are by the name of the project.
var programs = map[string]pulumi.RunFunc{"routes": routes.Program, "uppercase": uppercase.Program, "visits": visits.Program}

func main() {
	s := record.LocalRun(flag.CommandLine)
	flag.Parse()
	g, err := record.Run(*s, func(ctx *pulumi.Context) error { return programs[ctx.Project()](ctx) })
	if err == nil {
		err = g.Write(os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
