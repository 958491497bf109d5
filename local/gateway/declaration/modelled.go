package declaration

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"account-api/local/graph"
)

// rule says whether a declared value is modelled. If not, it returns what to do about it.
type rule func(value any) (fix string)

func accepted(any) string { return "" }

// absent refuses every value but an empty one. A number always says something.
func absent(fix string) rule {
	return func(value any) string {
		v := reflect.ValueOf(value)
		list := v.Kind() == reflect.Slice || v.Kind() == reflect.Map
		if list && v.Len() == 0 || v.Kind() != reflect.Float64 && v.IsZero() {
			return ""
		}
		return fix
	}
}

// oneOf refuses every text but those listed.
func oneOf(fix string, values ...string) rule {
	return func(value any) string {
		if s, ok := value.(string); ok && slices.Contains(values, s) {
			return ""
		}
		return fmt.Sprintf("expected %s, got %v: %s", strings.Join(values, " or "), value, fix)
	}
}

// rules are the modelled properties of one type. A property that is not listed is refused
// by name.
type rules map[string]rule

// accepting adds properties that are read elsewhere, or have no effect on an answer.
func (r rules) accepting(properties ...string) rules {
	for _, property := range properties {
		r[property] = accepted
	}
	return r
}

// checkModelled refuses what decides an answer and is not modelled: types, properties, and
// values that are not known on this machine. Other resources are not looked at.
func checkModelled(g *graph.Graph, p *problems) {
	targets := g.Targets()
	for _, r := range g.Resources {
		if r.Component {
			checkComponent(r, p)
			continue
		}
		if !graph.Decides(r.Type) || r.Type == TypeFunction && !slices.ContainsFunc(targets, func(t graph.Target) bool { return t.Function.URN == r.URN }) {
			continue
		}
		rules, ok := properties[r.Type]
		if !ok {
			p.add(r.Type, r.Name, "", "%s", cmp.Or(instead[r.Type], "this type is not modelled: leave it out of the stack that runs locally, by a setting of the stack file"))
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(r.Inputs)) {
			rule, ok := rules[name]
			switch {
			case r.Inputs[name] == nil:
			case !ok:
				p.add(r.Type, r.Name, name, "this property is not modelled: remove it")
			default:
				if fix := rule(r.Inputs[name]); fix != "" {
					p.add(r.Type, r.Name, name, "%s", fix)
				}
				if !slices.Contains(withoutEffect, name) {
					checkKnown(g, r, name, p)
				}
			}
		}
	}
}

// checkComponent refuses components that declare an API in a plugin, which is not run.
func checkComponent(r graph.Resource, p *problems) {
	if fix := instead[r.Type]; fix != "" {
		p.add(r.Type, r.Name, "", "%s", fix)
	}
}

// withoutEffect are properties whose values change no answer here, known or not.
var withoutEffect = []string{
	"accessLogSettings", "codeSigningConfigArn", "deadLetterConfig", "description", "ephemeralStorage", "kmsKeyArn", "layers", "loggingConfig",
	"role", "sourceCodeHash", "stageDescription", "tags", "tracingConfig", "triggers", "vpcConfig", "clientCertificateId", "documentationVersion",
}

// checkKnown refuses values that this machine does not know: they would be empty.
func checkKnown(g *graph.Graph, r graph.Resource, property string, p *problems) {
	where := func(text string) string {
		variables := slices.DeleteFunc(slices.Sorted(maps.Keys(r.Environment())), func(name string) bool { return !strings.Contains(r.Environment()[name], text) })
		if property != "environment" || len(variables) == 0 {
			return "its value"
		}
		return strings.Join(variables, ", ")
	}
	if graph.Contains(r.Inputs[property], graph.Unknown) {
		var sources []string
		for _, urn := range r.PropertyDependencies[property] {
			for _, source := range g.Resources {
				if source.URN == urn {
					sources = append(sources, fmt.Sprintf("%s (%s)", source.Name, source.Type))
				}
			}
		}
		p.add(r.Type, r.Name, property, "%s is computed from an output that cannot be made up, of %s: write that output into local.%s.yaml, as outputs: {NAME: {OUTPUT: VALUE}}",
			where(graph.Unknown), cmp.Or(strings.Join(sources, " or "), "a resource"), g.Stack)
	}
	graph.Texts(r.Inputs[property], func(text string) {
		if key, withheld := graph.WithheldIn(text); withheld {
			p.add(r.Type, r.Name, property, "%s contains the secret setting %s, which only the Pulumi CLI can decrypt: write its value into local.%s.yaml, as secrets: {%s: VALUE}",
				where(graph.Withheld(key)), key, g.Stack, key)
		}
	})
}
