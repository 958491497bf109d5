package paired_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"account-api/bench/paired"
)

func TestOf(t *testing.T) {
	for _, row := range []struct {
		name   string
		values []float64
		want   paired.Estimate
	}{
		{"one value is all there is", []float64{3}, paired.Estimate{Median: 3, Quartile: [2]float64{3, 3}, Rounds: 1}},
		{"an odd number has a middle", []float64{9, 1, 5, 3, 7}, paired.Estimate{Median: 5, Quartile: [2]float64{3, 7}, Rounds: 5}},
		{"an even number has a middle between two", []float64{4, 1, 3, 2}, paired.Estimate{Median: 2.5, Quartile: [2]float64{1.75, 3.25}, Rounds: 4}},
		{"an outlier moves neither", []float64{1, 2, 3, 4, 1e9}, paired.Estimate{Median: 3, Quartile: [2]float64{2, 4}, Rounds: 5}},
	} {
		t.Run(row.name, func(t *testing.T) {
			given := slices.Clone(row.values)
			if got := paired.Of(row.values); got != row.want {
				t.Errorf("got %+v, want %+v", got, row.want)
			}
			if !slices.Equal(given, row.values) {
				t.Errorf("the values were reordered to %v", row.values)
			}
		})
	}
	if none := paired.Of(nil); !math.IsNaN(none.Median) || none.Rounds != 0 {
		t.Errorf("no values: got %+v, want no number", none)
	}
}

// A machine that slows down twentyfold in the middle of a run, and takes both sides
// with it, changes the costs and not the ratio.
func TestRatioIsTakenWithinARound(t *testing.T) {
	round, speed := 0, []float64{1, 1, 20, 20, 20, 3, 1}
	cheap := paired.Variant{Name: "cheap", Block: func() (float64, error) { return 10 * speed[round/2], nil }}
	dear := paired.Variant{Name: "dear", Block: func() (float64, error) { return 25 * speed[round/2], nil }}
	counted := func(v paired.Variant) paired.Variant {
		return paired.Variant{Name: v.Name, Block: func() (float64, error) {
			cost, err := v.Block()
			round++
			return cost, err
		}}
	}
	samples, err := paired.Run(len(speed), counted(cheap), counted(dear))
	if err != nil {
		t.Fatal(err)
	}
	want := paired.Estimate{Median: 2.5, Quartile: [2]float64{2.5, 2.5}, Rounds: len(speed)}
	if got := samples.Ratio("dear", "cheap"); got != want {
		t.Errorf("ratio: got %+v, want %+v", got, want)
	}
	if got := samples.Cost("cheap").Median; got != 30 {
		t.Errorf("cost of cheap: got %v, want the median, 30", got)
	}
}

// Each variant runs once a round, and each follows each other one: a fixed predecessor
// would be part of the figure.
func TestNoVariantKeepsItsPredecessor(t *testing.T) {
	const rounds = 60
	var order string
	variant := func(name string) paired.Variant {
		return paired.Variant{Name: name, Block: func() (float64, error) { order += name; return 1, nil }}
	}
	if _, err := paired.Run(rounds, variant("a"), variant("b"), variant("c")); err != nil {
		t.Fatal(err)
	}
	pairs := map[string]int{}
	for i := range rounds {
		round := strings.Split(order[3*i:3*i+3], "")
		slices.Sort(round)
		if got := strings.Join(round, ""); got != "abc" {
			t.Fatalf("round %d: got variants %s, want each once", i, got)
		}
	}
	for i := 1; i < len(order); i++ {
		pairs[order[i-1:i+1]]++
	}
	for _, pair := range []string{"ab", "ac", "ba", "bc", "ca", "cb"} {
		if pairs[pair] < rounds/6 {
			t.Errorf("%s follows one another %d times in %d rounds, want %d or more", pair, pairs[pair], rounds, rounds/6)
		}
	}
}

func TestRunStopsAtAnError(t *testing.T) {
	broken := errors.New("broken")
	_, err := paired.Run(3, paired.Variant{Name: "work", Block: func() (float64, error) { return 0, broken }})
	if !errors.Is(err, broken) {
		t.Errorf("got error %v, want %v", err, broken)
	}
}

// No figure is tested here, only that one comes out and that work was done for it.
func TestCPU(t *testing.T) {
	calls := 0
	cost, err := paired.CPU("work", func() error { calls++; return nil }).Block()
	if err != nil || !(cost > 0) || math.IsInf(cost, 0) || calls == 0 {
		t.Errorf("got cost %v, %v after %d calls; want a positive one", cost, err, calls)
	}
	broken := errors.New("broken")
	if _, err := paired.CPU("work", func() error { return broken }).Block(); !errors.Is(err, broken) {
		t.Errorf("got error %v, want %v", err, broken)
	}
}
