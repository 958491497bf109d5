package access

import (
	"cmp"
	"slices"
	"time"

	"account-api/internal/access/flow"
)

// numbers are points in time: each hour of a week, those in the constants, and the moments
// around them.
func numbers(found *flow.Values) (values []value) {
	add := func(n int64, size int) { values = append(values, value{json: n, size: size}) }
	noon := time.Date(2026, time.January, 7, 12, 0, 0, 0, time.UTC) // a Wednesday
	add(noon.UnixNano(), 0)
	for hour := range 24 {
		add(noon.Add(time.Duration(hour-12)*time.Hour).UnixNano(), 1)
	}
	for day := range 7 {
		for hour := range 24 {
			add(noon.AddDate(0, 0, day).Add(time.Duration(hour-12)*time.Hour).UnixNano(), 2)
		}
	}
	for _, number := range found.Numbers {
		n, err := number.Int64()
		if err != nil {
			continue
		}
		if n >= 0 && n < 60 {
			for hour := range 24 {
				add(noon.Add(time.Duration(hour-12)*time.Hour+time.Duration(n)*time.Minute).UnixNano(), 2)
			}
		}
		if n >= 0 && n <= 24 {
			add(noon.Truncate(24*time.Hour).Add(time.Duration(n)*time.Hour-time.Nanosecond).UnixNano(), 2)
		}
		if n >= 1970 && n <= 2260 { // a year
			for year := n - 1; year <= n+1; year++ {
				add(noon.AddDate(int(year)-noon.Year(), 0, 0).UnixNano(), 2)
			}
		}
		if n > 60 {
			for _, near := range []int64{n - 1, n, n + 1} {
				add(near, 1)
			}
		}
	}
	slices.SortStableFunc(values, func(a, b value) int { return cmp.Compare(a.size, b.size) })
	return distinct(values, nil)
}
