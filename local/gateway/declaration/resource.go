package declaration

import "strings"

// Resource is one node of the path tree.
type Resource struct {
	ID, Path  string
	Parameter string // name of the path parameter that this node binds; "" for a static part
	Static    map[string]*Resource
	Variable  *Resource // {name}
	Greedy    *Resource // {name+}
	Methods   []*Method
}

func newResource(id, path string) *Resource {
	return &Resource{ID: id, Path: path, Static: map[string]*Resource{}}
}

// Method returns the method for a verb, its own before ANY; nil when there is none.
func (r *Resource) Method(verb string) *Method {
	var found *Method
	for _, m := range r.Methods {
		if m.Answers(verb) && (found == nil || found.Verb == "ANY") {
			found = m
		}
	}
	return found
}

// readResources builds the path tree and returns its nodes by ID. Resources come in no
// useful order, so a child waits until its parent is known.
func readResources(d *document, rootID string) map[string]*Resource {
	byID := map[string]*Resource{rootID: newResource(rootID, "/")}
	var waiting []declared
	d.each(TypeResource, func(r declared) { waiting = append(waiting, r) })
	for before := -1; len(waiting) != before; {
		before = len(waiting)
		var orphans []declared
		for _, r := range waiting {
			if parent := byID[r.text("parentId", "")]; parent != nil {
				byID[r.ID] = parent.add(r)
			} else {
				orphans = append(orphans, r)
			}
		}
		waiting = orphans
	}
	for _, r := range waiting {
		r.refuse("parentId", "names no resource of the API: use the API's RootResourceId or another resource's ID")
	}
	return byID
}

// add puts a declared resource below r.
func (r *Resource) add(d declared) *Resource {
	part := d.text("pathPart", "")
	child := newResource(d.ID, strings.TrimSuffix(r.Path, "/")+"/"+part)
	inner, braced := strings.CutPrefix(part, "{")
	inner, closed := strings.CutSuffix(inner, "}")
	name, greedy := strings.CutSuffix(inner, "+")
	switch {
	case r.Parameter != "" && strings.HasSuffix(r.Path, "+}"):
		d.refuse("pathPart", "nothing can follow the greedy %s", r.Path)
	case part == "" || strings.ContainsAny(name, "{}/+%?#") || braced != closed:
		d.refuse("pathPart", "expected a path part, {name} or {name+}, got %q", part)
	case !braced && r.Static[part] != nil, braced && greedy && r.Greedy != nil, braced && !greedy && r.Variable != nil:
		d.refuse("pathPart", "%s has a sibling of the same kind: only one is allowed", child.Path)
	case !braced:
		r.Static[part] = child
	case greedy:
		child.Parameter, r.Greedy = name, child
	default:
		child.Parameter, r.Variable = name, child
	}
	return child
}
