package access_test

import (
	"fmt"
	"strings"
	"testing"

	"account-api/internal/access"
)

// many is a policy with n constants, on one field or half of them on another.
func many(n int, two bool) string {
	var rego strings.Builder
	for i := range n {
		if two && i%2 > 0 {
			fmt.Fprintf(&rego, "allow if input.azp == \"client%d\"\n\n", i)
		} else {
			fmt.Fprintf(&rego, "allow if \"scope%d\" in split(input.scope, \" \")\n\n", i)
		}
	}
	return rego.String()
}

// BenchmarkCompare measures comparisons by the constants that both versions name.
func BenchmarkCompare(b *testing.B) {
	for _, n := range []int{1, 6, 8, 12, 16} {
		for _, two := range []bool{false, true} {
			name := fmt.Sprintf("%d constants of one field", n)
			if two {
				name = fmt.Sprintf("%d constants of two fields", n)
			}
			b.Run(name, func(b *testing.B) {
				callers := 0
				complete := 0.0
				for b.Loop() {
					report, err := access.Compare(b.Context(), tree(many(n-1, two)), tree(many(n, two)), nil)
					if err != nil {
						b.Fatal(err)
					}
					callers = report.Endpoints[0].Callers
					if report.Endpoints[0].Complete {
						complete = 1
					}
				}
				b.ReportMetric(float64(callers), "callers")
				b.ReportMetric(complete, "complete")
			})
		}
	}
}
