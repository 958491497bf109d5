package record

import (
	"reflect"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// shape is what a type of resource puts out, by property, as the provider's SDK declares
// it. Nothing else says so: the engine's mocks see inputs and a type token.
type shape map[string]shape1

// shape1 is the kind of one property.
type shape1 struct {
	kind     kind
	optional bool // may be absent in a deployed stack as well
	element  *shape1
	members  map[string]shape1
}

type kind int

const (
	other kind = iota // a flag, a map, a resource: none can be made up
	text
	number
	list
	object
)

// shapes are those of the resources that a program has constructed.
type shapes struct {
	mu      sync.Mutex
	byToken map[string]shape
}

func (s *shapes) of(token string) shape {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byToken[token]
}

// watch learns the shape of each resource before it is registered. A transformation that
// returns nil changes nothing.
func (s *shapes) watch(args *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byToken[args.Type] == nil {
		s.byToken[args.Type] = shapeOf(reflect.TypeOf(args.Resource))
	}
	return nil
}

func shapeOf(t reflect.Type) shape {
	all := shape{}
	if t = dereference(t); t.Kind() != reflect.Struct {
		return all
	}
	for i := range t.NumField() {
		field := t.Field(i)
		name := field.Tag.Get("pulumi")
		output, ok := reflect.Zero(field.Type).Interface().(pulumi.Output)
		if name == "" || !ok || field.Type.Kind() != reflect.Struct {
			continue
		}
		all[name] = shapeOfValue(output.ElementType(), 0)
	}
	return all
}

// shapeOfValue reads the type of a value. Types that contain themselves end at some depth.
func shapeOfValue(t reflect.Type, depth int) shape1 {
	const deepest = 6
	s := shape1{optional: t.Kind() == reflect.Pointer}
	t = dereference(t)
	switch t.Kind() {
	case reflect.String:
		s.kind = text
	case reflect.Int, reflect.Float64:
		s.kind = number
	case reflect.Slice:
		if depth < deepest {
			element := shapeOfValue(t.Elem(), depth+1)
			s.kind, s.element = list, &element
		}
	case reflect.Struct:
		s.members = map[string]shape1{}
		for i := range t.NumField() {
			if name := t.Field(i).Tag.Get("pulumi"); name != "" && depth < deepest {
				s.members[name] = shapeOfValue(t.Field(i).Type, depth+1)
			}
		}
		if len(s.members) > 0 {
			s.kind = object
		}
	}
	return s
}

func dereference(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}
