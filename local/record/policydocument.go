package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// policyDocument is the JSON that getPolicyDocument returns for its arguments.
// https://www.pulumi.com/registry/packages/aws/api-docs/iam/getpolicydocument/
func policyDocument(arguments map[string]any) (string, error) {
	for _, merging := range []string{"sourcePolicyDocuments", "overridePolicyDocuments"} {
		if given, ok := arguments[merging].([]any); ok && len(given) > 0 {
			return "", fmt.Errorf("getPolicyDocument: %s is not merged here: write its statements into statements, or the policy as JSON", merging)
		}
	}
	statements := []any{}
	given, _ := arguments["statements"].([]any)
	for _, s := range given {
		declared, _ := s.(map[string]any)
		statement, err := policyStatement(declared)
		if err != nil {
			return "", err
		}
		statements = append(statements, statement)
	}
	document := map[string]any{"Version": "2012-10-17", "Statement": statements}
	for name, member := range map[string]string{"version": "Version", "policyId": "Id"} {
		if value, ok := arguments[name].(string); ok {
			document[member] = value
		}
	}
	text, err := json.Marshal(document)
	return string(text), err
}

func policyStatement(declared map[string]any) (map[string]any, error) {
	statement := map[string]any{"Effect": "Allow"}
	for name, member := range map[string]string{"effect": "Effect", "sid": "Sid"} {
		if value, ok := declared[name].(string); ok && value != "" {
			statement[member] = value
		}
	}
	for name, member := range map[string]string{
		"actions": "Action", "notActions": "NotAction", "resources": "Resource", "notResources": "NotResource",
	} {
		if values, ok := declared[name].([]any); ok && len(values) > 0 {
			statement[member] = single(values)
		}
	}
	for name, member := range map[string]string{"principals": "Principal", "notPrincipals": "NotPrincipal"} {
		principals := map[string]any{}
		for _, p := range entries(declared[name]) {
			kind, _ := p["type"].(string)
			identifiers, _ := p["identifiers"].([]any)
			before, _ := principals[kind].([]any)
			principals[kind] = append(before, identifiers...)
		}
		for kind := range principals {
			principals[kind] = single(principals[kind].([]any))
		}
		switch {
		case len(principals) == 1 && principals["*"] == "*":
			statement[member] = "*"
		case len(principals) > 0:
			statement[member] = principals
		}
	}
	conditions := map[string]map[string]any{}
	for _, c := range entries(declared["conditions"]) {
		test, _ := c["test"].(string)
		variable, _ := c["variable"].(string)
		values, _ := c["values"].([]any)
		if test == "" || variable == "" || len(values) == 0 {
			return nil, errors.New("getPolicyDocument: a condition needs test, variable and values")
		}
		if conditions[test] == nil {
			conditions[test] = map[string]any{}
		}
		conditions[test][variable] = single(values)
	}
	if len(conditions) > 0 {
		statement["Condition"] = conditions
	}
	return statement, nil
}

// single is the only value of a list, or the list in order.
func single(values []any) any {
	if len(values) == 1 {
		return values[0]
	}
	sorted := slices.Clone(values)
	slices.SortFunc(sorted, func(a, b any) int { return strings.Compare(fmt.Sprint(b), fmt.Sprint(a)) }) // as the provider does
	return sorted
}

func entries(list any) []map[string]any {
	values, _ := list.([]any)
	var all []map[string]any
	for _, v := range values {
		if entry, ok := v.(map[string]any); ok {
			all = append(all, entry)
		}
	}
	return all
}
