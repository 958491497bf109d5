// Command capture runs the Pulumi program for one stack without Pulumi and without
// AWS, and writes the graph of what it declared to standard output as JSON. The graph has
// the secrets that functions need.
//
// It is a program of its own because it links the Pulumi SDK, which takes minutes to
// compile. Programs that read the graph compile in seconds.
package main

import (
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"account-api/infra"
	"account-api/internal/decision"
	"account-api/local/record"
)

func main() {
	stack := record.LocalRun(flag.CommandLine)
	flag.Parse()
	if err := capture(os.Stdout, *stack); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func capture(to io.Writer, stack record.Stack) error {
	var mu sync.Mutex
	bundles := map[string]string{}
	// Nothing is built here: the reader builds each handler for its own machine. A handler
	// does not know what a stack passes on.
	program := infra.New(func(ctx *pulumi.Context, handler, zip string, of decision.Stack) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		bundles[zip] = handler
		return "", infra.CheckPolicy(ctx, stack.Root, handler, of)
	})
	g, err := record.Run(stack, program.Deploy, program.Settings)
	if err != nil {
		return err
	}
	maps.Copy(g.Bundles, bundles)
	return g.Write(to)
}
