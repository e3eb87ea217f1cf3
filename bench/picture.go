package main

import (
	"cmp"
	"fmt"
	"math"
	"strings"
)

// The measures of the picture, in pixels.
const (
	panelWidth, panelHeight = 360, 240
	left, right, top, foot  = 60, 14, 30, 40 // around the axes of a panel
	columns                 = 2
)

// series are the lines of a panel.
var series = []struct {
	label, color string
	get          func(times) spread
}{
	{"p50", "#1b7837", func(t times) spread { return t.P50 }},
	{"p99", "#2166ac", func(t times) spread { return t.P99 }},
	{"p99.9", "#b2182b", func(t times) spread { return t.P999 }},
}

// picture is latency against load in SVG, one panel for each work.
func picture(curves []*curve) string {
	var b strings.Builder
	width, height := columns*panelWidth, (len(curves)+columns-1)/columns*panelHeight
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%[1]d" height="%[2]d" `+
		`font-family="sans-serif" font-size="11" fill="#222">`+"\n"+`<rect width="100%%" height="100%%" fill="#fff"/>`+"\n",
		width, max(height, 1))
	for i, c := range curves {
		fmt.Fprintf(&b, `<g transform="translate(%d %d)">`+"\n", i%columns*panelWidth, i/columns*panelHeight)
		c.draw(&b)
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// panel says where a value of a curve is in its panel. The rates begin at 0; the times are on a logarithmic scale.
type panel struct{ most, low, high float64 }

func (c *curve) panel() panel {
	p := panel{low: math.Inf(1), high: math.Inf(-1)}
	for _, point := range c.Points {
		p.most = math.Max(p.most, point.Wanted)
		for _, s := range series {
			if v := s.get(point.times).Median; v > 0 {
				p.low, p.high = math.Min(p.low, v), math.Max(p.high, v)
			}
		}
	}
	if p.most == 0 || p.high <= 0 {
		return panel{1, 0, 1}
	}
	p.most *= 1.05
	p.low, p.high = math.Floor(math.Log10(p.low)), math.Ceil(math.Log10(p.high)+1e-9)
	p.high = math.Max(p.high, p.low+1)
	return p
}

func (p panel) x(rate float64) float64 { return left + rate/p.most*(panelWidth-left-right) }

func (p panel) y(ms float64) float64 {
	return panelHeight - foot - (math.Log10(ms)-p.low)/(p.high-p.low)*(panelHeight-top-foot)
}

func (c *curve) draw(b *strings.Builder) {
	p := c.panel()
	fmt.Fprintf(b, `<text x="%d" y="18" font-weight="bold">%s</text>`+"\n", left, c.Name)
	for e := p.low; e <= p.high; e++ {
		ms := math.Pow(10, e)
		fmt.Fprintf(b, `<path d="M%d %.1fH%d" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%g ms</text>`+"\n",
			left, p.y(ms), panelWidth-right, left-4, p.y(ms)+4, ms)
	}
	for rate := 0.0; rate <= p.most; rate += step(p.most) {
		fmt.Fprintf(b, `<path d="M%.1f %dV%d" stroke="#eee"/><text x="%.1f" y="%d" text-anchor="middle">%.0f</text>`+"\n",
			p.x(rate), top, panelHeight-foot, p.x(rate), panelHeight-foot+14, rate)
	}
	fmt.Fprintf(b, `<path d="M%d %dV%dH%d" fill="none" stroke="#222"/>`+
		`<text x="%d" y="%d" text-anchor="end">requests a second</text>`+"\n",
		left, top, panelHeight-foot, panelWidth-right, panelWidth-right, panelHeight-10)
	for i, s := range series {
		fmt.Fprintf(b, `<text x="%d" y="%d" fill="%s">%s</text>`+"\n", left+i*45, panelHeight-10, s.color, s.label)
		p.line(b, c.Points, s.color, s.get)
	}
}

func (p panel) line(b *strings.Builder, points []*point, color string, get func(times) spread) {
	var at []string
	for _, point := range points {
		if v := get(point.times).Median; v > 0 {
			at = append(at, fmt.Sprintf("%.1f,%.1f", p.x(point.Wanted), p.y(v)))
			fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="2.5" fill="%s"/>`, p.x(point.Wanted), p.y(v), color)
		}
	}
	fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="1.5"/>`+"\n", strings.Join(at, " "), color)
}

// step is 1, 2 or 5 times a power of ten, so that an axis has three to six marks.
func step(most float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(most)))
	for _, s := range []float64{0.2, 0.5, 1} {
		if most/(unit*s) <= 6 {
			return unit * s
		}
	}
	return cmp.Or(unit, 1)
}
