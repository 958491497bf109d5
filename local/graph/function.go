package graph

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

const (
	typeFunction = "aws:lambda/function:Function"
	typeAlias    = "aws:lambda/alias:Alias"
)

// Latest is the version of a function's code that is not published.
const Latest = "$LATEST"

// Target is a function as a caller names it: by its own ARN, or by that of a version or
// an alias.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-aliases.html
type Target struct {
	Function  Resource
	ARN       string // with the qualifier
	Qualifier string // a version, an alias, or "" for none
	Version   string // that runs
}

// InvokeARN is the URI of an integration or an authorizer that calls a function.
// https://docs.aws.amazon.com/apigateway/latest/api/API_PutIntegration.html (uri)
func InvokeARN(region, arn string) string {
	return fmt.Sprintf("arn:aws:apigateway:%s:lambda:path/2015-03-31/functions/%s/invocations", region, arn)
}

// Unqualified is the ARN of a function without its version or alias.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
func Unqualified(arn string) string {
	const parts = 7 // arn:aws:lambda:REGION:ACCOUNT:function:NAME
	split := strings.Split(arn, ":")
	return strings.Join(split[:min(len(split), parts)], ":")
}

// Target resolves a URI in the form of [InvokeARN]. Its error says what is wrong, and the
// fix.
func (g *Graph) Target(uri string) (Target, error) {
	prefix, suffix, _ := strings.Cut(InvokeARN(g.Region, "*"), "*")
	rest, begins := strings.CutPrefix(uri, prefix)
	arn, ends := strings.CutSuffix(rest, suffix)
	if !begins || !ends {
		return Target{}, fmt.Errorf("expected %s<function ARN>%s: use the function's InvokeArn", prefix, suffix)
	}
	for _, f := range g.OfType(typeFunction) {
		own := f.String("arn")
		if arn == own {
			return Target{Function: f, ARN: arn, Version: Latest}, nil
		}
		if qualifier, ok := strings.CutPrefix(arn, own+":"); ok {
			version, err := g.version(f, qualifier)
			return Target{Function: f, ARN: arn, Qualifier: qualifier, Version: version}, err
		}
	}
	return Target{}, errors.New("names a function that the stack does not declare: use the InvokeArn of one that it does")
}

// version is what a qualifier stands for. The code here is the current one: versions that
// an earlier update published are not known.
func (g *Graph) version(f Resource, qualifier string) (string, error) {
	published := f.String("version")
	aliases := g.OfType(typeAlias)
	named := slices.IndexFunc(aliases, func(a Resource) bool { return a.String("name") == qualifier && g.names(a.String("functionName"), f) })
	version := qualifier
	switch {
	case named >= 0:
		version = aliases[named].String("functionVersion")
	case strings.Trim(qualifier, "0123456789") != "" && qualifier != Latest:
		return "", fmt.Errorf("names %q of function %s, which is no version, and no alias that the stack declares: declare a lambda.Alias", qualifier, f.Name)
	}
	if version != published && version != Latest {
		return "", fmt.Errorf("calls version %s of function %s, and only the current code is known here, which is version %s: "+
			"set Publish to true, and use the function's Version", version, f.Name, published)
	}
	return version, nil
}

// names reports whether a name or an ARN, with or without a qualifier, is f's.
func (g *Graph) names(text string, f Resource) bool {
	return text == f.String("name") || text == f.String("arn") || strings.HasPrefix(text, f.String("arn")+":")
}

// Targets are the ways in which the REST APIs call the stack's functions, each once. A URI
// that names no function is left out: who reads the API refuses it.
func (g *Graph) Targets() []Target {
	var all []Target
	for token, property := range map[string]string{
		"aws:apigateway/integration:Integration": "uri",
		"aws:apigateway/authorizer:Authorizer":   "authorizerUri",
	} {
		for _, r := range g.OfType(token) {
			uri, _ := r.Inputs[property].(string)
			t, err := g.Target(uri)
			if err == nil && !slices.ContainsFunc(all, func(other Target) bool { return other.ARN == t.ARN }) {
				all = append(all, t)
			}
		}
	}
	slices.SortFunc(all, func(a, b Target) int { return strings.Compare(a.ARN, b.ARN) })
	return all
}

// Target returns how the API calls a function, or its own ARN if it does not.
func (r Resource) Target(targets []Target) Target {
	at := slices.IndexFunc(targets, func(t Target) bool { return t.Function.URN == r.URN })
	if at < 0 {
		return Target{Function: r, ARN: r.String("arn"), Version: Latest}
	}
	return targets[at]
}
