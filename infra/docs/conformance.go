package main

import (
	"fmt"
	"strings"
)

// conformancePage is the table of all requirements.
func conformancePage(stacks []judged) string {
	first := stacks[0]
	count := map[string]int{}
	audited := 0
	for _, r := range first.Rows {
		if len(r.IDs) > 0 {
			audited++
			count[r.Status]++
		}
	}
	var names []string
	for _, s := range stacks {
		names = append(names, s.stack)
	}
	var b strings.Builder
	b.WriteString("# What an audit finds\n\n")
	b.WriteString("<!-- Generated from policies/infra by `make docs`. -->\n\n")
	fmt.Fprintf(&b, "**%d requirements drawn from cdk-nag, checkov, trivy and serverless-rules: %d hold by default, %d by one setting, %d are waived with a written reason.**\n",
		audited, count["pass"], count["config"], count["waived"])
	fmt.Fprintf(&b, "%d more are ours; no audit has them. Each row is a rule in [policies/infra](../policies/infra).\n", len(first.Rows)-audited)
	b.WriteString("`make test` checks what every stack file declares. `make guard STACK=prod` checks a real preview: it prints each\n")
	b.WriteString("violation with its fix, and fails if there is one or if there is no preview ([more](pull-requests.md#guard-rails)).\n\n")
	fmt.Fprintf(&b, "| # | requirement | severity | %s | how, or why not | rules |\n", strings.Join(names, " | "))
	fmt.Fprintf(&b, "| --- | --- | --- |%s --- | --- |\n", strings.Repeat(" --- |", len(stacks)))
	for i, r := range first.Rows {
		var statuses []string
		for _, s := range stacks {
			statuses = append(statuses, s.Rows[i].Status)
		}
		ids := strings.Join(r.IDs, ", ")
		if ids == "" {
			ids = "ours"
		}
		fmt.Fprintf(&b, "| %d | %s | %s | %s | %s | %s |\n", r.Row, r.Requirement, r.Severity, strings.Join(statuses, " | "), r.How, ids)
	}
	b.WriteString(accountRole)
	return b.String()
}

// accountRole explains the one row that a fresh account can fail at.
const accountRole = `
## The account's log role

API Gateway writes access logs and execution logs with a role that is set once for each account and region, not for each API. In an
account that never had one, creating the stage fails:

    CloudWatch Logs role ARN must be set in account settings to enable logging

Both logs are on by default nevertheless: without them nobody can tell why a request failed. A preview that is about to create the
stage warns with these words and names both ways out. Later previews say nothing.

- **This stack sets it.** ` + "`pulumi config set manageApiGatewayAccount true`" + `, in one stack of the account and region: two would undo each
  other. The setting and its role stay when the key is taken back or the stack is destroyed, because other APIs log with them.
- **Somebody else sets it**, with a role of their own:
  ` + "`aws apigateway update-account --patch-operations op=replace,path=/cloudwatchRoleArn,value=<role ARN>`" + `
`
