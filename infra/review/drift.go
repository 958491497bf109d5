package main

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// deployed is a function as the stack's output "packages" names it.
type deployed struct {
	ARN    string `json:"arn"`
	SHA256 string `json:"sha256"` // of the package that was deployed, in hexadecimal
}

// drift compares a stack with what runs. A refreshed preview finds settings that were
// changed by hand, but not code: the provider does not read a function's code back
// (https://github.com/pulumi/pulumi-aws/issues/906). Therefore Lambda is asked for the
// hash of what it runs.
func drift(ctx context.Context, stack string) (string, error) {
	functions, wrong := driftOfCode(ctx, stack)
	p, _, err := runPreview(ctx, stack, "--refresh")
	if err != nil {
		return "", errors.Join(wrong, fmt.Errorf("drift: the refreshed preview of stack %s failed:\n%w", stack, err))
	}
	for _, c := range p.changes() {
		wrong = errors.Join(wrong, fmt.Errorf("drift: %s", strings.Join(c.lines(), "\n")))
	}
	if wrong != nil {
		return "", fmt.Errorf("%w\nstack %s is not what was deployed: pulumi up --stack %s --refresh puts settings right, and what is said above code", wrong, stack, stack)
	}
	return fmt.Sprintf("stack %s is what was deployed: %s, and every setting", stack, counted(functions, "package")), nil
}

// driftOfCode compares the code that each function runs with the package that was deployed.
func driftOfCode(ctx context.Context, stack string) (compared int, wrong error) {
	document, stderr, err := output(ctx, "pulumi", "stack", "output", "--stack", stack, "--json")
	if err != nil {
		return 0, fmt.Errorf("%w\n%s", err, stderr)
	}
	var outputs struct {
		Packages map[string]deployed `json:"packages"`
	}
	if err := json.Unmarshal(document, &outputs); err != nil {
		return 0, fmt.Errorf("the outputs of stack %s: %w", stack, err)
	}
	if len(outputs.Packages) == 0 {
		return 0, fmt.Errorf("drift: expected the output packages of stack %s, got none: deploy it with this program", stack)
	}
	for _, name := range slices.Sorted(maps.Keys(outputs.Packages)) {
		f := outputs.Packages[name]
		arn := strings.Split(f.ARN, ":")
		if len(arn) < 7 || f.SHA256 == "" {
			wrong = errors.Join(wrong, fmt.Errorf("drift: expected the output packages to hold arn and sha256 of %s, got %q and %q", name, f.ARN, f.SHA256))
			continue
		}
		// The alias is what callers get. The function itself, $LATEST, is what the next change
		// of a setting publishes.
		unqualified := strings.Join(arn[:7], ":")
		alias := ""
		if f.ARN != unqualified {
			if alias, err = runsOther(ctx, f.ARN, arn[3], f.SHA256); err == nil && alias != "" {
				err = fmt.Errorf("%s. pulumi up --stack %s --refresh moves the alias back", alias, stack)
			}
			wrong = errors.Join(wrong, err)
		}
		latest, err := runsOther(ctx, unqualified, arn[3], f.SHA256)
		if err == nil && latest != "" {
			publish := ""
			if alias != "" { // the alias may name a version with this code, and needs another
				publish = " --publish"
			}
			err = fmt.Errorf("%s. pulumi up does not notice: check out what was deployed, make build, and, before any pulumi up,\n"+
				"  aws lambda update-function-code --region %s --function-name %s --zip-file fileb://dist/%s.zip%s", latest, arn[3], unqualified, name, publish)
		}
		wrong = errors.Join(wrong, err)
	}
	return len(outputs.Packages), wrong
}

// runsOther says which code a function or alias runs, if it is not the package that was
// deployed.
func runsOther(ctx context.Context, function, region, sha256 string) (string, error) {
	live, stderr, err := output(ctx, "aws", "lambda", "get-function-configuration",
		"--function-name", function, "--region", region, "--query", "CodeSha256", "--output", "text")
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, stderr)
	}
	sum, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(live)))
	if got := hex.EncodeToString(sum); err != nil || got != sha256 {
		return fmt.Sprintf("drift: %s runs code that was not deployed: expected the package %s, got %s", function, sha256, got), nil
	}
	return "", nil
}
