package flow

import (
	"reflect"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"account-api/internal/decision"
)

// Kind is what values a place of the input can have.
type Kind int

// The kinds. Of Texts and Lists the members are places, not the field.
const (
	Text   Kind = iota // a string
	List               // an array of strings
	Number             // a number
	Any                // any JSON
	Texts              // an object of strings
	Lists              // an object of arrays of strings
)

// Field is a member of the input.
type Field struct {
	Name string
	Kind Kind
}

// Fields are those of [decision.Input], so that a new one is tried without a line here.
var Fields = func() []Field {
	var fields []Field
	for _, member := range reflect.VisibleFields(reflect.TypeFor[decision.Input]()) {
		name, _, _ := strings.Cut(member.Tag.Get("json"), ",")
		kind := Any
		switch member.Type {
		case reflect.TypeFor[string]():
			kind = Text
		case reflect.TypeFor[[]string]():
			kind = List
		case reflect.TypeFor[int64]():
			kind = Number
		case reflect.TypeFor[map[string]string]():
			kind = Texts
		case reflect.TypeFor[map[string][]string]():
			kind = Lists
		}
		fields = append(fields, Field{name, kind})
	}
	return fields
}()

// Leaf is a place of the input that callers differ in: a field, or a member of one that is
// an object.
type Leaf struct {
	Field, Member string
}

func (l Leaf) String() string {
	if l.Member == "" {
		return l.Field
	}
	return l.Field + "." + l.Member
}

// Kind is what values the leaf can have. It is false for a place that no input has.
func (l Leaf) Kind() (Kind, bool) {
	i := slices.IndexFunc(Fields, func(f Field) bool { return f.Name == l.Field })
	if i < 0 {
		return 0, false
	}
	switch kind := Fields[i].Kind; kind {
	case Texts:
		return Text, true
	case Lists:
		return List, true
	default:
		return kind, true
	}
}

// hasMembers reports whether the field's members are leaves.
func hasMembers(name string) bool {
	i := slices.IndexFunc(Fields, func(f Field) bool { return f.Name == name })
	return i >= 0 && (Fields[i].Kind == Texts || Fields[i].Kind == Lists || Fields[i].Kind == Any)
}

// leafOf is the leaf that operands behind input lead to, and how many of them it takes.
// Zero means that they do not say which: input itself, or input[x].
func leafOf(operands []*ast.Term) (leaf Leaf, taken int) {
	if len(operands) == 0 {
		return Leaf{}, 0
	}
	name, constant := operands[0].Value.(ast.String)
	if !constant {
		return Leaf{}, 0
	}
	if !hasMembers(string(name)) {
		return Leaf{Field: string(name)}, 1
	}
	if len(operands) == 1 {
		return Leaf{}, 0
	}
	member, constant := operands[1].Value.(ast.String)
	if !constant {
		return Leaf{}, 0
	}
	return Leaf{string(name), string(member)}, 2
}
