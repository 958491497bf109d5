// Command capture writes what the program declares for a stack, as the local runner
// expects it.
package main

import (
	"flag"
	"fmt"
	"maps"
	"os"

	"account-api/local/record"

	"cinema/deploy"
)

func main() {
	s := record.LocalRun(flag.CommandLine)
	flag.Parse()
	bundles := map[string]string{}
	g, err := record.Run(*s, deploy.Program(func(dir, zip string) error {
		bundles[zip] = dir
		return nil
	}))
	if err == nil {
		maps.Copy(g.Bundles, bundles)
		err = g.Write(os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
