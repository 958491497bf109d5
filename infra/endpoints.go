package infra

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// endpoint is one method of one path, answered by one handler.
type endpoint struct {
	method      string // "GET"
	path        string // "profile", or nested: "accounts/{account}/profile"
	handler     string // directory of the handler's main package; several endpoints may share it
	description string // of the handler's function

	// The rest describes the handler's function, too. It stands in the first of the
	// endpoints that share a handler.

	memory  int // in megabytes; 0 means functionMemory
	timeout int // in seconds; 0 means functionTimeout
	// needs declares what only this handler uses, such as a table; nil if nothing.
	needs func(*stack) (needs, error)
}

// needs are what a handler's function is given beyond its log.
type needs struct {
	environment pulumi.StringMap
	allow       []statement
}

// endpoints are the API. To add one:
//
//  1. Write its Rego package and the tests in a directory of policies/ with the name of
//     its handler.
//  2. Write its handler next to handlers/profile: a main function that gives
//     endpoint.Serve the policy, its entrypoint and what the allowed are answered.
//  3. Add its entry here. One more path to a handler that is there takes this step only.
//
// A table, for example, is declared next to the entry, which sets needs to ordersTable:
//
//	func ordersTable(s *stack) (needs, error) {
//		table, err := dynamodb.NewTable(s.ctx, "orders", &dynamodb.TableArgs{
//			Name: pulumi.String(s.name("orders")), Tags: s.tags(),
//			BillingMode: pulumi.String("PAY_PER_REQUEST"), HashKey: pulumi.String("id"),
//			Attributes:  dynamodb.TableAttributeArray{dynamodb.TableAttributeArgs{Name: pulumi.String("id"), Type: pulumi.String("S")}},
//		}, s.options()...)
//		if err != nil {
//			return needs{}, err
//		}
//		return needs{
//			environment: pulumi.StringMap{"ORDERS_TABLE": table.Name},
//			allow:       []statement{{actions: []string{"dynamodb:GetItem"}, resources: pulumi.StringArray{table.Arn}}},
//		}, nil
//	}
var endpoints = []endpoint{
	{
		method:      "GET",
		path:        "profile",
		handler:     "handlers/profile",
		description: "Answers with the caller's profile if the policy allows it",
	},
}

// name is the endpoint's logical name in the program.
func (e endpoint) name() string { return e.method + "-" + resourceName(e.path) }

// variable is a path parameter, such as {account} or the greedy {rest+}.
var variable = regexp.MustCompile(`\{[^/{}]+\}`)

// source is the endpoint's end of the ARN that API Gateway shows to Lambda, in which
// a path parameter stands for any value:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html
func (e endpoint) source() string { return e.method + "/" + variable.ReplaceAllString(e.path, "*") }

// resourceName is a path as a logical name. It becomes part of physical names, some
// of which have neither slashes nor braces.
func resourceName(path string) string {
	return strings.NewReplacer("/", "-", "{", "", "}", "", "+", "").Replace(path)
}

// paths are the endpoints' paths without repetition, in alphabetical order.
func paths(endpoints []endpoint) []string {
	var all []string
	for _, e := range endpoints {
		all = append(all, e.path)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// functionNames are the names of the stack's functions, without project and stack.
func functionNames(endpoints []endpoint) []string {
	names := []string{"authorizer"}
	for _, e := range endpoints {
		names = append(names, path.Base(e.handler))
	}
	return names
}

// methodsOf lists the methods of a path, in alphabetical order.
func methodsOf(path string, endpoints []endpoint) []string {
	var methods []string
	for _, e := range endpoints {
		if e.path == path {
			methods = append(methods, e.method)
		}
	}
	slices.Sort(methods)
	return methods
}

// verbs are the methods that an endpoint may have. OPTIONS is the preflight's.
var verbs = []string{"DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"}

// pathPart is what API Gateway accepts between two slashes: a text or a parameter. A
// greedy parameter, such as {rest+}, must be the last part:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html
var pathPart = regexp.MustCompile(`^([A-Za-z0-9._:-]+|\{[A-Za-z0-9._-]+\+?\})$`)

// checkEndpoints adds what is wrong with the endpoints themselves.
func checkEndpoints(endpoints []endpoint, wrong faults) {
	names, handlers := map[string]endpoint{}, map[string]endpoint{}
	for _, e := range endpoints {
		setting := "endpoint " + e.method + " " + e.path
		wrong.add(setting, e.check())
		if other, taken := names[e.name()]; taken {
			wrong.add(setting, fmt.Errorf("its name %s is that of endpoint %s %s; give it another path", e.name(), other.method, other.path))
		}
		names[e.name()] = e
		function := path.Base(e.handler)
		first, shared := handlers[function]
		switch {
		case !shared:
			handlers[function] = e
		case first.handler != e.handler:
			wrong.add(setting, fmt.Errorf("its handler %s ends as %s does, and the last part names the function; rename one", e.handler, first.handler))
		case e.memory != 0 || e.timeout != 0 || e.needs != nil:
			wrong.add(setting, fmt.Errorf("memory, timeout and needs belong to the function, which endpoint %s %s declares; move them there", first.method, first.path))
		}
	}
	if e, taken := handlers["authorizer"]; taken {
		wrong.add("endpoint "+e.method+" "+e.path, fmt.Errorf("its handler %s ends as the authorizer's does; rename it", e.handler))
	}
}

func (e endpoint) check() error {
	if !slices.Contains(verbs, e.method) {
		return fmt.Errorf("expected one method of %s, got %q; write one entry for each", strings.Join(verbs, ", "), e.method)
	}
	parts := strings.Split(e.path, "/")
	for i, part := range parts {
		if !pathPart.MatchString(part) || strings.HasSuffix(part, "+}") && i < len(parts)-1 {
			return fmt.Errorf("expected a path such as accounts/{account}/files/{rest+}, without a slash at its ends, got %q", e.path)
		}
	}
	// Lambda's limits, and the longest that API Gateway waits for an integration:
	// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
	if err := checkRange("megabytes of memory", cmp.Or(e.memory, functionMemory), 128, 10240); err != nil {
		return err
	}
	return checkRange("seconds of timeout", cmp.Or(e.timeout, functionTimeout), 1, 29)
}
