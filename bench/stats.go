package main

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// sample is what one measurement of a work says. What is zero was not measured.
type sample struct {
	Rate   float64 // answers a second
	CPU    float64 // of the server process, microseconds an answer
	Allocs float64 // of the server process, objects an answer
	Mean   float64 // milliseconds until the answer, and percentiles of it
	P50    float64
	P90    float64
	P99    float64
	P999   float64
}

// summarize makes a sample of the times that the answers took, which it sorts.
func summarize(took []time.Duration, elapsed time.Duration) sample {
	slices.Sort(took)
	var sum time.Duration
	for _, t := range took {
		sum += t
	}
	return sample{
		Rate: float64(len(took)) / elapsed.Seconds(), Mean: milliseconds(sum) / math.Max(1, float64(len(took))),
		P50: percentile(took, 50), P90: percentile(took, 90), P99: percentile(took, 99), P999: percentile(took, 99.9),
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// percentile is the least of the sorted times that p percent of them do not exceed, in milliseconds.
func percentile(sorted []time.Duration, p float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(p*float64(len(sorted))/100 - 1e-6)) // no rounding upwards of what is whole
	return milliseconds(sorted[max(rank, 1)-1])
}

// spread is the middle and the ends of what the rounds measured.
type spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// spreadOf leaves out what was not measured.
func spreadOf(values ...float64) spread {
	values = slices.DeleteFunc(values, func(v float64) bool { return v == 0 || math.IsNaN(v) || math.IsInf(v, 0) })
	if len(values) == 0 {
		return spread{}
	}
	slices.Sort(values)
	n := len(values)
	return spread{Median: (values[(n-1)/2] + values[n/2]) / 2, Min: values[0], Max: values[n-1]}
}

// MarshalJSON leaves out digits that mean nothing.
func (s spread) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `{"median":%.4g,"min":%.4g,"max":%.4g}`, s.Median, s.Min, s.Max), nil
}

func (s spread) String() string {
	if s == (spread{}) {
		return "–"
	}
	if s.Min == s.Max {
		return figure(s.Median)
	}
	return fmt.Sprintf("%s (%s–%s)", figure(s.Median), figure(s.Min), figure(s.Max))
}

// figure writes three digits that count.
func figure(v float64) string {
	switch {
	case v == 0:
		return "–"
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}
