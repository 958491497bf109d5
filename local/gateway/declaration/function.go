package declaration

import (
	"cmp"

	"account-api/local/graph"
)

// Function is a function that the API may invoke.
type Function struct {
	Name      string
	ARN       string // as the API names it, with the qualifier
	Qualifier string // a version or an alias; "" for none
}

// own is the function's ARN without the qualifier.
func (f *Function) own() string { return graph.Unqualified(f.ARN) }

// String names the function with the version or alias that is called.
func (f *Function) String() string {
	if f.Qualifier == "" {
		return f.Name
	}
	return f.Name + ":" + f.Qualifier
}

type functions struct {
	graph *graph.Graph
	byARN map[string]*Function
}

func readFunctions(d *document) functions {
	for _, r := range d.graph.OfType(TypeFunction) {
		if r.String("arn") == "" || r.String("name") == "" {
			d.add(r.Type, r.Name, "arn", "the recorded function has no ARN or no name")
		}
	}
	return functions{d.graph, map[string]*Function{}}
}

// invoked resolves an integration or authorizer URI to the function that it names. A
// process of a function knows one ARN and one version, so a function has one way to be
// called.
func (f functions) invoked(d declared, property string) *Function {
	target, err := f.graph.Target(d.text(property, ""))
	if err != nil {
		d.refuse(property, "%v", err)
		return nil
	}
	name := target.Function.String("name")
	for _, other := range f.byARN {
		if other.own() == target.Function.String("arn") && other.ARN != target.ARN {
			d.refuse(property, "calls function %s as %q, and another part of the API as %q: here, a function runs as one version: call it the same way everywhere",
				name, cmp.Or(target.Qualifier, graph.Latest), cmp.Or(other.Qualifier, graph.Latest))
			return nil
		}
	}
	if f.byARN[target.ARN] == nil {
		f.byARN[target.ARN] = &Function{Name: name, ARN: target.ARN, Qualifier: target.Qualifier}
	}
	return f.byARN[target.ARN]
}
