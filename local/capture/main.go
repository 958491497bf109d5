// Command capture runs the Pulumi program for one stack without Pulumi and without
// AWS, and writes the graph of what it declared to standard output as JSON.
//
// It is a program of its own because it links the Pulumi SDK, which takes minutes to
// compile. Programs that read the graph compile in seconds.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"account-api/infra"
	"account-api/internal/bundle"
	"account-api/internal/decision"
	"account-api/local/record"
)

func main() {
	root := flag.String("root", ".", "the project, the directory of Pulumi.yaml")
	stack := flag.String("stack", "dev", "the stack, Pulumi.<stack>.yaml")
	override := record.Overrides{}
	flag.Var(override, "config", "replace a setting, as `key=value` or namespace:key=value; may be repeated")
	flag.Parse()
	if err := capture(os.Stdout, *root, *stack, override); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func capture(to io.Writer, root, stack string, override record.Overrides) error {
	var mu sync.Mutex
	bundles := map[string]string{}
	// Nothing is built here: the reader builds each handler for its own machine. A handler
	// does not know which claims a stack passes on.
	program := infra.New(func(ctx *pulumi.Context, handler, zip string, claims []string) error {
		mu.Lock()
		defer mu.Unlock()
		bundles[zip] = handler
		return bundle.CheckClaims(ctx.Context(), root, handler, decision.Stack{Name: ctx.Stack(), Claims: claims})
	})
	g, err := record.Run(record.Stack{Root: root, Name: stack, Override: override}, program.Deploy, program.Settings)
	if err != nil {
		return err
	}
	g.Bundles = bundles
	return g.Write(to)
}
