package report

import (
	"fmt"
	"html"
	"io"
	"math"
	"strings"
)

// Panel is one part of a plot: rows on one logarithmic axis.
type Panel struct {
	Title string // what is compared, and in which unit
	Dots  []Dot
}

// Dot is a row's place on the axis.
type Dot struct {
	Name string
	Row  Row
	Ours bool
}

// Measures of the plot, in pixels.
const (
	plotWidth   = 800
	labelWidth  = 350
	valueWidth  = 70
	lineHeight  = 22
	titleHeight = 44
	margin      = 16
)

// Both colour schemes, so that the plot is legible wherever it is shown.
const plotStyle = `<style>
text{font:13px system-ui,sans-serif;fill:#24292f}
.title{font-weight:600}
.faint{fill:#57606a}
.grid{stroke:#d0d7de}
.spread{stroke-width:5;stroke-linecap:round;opacity:.35}
.ours{fill:#0969da;stroke:#0969da}
.peer{fill:#6e7781;stroke:#6e7781}
.bar{stroke:#bc4c00;stroke-width:2;stroke-dasharray:3 3}
@media (prefers-color-scheme:dark){
text{fill:#e6edf3}.faint{fill:#9198a1}.grid{stroke:#30363d}
.ours{fill:#4493f8;stroke:#4493f8}.peer{fill:#9198a1;stroke:#9198a1}.bar{stroke:#f0883e}
}
</style>
`

// WritePlot draws the panels below one another as SVG. The axes are logarithmic: what
// is compared are ratios, and a tenfold one must not push the others into a corner. A
// dashed line is the bar that holds for the row of ours.
func WritePlot(w io.Writer, panels ...Panel) error {
	height := margin
	for _, p := range panels {
		height += titleHeight + lineHeight*len(p.Dots) + margin
	}
	var svg strings.Builder
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">`+"\n", plotWidth, height, plotWidth, height)
	svg.WriteString(plotStyle)
	y := margin
	for _, p := range panels {
		p.draw(&svg, y)
		y += titleHeight + lineHeight*len(p.Dots) + margin
	}
	svg.WriteString("</svg>\n")
	_, err := io.WriteString(w, svg.String())
	return err
}

func (p Panel) draw(svg *strings.Builder, top int) {
	low, high := p.limits()
	x := func(value float64) float64 {
		along := (math.Log(value) - math.Log(low)) / (math.Log(high) - math.Log(low))
		return labelWidth + along*(plotWidth-labelWidth-valueWidth)
	}
	fmt.Fprintf(svg, `<text class="title" x="%d" y="%d">%s</text>`+"\n", margin, top+14, html.EscapeString(p.Title))
	bottom := top + titleHeight + lineHeight*len(p.Dots)
	for _, tick := range ticks(low, high) {
		fmt.Fprintf(svg, `<line class="grid" x1="%.1[1]f" x2="%.1[1]f" y1="%[2]d" y2="%[3]d"/><text class="faint" x="%.1[1]f" y="%[4]d" text-anchor="middle">%[5]s</text>`+"\n",
			x(tick), top+titleHeight-8, bottom, top+titleHeight-14, number(tick))
	}
	for i, dot := range p.Dots {
		y := top + titleHeight + lineHeight*i + lineHeight/2
		class := "peer"
		if dot.Ours {
			class = "ours"
		}
		fmt.Fprintf(svg, `<text x="%d" y="%d" text-anchor="end">%s</text>`, labelWidth-12, y+4, html.EscapeString(dot.Name))
		if dot.Row.Bar > 0 && dot.Row.Bar >= low && dot.Row.Bar <= high {
			fmt.Fprintf(svg, `<line class="bar" x1="%.1[1]f" x2="%.1[1]f" y1="%[2]d" y2="%[3]d"/>`, x(dot.Row.Bar), y-lineHeight/2, y+lineHeight/2)
		}
		fmt.Fprintf(svg, `<line class="spread %[1]s" x1="%.1[2]f" x2="%.1[3]f" y1="%[4]d" y2="%[4]d"/>`, class, x(dot.Row.Quartile[0]), x(dot.Row.Quartile[1]), y)
		fmt.Fprintf(svg, `<circle class="%s" cx="%.1f" cy="%d" r="4"/>`, class, x(dot.Row.Median), y)
		fmt.Fprintf(svg, `<text class="faint" x="%d" y="%d" text-anchor="end">%s</text>`+"\n", plotWidth-margin, y+4, number(dot.Row.Median))
	}
}

// limits are the ends of the axis, with some room at either side.
func (p Panel) limits() (low, high float64) {
	low, high = math.Inf(1), 0
	for _, dot := range p.Dots {
		low, high = min(low, dot.Row.Quartile[0]), max(high, dot.Row.Quartile[1], dot.Row.Bar)
	}
	return low / 1.15, high * 1.15
}

// ticks are the powers of ten and their doubles and fivefolds between two values.
func ticks(low, high float64) []float64 {
	var found []float64
	for decade := math.Pow(10, math.Floor(math.Log10(low))); decade <= high; decade *= 10 {
		for _, digit := range []float64{1, 2, 5} {
			if tick := digit * decade; tick >= low && tick <= high {
				found = append(found, tick)
			}
		}
	}
	return found
}
