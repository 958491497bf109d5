package infra

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// published are parts of the API that clients see only after a new deployment.
type published []publication

type publication struct {
	label    string
	resource pulumi.CustomResource
	args     any
}

// publish declares a part of the API with its constructor, and adds it to those that a
// deployment publishes. The label names it in the deployment's trigger.
func publish[A any, R pulumi.CustomResource](
	s *stack, parts *published,
	declare func(*pulumi.Context, string, A, ...pulumi.ResourceOption) (R, error),
	label, name string, args A, options ...pulumi.ResourceOption,
) (R, error) {
	resource, err := declare(s.ctx, name, args, s.options(options...)...)
	if err == nil {
		*parts = append(*parts, publication{label, resource, args})
	}
	return resource, err
}

func (p published) resources() []pulumi.Resource {
	var all []pulumi.Resource
	for _, part := range p {
		all = append(all, part.resource)
	}
	return all
}

// fingerprint is the SHA-256 of every part's declaration. A deployment is an immutable
// snapshot: a change to any part needs a new one. A change to anything else, such as a
// function's code, must not make one.
func (p published) fingerprint() pulumi.StringOutput {
	declared := map[string]any{}
	for _, part := range p {
		// The ID makes the trigger depend on the part itself, not only on its inputs.
		declared[part.label] = []any{part.resource.ID(), part.args}
	}
	return pulumi.JSONMarshal(declared).ApplyT(func(document string) (string, error) {
		canonical, err := withoutNulls(document)
		if err != nil {
			return "", err
		}
		sum := sha256.Sum256(canonical)
		return hex.EncodeToString(sum[:]), nil
	}).(pulumi.StringOutput)
}

// withoutNulls drops absent members. A newer SDK knows more optional properties, and must
// not redeploy an API that nobody changed.
func withoutNulls(document string) ([]byte, error) {
	var v any
	if err := json.Unmarshal([]byte(document), &v); err != nil {
		return nil, err
	}
	return json.Marshal(prune(v))
}

func prune(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			if member == nil {
				delete(v, key)
			} else {
				v[key] = prune(member)
			}
		}
	case []any:
		for i := range v {
			v[i] = prune(v[i])
		}
	}
	return v
}
