package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

const (
	// unknown is what a preview writes for a value that only a deployment makes known:
	// UnknownStringValue of sdk/go/common/resource/plugin/rpc.go.
	unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
	// signature marks an object that is an asset, an archive or a secret, by its value:
	// https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/sig/sig.go
	signature = "4dabf18193072939515e22adb298388d"
	secret    = "1b47061264138c4ac30d75fd1eb44270"

	maxValue = 200 // bytes of a value
	maxLines = 40  // of a resource
)

// absent stands for a property that a version lacks.
type absent struct{}

// change is what a preview does with a resource.
type change struct {
	operation string // create, update, replace or delete
	kind      string // the type, without its package and module
	fullType  string
	name      string
	old, new  map[string]any
	reasons   []string // of a replacement
	reported  []string // properties that the provider says differ
}

// gravity is the order in which a reviewer wants to see changes.
var gravity = []string{"replace", "delete", "update", "create"}

// changes are the resources that a preview changes, the gravest first, in an order that does
// not depend on which the engine reached first.
func (p preview) changes() []change {
	byURN := map[string]*change{}
	var all []*change
	for _, s := range p.Steps {
		operation := operations[s.Op]
		any := s.NewState
		if any == nil {
			any = s.OldState
		}
		if operation == "same" || any == nil || !any.Custom || strings.HasPrefix(any.Type, "pulumi:") {
			continue
		}
		c := byURN[any.URN]
		if c == nil {
			parts := strings.Split(any.URN, "::")
			c = &change{operation: operation, fullType: any.Type, kind: any.Type[strings.LastIndex(any.Type, ":")+1:], name: parts[len(parts)-1]}
			byURN[any.URN] = c
			all = append(all, c)
		}
		if s.OldState != nil && c.old == nil {
			c.old = s.OldState.Inputs
		}
		if s.NewState != nil && c.new == nil {
			c.new = s.NewState.Inputs
		}
		for _, reason := range s.ReplaceReasons {
			if !slices.Contains(c.reasons, reason) {
				c.reasons = append(c.reasons, reason)
			}
		}
		c.reported = slices.Sorted(maps.Keys(s.DetailedDiff))
	}
	slices.SortFunc(all, func(a, b *change) int {
		return cmp.Or(slices.Index(gravity, a.operation)-slices.Index(gravity, b.operation), cmp.Compare(a.kind, b.kind), cmp.Compare(a.name, b.name))
	})
	var sorted []change
	for _, c := range all {
		sorted = append(sorted, *c)
	}
	return sorted
}

// lines show the change as lines of a diff.
func (c change) lines() []string {
	mark := map[string]string{"create": "+", "delete": "-", "update": "!", "replace": "!"}[c.operation]
	heading := fmt.Sprintf("%s %s %s %s", mark, c.operation, c.kind, c.name)
	if len(c.reasons) > 0 {
		heading += ", because of " + strings.Join(c.reasons, ", ")
	}
	var lines []string
	switch {
	case c.operation == "delete": // its properties say nothing new
	case c.operation == "create":
		lines = compare(lines, "", absent{}, any(c.new))
	default:
		lines = compare(lines, "", any(c.old), any(c.new))
		if len(lines) == 0 { // what was refreshed
			for _, property := range c.reported {
				lines = append(lines, "!     "+property)
			}
		}
	}
	if left := len(lines) - maxLines; left > 0 {
		lines = append(lines[:maxLines], fmt.Sprintf("      … and %d lines more", left))
	}
	return append([]string{heading}, lines...)
}

// compare appends the lines that differ below a path.
func compare(lines []string, path string, before, after any) []string {
	before, after = opened(before), opened(after)
	if reflect.DeepEqual(before, after) {
		return lines
	}
	was, wasObject := before.(map[string]any)
	is, isObject := after.(map[string]any)
	_, new := before.(absent)
	_, gone := after.(absent)
	oldList, wasList := before.([]any)
	newList, isList := after.([]any)
	switch {
	case (wasObject || new) && (isObject || gone):
		keys := map[string]bool{}
		for key := range was {
			keys[key] = true
		}
		for key := range is {
			keys[key] = true
		}
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			if !strings.HasPrefix(key, "__") && !(new && chosen(is, key)) { // __ are the provider's own notes
				lines = compare(lines, strings.TrimPrefix(path+"."+key, "."), member(was, key), member(is, key))
			}
		}
		return lines
	case wasList && isList:
		return compareLists(lines, path, oldList, newList)
	}
	if !new {
		lines = append(lines, "-     "+path+": "+shown(before))
	}
	if !gone {
		lines = append(lines, "+     "+path+": "+shown(after))
	}
	return lines
}

// compareLists leaves out what both lists begin and end with, so that an insertion does
// not show all that moved.
func compareLists(lines []string, path string, before, after []any) []string {
	start := 0
	for start < min(len(before), len(after)) && reflect.DeepEqual(before[start], after[start]) {
		start++
	}
	end := 0
	for end < min(len(before), len(after))-start && reflect.DeepEqual(before[len(before)-1-end], after[len(after)-1-end]) {
		end++
	}
	before, after = before[start:len(before)-end], after[start:len(after)-end]
	if len(before) == len(after) {
		for i := range before {
			lines = compare(lines, fmt.Sprintf("%s[%d]", path, start+i), before[i], after[i])
		}
		return lines
	}
	for _, element := range before {
		lines = append(lines, "-     "+path+"[]: "+shown(element))
	}
	for _, element := range after {
		lines = append(lines, "+     "+path+"[]: "+shown(element))
	}
	return lines
}

// chosen reports whether the provider chose a property's value, as it does at random for a
// name: another preview would show another.
func chosen(inputs map[string]any, key string) bool {
	defaults, _ := inputs["__defaults"].([]any)
	return slices.Contains(defaults, any(key))
}

func member(object map[string]any, key string) any {
	if v, has := object[key]; has {
		return v
	}
	return absent{}
}

// opened is a value with the JSON that a text holds, such as an IAM policy, and with a
// word for what is no plain value.
func opened(v any) any {
	switch v := v.(type) {
	case string:
		if v == unknown {
			return unknownValue{}
		}
		if trimmed := strings.TrimSpace(v); strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, "[") {
			var document any
			if json.Unmarshal([]byte(v), &document) == nil {
				return document
			}
		}
	case map[string]any:
		if v[signature] == secret {
			return "[secret]"
		}
		if _, special := v[signature]; special {
			return packageOf(v)
		}
	}
	return v
}

type unknownValue struct{}

// packageHash is the SHA-256 of an archive, in hexadecimal.
type packageHash string

func packageOf(v any) packageHash {
	archive, _ := v.(map[string]any)
	hash, _ := archive["hash"].(string)
	return packageHash(hash)
}

// shown is a value in a line.
func shown(v any) string {
	switch v := v.(type) {
	case unknownValue:
		return "(known after the deployment)"
	case packageHash:
		return "package " + string(v)
	}
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	line := strings.ReplaceAll(strings.TrimSuffix(text.String(), "\n"), unknown, "(known after the deployment)")
	if len(line) > maxValue {
		line = strings.ToValidUTF8(line[:maxValue], "") + " …"
	}
	return line
}
