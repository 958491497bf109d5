package caller

import (
	"slices"
	"strings"

	"account-api/internal/access/flow"
	"account-api/internal/decision"
)

// constantsByField finds, for every field of the input that the policy reads, the string
// constants that may meet it. A claim is a field of its own, by its path (see [claimField]). A
// field that no caller of the policy's stack has is left out.
func constantsByField(p *decision.Policy) map[string][]string {
	found := map[string][]string{}
	for leaf, values := range flow.Read(p).Leaves {
		if slices.Contains(p.Absent(), leaf.Field) {
			continue
		}
		// A default is what an absent field counts as, so absence is tried in its place.
		constants := slices.DeleteFunc(values.Texts, func(text string) bool { return slices.Contains(values.Defaults, text) })
		if leaf.Field != "claims" {
			found[leaf.Field] = append(found[leaf.Field], constants...)
			continue
		}
		if len(values.Paths) == 0 {
			values.Paths = [][]string{nil} // the claim itself
		}
		for _, path := range values.Paths {
			found[strings.Join(append([]string{"claims", leaf.Member}, path...), claimSeparator)] = constants
		}
	}
	return found
}
