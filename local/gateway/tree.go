package gateway

import (
	"strings"
)

func newResource(id, path string) *resource {
	return &resource{id: id, path: path, static: map[string]*resource{}, methods: map[string]*method{}}
}

// tree builds the path tree. Resources come in no useful order, so a child waits
// until its parent is known.
func (l *loader) tree() {
	var waiting []declared
	l.each(typeResource, func(d declared) { waiting = append(waiting, d) })
	for len(waiting) > 0 {
		var orphans []declared
		for _, d := range waiting {
			parent := l.resources[d.text("parentId", "")]
			if parent == nil {
				orphans = append(orphans, d)
				continue
			}
			l.resources[d.ID] = parent.add(d)
		}
		if len(orphans) == len(waiting) {
			for _, d := range orphans {
				d.refuse("parentId", "names no resource of the API: use the API's RootResourceId or another resource's ID")
			}
			return
		}
		waiting = orphans
	}
}

// add hangs a declared resource below r.
func (r *resource) add(d declared) *resource {
	part := d.text("pathPart", "")
	child := newResource(d.ID, strings.TrimSuffix(r.path, "/")+"/"+part)
	inner, braced := strings.CutPrefix(part, "{")
	inner, closed := strings.CutSuffix(inner, "}")
	name, greedy := strings.CutSuffix(inner, "+")
	switch {
	case r.parameter != "" && strings.HasSuffix(r.path, "+}"):
		d.refuse("pathPart", "nothing can follow the greedy %s", r.path)
	case part == "" || strings.ContainsAny(name, "{}/+%?#") || braced != closed:
		d.refuse("pathPart", "expected a path part, {name} or {name+}, got %q", part)
	case !braced && r.static[part] != nil, braced && greedy && r.greedy != nil, braced && !greedy && r.variable != nil:
		d.refuse("pathPart", "%s has a sibling of the same kind: only one is allowed", child.path)
	case !braced:
		r.static[part] = child
	case greedy:
		child.parameter, r.greedy = name, child
	default:
		child.parameter, r.variable = name, child
	}
	return child
}
