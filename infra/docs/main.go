// Command docs writes the generated pages of docs/ anew. It runs in the project:
//
//	go run ./infra/docs
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"account-api/infra"
	"account-api/infra/guardrail"
	"account-api/internal/decision"
	"account-api/local/graph"
	"account-api/local/record"
)

func main() {
	if err := write(context.Background(), "."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// write writes the pages of the project in root.
func write(ctx context.Context, root string) error {
	rules, err := guardrail.Load(ctx, os.DirFS(filepath.Join(root, "policies/infra")))
	if err != nil {
		return err
	}
	verdicts, err := judgeStacks(ctx, root, rules)
	if err != nil {
		return err
	}
	changes, err := changesPage(root)
	if err != nil {
		return err
	}
	providers, err := providersPage(root)
	if err != nil {
		return err
	}
	api, err := openAPI(verdicts[0].declared)
	if err != nil {
		return err
	}
	for name, page := range map[string]string{"openapi.json": api, "conformance.md": conformancePage(verdicts), "changes.md": changes, "providers.md": providers} {
		if err := os.WriteFile(filepath.Join(root, "docs", name), []byte(page), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// judged is the verdict on one stack.
type judged struct {
	stack    string
	declared *graph.Graph
	guardrail.Verdict
}

// judgeStacks judges every stack that the project has a file for.
func judgeStacks(ctx context.Context, root string, rules guardrail.Rules) ([]judged, error) {
	files, err := filepath.Glob(filepath.Join(root, "Pulumi.*.yaml"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("expected a stack file such as Pulumi.dev.yaml in %s, found none", root)
	}
	var all []judged
	for _, file := range files {
		stack := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "Pulumi."), ".yaml")
		g, err := declare(record.Stack{Root: root, Name: stack})
		if err != nil {
			return nil, err
		}
		v, err := rules.Judge(ctx, g)
		if err != nil {
			return nil, err
		}
		all = append(all, judged{stack, g, v})
	}
	return all, nil
}

// declare records what the program declares for a stack.
func declare(s record.Stack) (*graph.Graph, error) {
	program := infra.New(func(*pulumi.Context, string, string, decision.Stack) (string, error) { return "", nil })
	return record.Run(s, program.Deploy, program.Settings)
}
