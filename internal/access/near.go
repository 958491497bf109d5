package access

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
)

// around are numbers and their neighbours.
func around(numbers []json.Number) (near []json.Number) {
	for _, number := range numbers {
		near = append(near, number)
		if n, err := number.Int64(); err == nil && n > math.MinInt64 && n < math.MaxInt64 {
			near = append(near, json.Number(fmt.Sprint(n-1)), json.Number(fmt.Sprint(n+1)))
		}
	}
	return near
}

// nearMisses are texts that a careless rule takes for one of the constants.
func nearMisses(constants []string) (near []string) {
	for _, c := range constants {
		if c == "" {
			continue
		}
		near = append(near, c+"x", "x"+c, "x"+c+"x", strings.ToUpper(c), strings.ToLower(c), strings.ToUpper(c[:1])+c[1:], c+" ", " "+c)
		if len(c) > 1 {
			near = append(near, c[:len(c)-1], c[1:])
		}
		if i := strings.IndexAny(c, ":/.|"); i > 0 {
			near = append(near, c[:i], c[:i+1], c[:i+1]+"x")
		}
		// What a pattern may match.
		if strings.ContainsAny(c, "*^$[(\\") {
			plain := strings.NewReplacer("^", "", "$", "", ".*", "x", ".+", "x", "**", "x", "*", "x", "[a-z]+", "x", "[0-9]+", "1", "\\d+", "1", "\\.", ".").Replace(c)
			near = append(near, plain, plain+"x", "x"+plain)
		}
	}
	return near
}
