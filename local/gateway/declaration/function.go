package declaration

import (
	"fmt"
	"strings"
)

// Function is a function that the API may invoke.
type Function struct{ Name, ARN string }

type functions struct {
	region string
	list   []*Function
}

func readFunctions(d *document) functions {
	f := functions{region: d.graph.Region}
	for _, r := range d.graph.OfType(TypeFunction) {
		function := &Function{Name: r.String("name"), ARN: r.String("arn")}
		if function.ARN == "" || function.Name == "" {
			d.add(r.Type, r.Name, "arn", "the recorded function has no ARN or no name")
			continue
		}
		f.list = append(f.list, function)
	}
	return f
}

// invoked resolves an integration or authorizer URI to the function that it names.
// https://docs.aws.amazon.com/apigateway/latest/api/API_PutIntegration.html (uri)
func (f functions) invoked(d declared, property string) *Function {
	prefix := fmt.Sprintf("arn:aws:apigateway:%s:lambda:path/2015-03-31/functions/", f.region)
	rest, ok := strings.CutPrefix(d.text(property, ""), prefix)
	arn, end := strings.CutSuffix(rest, "/invocations")
	if !ok || !end {
		d.refuse(property, "expected %s<function ARN>/invocations: use the function's InvokeArn", prefix)
		return nil
	}
	for _, function := range f.list {
		if function.ARN == arn {
			return function
		}
	}
	d.refuse(property, "names a function that the stack does not declare: use the InvokeArn of one that it does")
	return nil
}
