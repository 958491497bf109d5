package lambda

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"time"
)

// check returns the function with its defaults filled in, or every reason for
// which AWS would refuse it.
func (fn Function) check() (Function, error) {
	var problems []error
	refuse := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }

	if fn.Name == "" {
		refuse("name is empty, expected the function's name as deployed")
	}
	if fn.ARN == "" {
		refuse("ARN is empty, expected arn:aws:lambda:<region>:<account>:function:<name>")
	}
	if fn.Region == "" {
		refuse("region is empty, expected the stack's aws:region, e.g. eu-central-1")
	}
	if fn.Executable == "" {
		refuse("executable is empty, expected the path of a bootstrap: build one with go build -o bootstrap")
	}
	fn.MemoryMB = cmp.Or(fn.MemoryMB, MinMemoryMB)
	if fn.MemoryMB < MinMemoryMB || fn.MemoryMB > maxMemoryMB {
		refuse("memory is %d MB, expected %d to %d", fn.MemoryMB, MinMemoryMB, maxMemoryMB)
	}
	fn.Timeout = cmp.Or(fn.Timeout, defaultTimeout)
	fn.Version = cmp.Or(fn.Version, "$LATEST")
	if fn.Timeout < time.Millisecond || fn.Timeout > maxTimeout {
		refuse("timeout is %v, expected %v to %v", fn.Timeout, time.Millisecond, maxTimeout)
	}
	fn.LogGroup = cmp.Or(fn.LogGroup, "/aws/lambda/"+fn.Name)
	problems = append(problems, checkEnvironment(fn.Environment)...)
	if len(problems) > 0 {
		return Function{}, fmt.Errorf("lambda: function %q: %w", fn.Name, errors.Join(problems...))
	}
	fn.Environment = maps.Clone(fn.Environment)
	return fn, nil
}
