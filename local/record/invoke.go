package record

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Call implements [pulumi.MockResourceMonitor]: it answers look-ups. The file of local
// values comes first. What depends on an account otherwise is refused.
func (r *recorder) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	arguments, _ := r.plain(resource.NewProperty(args.Args), "").(map[string]any)
	for _, invoked := range r.values.Invokes {
		if invoked.Function == args.Token && answers(invoked.Arguments, arguments) {
			return resource.NewPropertyMapFromMap(invoked.Result), nil
		}
	}
	region := r.regionOf(args.Provider)
	switch args.Token {
	case "aws:index/getRegion:getRegion":
		if named, ok := arguments["name"].(string); ok {
			region = named
		}
		return resource.NewPropertyMapFromMap(map[string]any{
			"id": region, "name": region, "region": region, "description": region, "endpoint": "ec2." + region + ".amazonaws.com",
		}), nil
	case "aws:index/getCallerIdentity:getCallerIdentity":
		return resource.NewPropertyMapFromMap(map[string]any{
			"id": r.account, "accountId": r.account, "userId": "AIDALOCALRUN", "arn": "arn:aws:iam::" + r.account + ":user/local",
		}), nil
	case "aws:index/getPartition:getPartition":
		return resource.NewPropertyMapFromMap(map[string]any{
			"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws",
		}), nil
	case "aws:iam/getPolicyDocument:getPolicyDocument":
		document, err := policyDocument(arguments)
		if err != nil {
			return nil, err
		}
		return resource.NewPropertyMapFromMap(map[string]any{"id": "policy", "json": document, "minifiedJson": document}), nil
	}
	return nil, fmt.Errorf("the program calls %s, whose answer depends on an account: write the answer into %s:\n"+
		"invokes:\n  - function: %s\n    arguments: {%s}\n    result: {…}",
		args.Token, ValuesFile(r.stack.Name), args.Token, strings.Join(assignments(arguments), ", "))
}

// answers reports whether every given argument is among those of the call.
func answers(given, arguments map[string]any) bool {
	for name, value := range given {
		if !reflect.DeepEqual(resource.NewPropertyValue(value), resource.NewPropertyValue(arguments[name])) {
			return false
		}
	}
	return true
}

func assignments(arguments map[string]any) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(arguments)) {
		all = append(all, fmt.Sprintf("%s: %v", name, arguments[name]))
	}
	return all
}

// stackReference is another stack with the outputs of the file of local values.
func (r *recorder) stackReference(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	name := args.Name
	if given := args.Inputs["name"]; given.IsString() {
		name = given.StringValue()
	}
	outputs, known := r.values.StackReferences[name]
	if !known {
		return "", nil, fmt.Errorf("the program reads outputs of the stack %s: write them into %s:\nstackReferences:\n  %s:\n    OUTPUT: VALUE", name, ValuesFile(r.stack.Name), name)
	}
	state := args.Inputs.Copy()
	state["name"] = resource.NewProperty(name)
	state["outputs"] = resource.NewProperty(resource.NewPropertyMapFromMap(outputs))
	state["secretOutputNames"] = resource.NewProperty([]resource.PropertyValue{})
	return name, state, nil
}
