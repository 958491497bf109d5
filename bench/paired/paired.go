// Package paired compares ways to do the same work on a machine that is never quiet.
//
// All ways take turns in many short rounds. Only figures of one round are divided by one
// another: whatever slows a round down slows both sides. An estimate is the median of those
// ratios with its quartiles.
package paired

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Variant is one way to do the work.
type Variant struct {
	Name string
	// Block does the work some number of times and returns what one time costs, in a
	// unit that all variants of a comparison share.
	Block func() (float64, error)
}

// Estimate is a median and the quartiles around it.
type Estimate struct {
	Median   float64
	Quartile [2]float64 // the first and the third
	Rounds   int
}

// Samples are the costs by variant, one for each round.
type Samples struct{ costs map[string][]float64 }

// Run measures every variant once in each round, in an order that is shuffled for each
// round. In a fixed order, what a variant leaves behind in caches and in the garbage
// collector would always hit the same one. Every run uses the same orders.
func Run(rounds int, variants ...Variant) (Samples, error) {
	s := Samples{costs: map[string][]float64{}}
	shuffle := rand.New(rand.NewPCG(1, 2)) // any seed will do
	for range rounds {
		for _, i := range shuffle.Perm(len(variants)) {
			v := variants[i]
			cost, err := v.Block()
			if err != nil {
				return Samples{}, fmt.Errorf("measure %s: %w", v.Name, err)
			}
			s.costs[v.Name] = append(s.costs[v.Name], cost)
		}
	}
	return s, nil
}

// Cost is what the variant costs on this machine, in the unit of its blocks.
func (s Samples) Cost(variant string) Estimate { return Of(s.costs[variant]) }

// Ratio is what one variant costs in terms of another.
func (s Samples) Ratio(variant, to string) Estimate {
	ratios := make([]float64, len(s.costs[variant]))
	for round, cost := range s.costs[variant] {
		ratios[round] = cost / s.costs[to][round]
	}
	return Of(ratios)
}

// Without is what one variant costs in terms of itself without a part, which another measured.
func (s Samples) Without(variant, part string) Estimate {
	ratios := make([]float64, len(s.costs[variant]))
	for round, cost := range s.costs[variant] {
		ratios[round] = cost / (cost - s.costs[part][round])
	}
	return Of(ratios)
}

// Of is the estimate from independent values.
func Of(values []float64) Estimate {
	sorted := slices.SortedFunc(slices.Values(values), cmp.Compare[float64])
	return Estimate{
		Median:   quantile(sorted, 0.5),
		Quartile: [2]float64{quantile(sorted, 0.25), quantile(sorted, 0.75)},
		Rounds:   len(sorted),
	}
}

// quantile interpolates between the two values nearest to the place of the quantile:
// Hyndman and Fan, "Sample Quantiles in Statistical Packages" (1996), definition 7.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	place := q * float64(len(sorted)-1)
	below, fraction := math.Modf(place)
	i := int(below)
	if i+1 == len(sorted) {
		return sorted[i]
	}
	return sorted[i] + fraction*(sorted[i+1]-sorted[i])
}

// Times returns the estimate in another unit.
func (e Estimate) Times(factor float64) Estimate {
	e.Median *= factor
	e.Quartile[0] *= factor
	e.Quartile[1] *= factor
	return e
}
