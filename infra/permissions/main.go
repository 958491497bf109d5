// Command permissions prints the IAM policy of the role that deploys a stack, or of the
// one that previews it, narrowed to what the program declares:
//
//	go run ./infra/permissions -stack dev [-preview] [-state s3://BUCKET] [-account NUMBER]
//
// The table in this package says what each type of resource needs. The policy has not been
// tried on AWS: it is made of AWS's documentation and of the calls that the provider makes.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"account-api/infra"
	"account-api/internal/decision"
	"account-api/local/graph"
	"account-api/local/record"
)

// maxPolicy is the most characters, without white space, that a managed policy may have:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const maxPolicy = 6144

func main() {
	if err := run(os.Stdout, os.Stderr, ".", os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(out, notes io.Writer, root string, arguments []string) error {
	flags := flag.NewFlagSet("permissions", flag.ContinueOnError)
	stack := flags.String("stack", "", "the `stack`")
	preview := flags.Bool("preview", false, "for the role that previews")
	state := flags.String("state", "", "the `URL` of the bucket with Pulumi's state, if it is in S3")
	account := flags.String("account", record.Account, "`number` of the AWS account")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if *stack == "" || flags.NArg() > 0 {
		return errors.New("expected -stack STACK [-preview] [-state s3://BUCKET] [-account NUMBER]")
	}
	program := infra.New(func(*pulumi.Context, string, string, decision.Stack) (string, error) { return "", nil })
	g, err := record.Run(record.Stack{Root: root, Name: *stack}, program.Deploy, program.Settings)
	if err != nil {
		return err
	}
	g.Account = *account
	statements, err := policy(g, *preview)
	if err != nil {
		return err
	}
	more, err := stateStatements(*state, *preview)
	if err != nil {
		return err
	}
	document := map[string]any{"Version": "2012-10-17", "Statement": append(statements, more...)}
	if compact, err := json.Marshal(document); err != nil || len(compact) > maxPolicy {
		fmt.Fprintf(notes, "This policy has %d characters and a managed policy may have %d: make it an inline policy of the role, or two.\n", len(compact), maxPolicy)
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(document)
}

// statement is one of an IAM policy.
type statement struct {
	Effect    string
	Action    []string
	Resource  []string
	Condition map[string]map[string]string `json:",omitempty"`
}

// policy is what the declared types need. Grants for the same resources are one statement.
func policy(g *graph.Graph, preview bool) ([]statement, error) {
	types := map[string]bool{}
	for _, r := range g.Resources {
		types[r.Type] = strings.HasPrefix(r.Type, "aws:") // components and providers call nothing
	}
	var statements []statement
	index := map[string]int{}
	add := func(actions, arns []string, when map[string]map[string]string) {
		if len(actions) == 0 {
			return
		}
		key := fmt.Sprint(arns, when)
		i, has := index[key]
		if !has {
			i = len(statements)
			index[key] = i
			statements = append(statements, statement{"Allow", nil, filled(g, arns), filledConditions(g, when)})
		}
		statements[i].Action = append(statements[i].Action, actions...)
		slices.Sort(statements[i].Action)
		statements[i].Action = slices.Compact(statements[i].Action)
	}
	for _, kind := range slices.Sorted(maps.Keys(types)) {
		if !types[kind] {
			continue
		}
		rows, has := grants[kind]
		if !has {
			return nil, fmt.Errorf("infra/permissions: expected a row for the type %s, got none: add what it needs to the table, from https://docs.aws.amazon.com/service-authorization/latest/reference/", kind)
		}
		for _, row := range rows {
			actions := row.read
			if !preview {
				actions = slices.Concat(row.read, row.write)
			}
			bounded, free := bounds(g, actions)
			add(free, row.arns, row.when)
			add(bounded, row.arns, boundary(g))
		}
	}
	return statements, nil
}

// boundary is the condition that a role gets the permissions boundary that the program
// declares for all its roles, nil if it declares none. Without it, whoever deploys can make
// a role that may do anything, and run code with it.
func boundary(g *graph.Graph) map[string]map[string]string {
	arn := ""
	for _, r := range g.OfType("aws:iam/role:Role") {
		if arn, _ = r.Inputs["permissionsBoundary"].(string); arn == "" {
			return nil
		}
	}
	if arn == "" {
		return nil
	}
	return map[string]map[string]string{"StringEquals": {"iam:PermissionsBoundary": arn}}
}

// bounds separates the actions that the boundary limits. One that takes it away is left out.
func bounds(g *graph.Graph, actions []string) (bounded, free []string) {
	limited := boundary(g) != nil
	for _, action := range actions {
		switch {
		case limited && action == "iam:DeleteRolePermissionsBoundary":
		case limited && (action == "iam:CreateRole" || action == "iam:PutRolePermissionsBoundary"):
			bounded = append(bounded, action)
		default:
			free = append(free, action)
		}
	}
	return bounded, free
}

// filled are patterns with the stack's values.
func filled(g *graph.Graph, patterns []string) (all []string) {
	values := strings.NewReplacer("{region}", g.Region, "{account}", g.Account, "{project}", g.Project, "{name}", g.Project+"-"+g.Stack)
	for _, pattern := range patterns {
		all = append(all, values.Replace(pattern))
	}
	return all
}

func filledConditions(g *graph.Graph, when map[string]map[string]string) map[string]map[string]string {
	if when == nil {
		return nil
	}
	all := map[string]map[string]string{}
	for operator, keys := range when {
		all[operator] = map[string]string{}
		for key, value := range keys {
			all[operator][key] = filled(g, []string{value})[0]
		}
	}
	return all
}

// stateStatements let Pulumi keep its state in a bucket. A preview writes its lock and
// nothing else: https://www.pulumi.com/docs/iac/concepts/state-and-backends/
func stateStatements(url string, preview bool) ([]statement, error) {
	if url == "" {
		return nil, nil
	}
	path, isBucket := strings.CutPrefix(url, "s3://")
	path, _, _ = strings.Cut(path, "?")
	bucket, below, _ := strings.Cut(strings.TrimSuffix(path, "/"), "/")
	if !isBucket || bucket == "" {
		return nil, fmt.Errorf("-state: expected s3://BUCKET, got %q: a state elsewhere needs no permission in AWS", url)
	}
	objects := strings.TrimSuffix("arn:aws:s3:::"+bucket+"/"+below, "/") + "/.pulumi/"
	statements := []statement{
		{"Allow", []string{"s3:ListBucket"}, []string{"arn:aws:s3:::" + bucket}, nil},
		{"Allow", []string{"s3:GetObject"}, []string{objects + "*"}, nil},
	}
	written := []string{objects + "*"}
	if preview {
		written = []string{objects + "locks/*"}
	}
	return append(statements, statement{"Allow", []string{"s3:DeleteObject", "s3:PutObject"}, written, nil}), nil
}
