// Command capture writes what the program declares for a stack.
package main

import (
	"flag"
	"fmt"
	"os"

	"account-api/local/record"

	"examples/visits/deploy"
)

func main() {
	s := record.LocalRun(flag.CommandLine)
	flag.Parse()
	g, err := record.Run(*s, deploy.Program)
	if err == nil {
		err = g.Write(os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
