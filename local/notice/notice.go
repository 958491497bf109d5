// Package notice says what a stack declares that is not run on this machine, and what that
// means for the functions that do run, for the developer who starts it. It reads the
// declaration only, and refuses nothing.
package notice

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"account-api/local/graph"
)

const typeFunction = "aws:lambda/function:Function"

// meanings are what it means that resources of a type are not run here, by the start of
// the type. The first that matches counts.
var meanings = []struct{ token, means string }{
	{"aws:iam/", observing}, {"aws:cloudwatch/logGroup", observing}, {"aws:cloudwatch/logMetricFilter", observing},
	{"aws:cloudwatch/metricAlarm", observing}, {"aws:cloudwatch/dashboard", observing}, {"aws:apigateway/account:", observing},
	{"aws:cloudwatch/logResourcePolicy", observing}, {"aws:cloudwatch/logSubscriptionFilter", observing},
	{"aws:cloudwatch/event", "it invokes no function here"}, {"aws:scheduler/", "it invokes no function here"},
	{"aws:lambda/eventSourceMapping:", "it invokes no function here"}, {"aws:lambda/functionUrl:", "the function is reached through the REST API only"},
	{"aws:lambda/layerVersion:", "functions run without it"},
	{"aws:wafv2/", "it blocks no request here"}, {"aws:apigateway/domainName:", "the API is served on this machine's address"},
	{"aws:apigateway/basePathMapping:", "the API is served below its stage's name"}, {"aws:apigatewayv2/", "only the REST API is served"},
	{"aws:cloudformation/", "what its template declares is unknown here"},
}

// Reach is how a handler reaches what is not run here.
const Reach = "make run AWS=http://127.0.0.1:8000 lets handlers reach a local server"

// reachable begin the types that a server on this machine may have, and that the AWS SDK looks
// for where the setting says.
var reachable = []string{
	"aws:dynamodb/table:", "aws:s3/bucket", "aws:sqs/queue:", "aws:sns/topic:", "aws:ssm/parameter:", "aws:secretsmanager/secret:",
	"aws:kms/key:", "aws:sfn/stateMachine:", "aws:kinesis/stream:", "aws:cognito/userPool:", "aws:cloudwatch/eventBus:",
}

// observing resources change no answer. They share one line.
const observing = "no answer depends on it"

// Of returns a line for each kind of resource that is not run here, and one for all those
// that only observe. It is the same for the same graph.
func Of(g *graph.Graph) []string {
	kinds := map[string][]graph.Resource{}
	for _, r := range g.Resources {
		if !r.Component && !graph.Decides(r.Type) && !strings.HasPrefix(r.Type, "pulumi:") {
			kinds[r.Type] = append(kinds[r.Type], r)
		}
	}
	var lines, quiet []string
	for _, token := range slices.Sorted(maps.Keys(kinds)) {
		means, read := meaning(token), reads(g, kinds[token])
		if means == observing && len(read) == 0 {
			quiet = append(quiet, fmt.Sprintf("%s (%d)", Kind(token), len(kinds[token])))
			continue
		}
		parts := []string{"not run here"}
		if means != "" && means != observing {
			parts = append(parts, means)
		}
		parts = append(parts, read...)
		if slices.ContainsFunc(reachable, func(start string) bool { return strings.HasPrefix(token, start) }) {
			parts = append(parts, Reach)
		}
		lines = append(lines, fmt.Sprintf("%s %s: %s", Kind(token), strings.Join(names(kinds[token]), ", "), strings.Join(parts, "; ")))
	}
	for _, name := range g.Unselected {
		lines = append(lines, fmt.Sprintf("apigateway:RestApi %s: not served now; make run API=%s", name, name))
	}
	lines = append(lines, functions(g)...)
	if len(quiet) > 0 {
		lines = append(lines, "not run here, and no answer depends on it: "+strings.Join(quiet, ", "))
	}
	return lines
}

// Kind is a type as a program writes it: dynamodb:Table of aws:dynamodb/table:Table.
func Kind(token string) string {
	parts := strings.Split(token, ":")
	if len(parts) != 3 {
		return token
	}
	module, _, _ := strings.Cut(parts[1], "/")
	switch {
	case parts[0] == "aws":
		return module + ":" + parts[2]
	case module == "index":
		return parts[0] + ":" + parts[2]
	}
	return parts[0] + ":" + module + ":" + parts[2]
}

func meaning(token string) string {
	for _, m := range meanings {
		if strings.HasPrefix(token, m.token) {
			return m.means
		}
	}
	return ""
}

func names(of []graph.Resource) []string {
	all := make([]string, len(of))
	for i, r := range of {
		all[i] = r.Name
	}
	return all
}

// reads says which variables of functions have an output of the resources.
func reads(g *graph.Graph, of []graph.Resource) []string {
	var all []string
	for _, f := range g.OfType(typeFunction) {
		variables := f.Environment()
		for _, variable := range slices.Sorted(maps.Keys(variables)) {
			for _, r := range of {
				if !slices.Contains(f.PropertyDependencies["environment"], r.URN) {
					continue
				}
				if text := read(variables[variable], r); text != "" {
					all = append(all, fmt.Sprintf("%s in the environment of %s %s", variable, f.Name, text))
				}
			}
		}
	}
	return all
}

// read says which output of a resource a value is, or has in it; "" for none.
func read(value string, r graph.Resource) string {
	origin := "made-up "
	switch {
	case r.Deployed:
		origin = "deployed stack's "
	case r.Existing:
		origin = "existing resource's "
	}
	outputs := maps.Clone(r.Outputs)
	if outputs == nil {
		return ""
	}
	if !slices.Contains(slices.Collect(maps.Values(outputs)), any(r.ID)) {
		outputs["id"] = r.ID
	}
	within := ""
	const shortest = 6 // of a text that is in another one by chance
	for _, property := range slices.Sorted(maps.Keys(outputs)) {
		output, ok := outputs[property].(string)
		switch {
		case !ok || output == "" || output == graph.Secret || r.Inputs[property] == any(output):
		case output == value:
			return "is the " + origin + property + " " + value
		case len(output) >= shortest && strings.Contains(value, output):
			within = "contains the " + origin + property + " " + output
		}
	}
	return within
}

// functions says what of a function's own declaration has no effect.
func functions(g *graph.Graph) []string {
	without := map[string][]string{}
	called := map[string]bool{}
	for _, t := range g.Targets() {
		called[t.Function.URN] = true
	}
	for _, f := range g.OfType(typeFunction) {
		note := func(text string) { without[text] = append(without[text], f.Name) }
		if !called[f.URN] {
			note("not run here; the REST API does not call it")
			continue
		}
		if vpc, ok := f.Inputs["vpcConfig"].(map[string]any); ok && len(vpc) > 0 {
			note("runs on this machine's network, without the VPC of vpcConfig")
		}
		if layers, ok := f.Inputs["layers"].([]any); ok && len(layers) > 0 {
			note("runs without its layers: their files are not in /opt, their extensions do not run")
		}
		if storage, ok := f.Inputs["ephemeralStorage"].(map[string]any); ok && len(storage) > 0 {
			note("its temporary directory has no limit, whatever ephemeralStorage says")
		}
	}
	var lines []string
	for _, text := range slices.Sorted(maps.Keys(without)) {
		lines = append(lines, fmt.Sprintf("lambda:Function %s: %s", strings.Join(without[text], ", "), text))
	}
	return lines
}
