package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

// results is what a run has measured.
type results struct {
	Date    string   `json:"date"`
	Commit  string   `json:"commit"`
	Machine string   `json:"machine"`
	Rows    []result `json:"rows"`
	Works   []*tally `json:"works"`
	Latency []*curve `json:"latency"`

	samples     map[string][]sample // of each work, one for each round
	paced       map[string][]*point
	allocations map[string]float64
}

// result is a line of the table.
type result struct {
	Name      string  `json:"name"`
	Ours      spread  `json:"ours"`
	Yardstick spread  `json:"yardstick"`
	Ratio     spread  `json:"ratio"`
	Target    float64 `json:"target"`
	AtMost    bool    `json:"at_most,omitempty"` // the target is the most that there may be
	Reached   bool    `json:"reached"`

	row row
}

// tally is what the rounds say of a work.
type tally struct {
	Name   string  `json:"name"`
	Rate   spread  `json:"answers_per_second"`
	CPU    spread  `json:"cpu_us_per_answer"`
	Allocs float64 `json:"allocations_per_answer"`
	times
}

// times are how long answers took, in milliseconds.
type times struct {
	Mean spread `json:"mean_ms"`
	P50  spread `json:"p50_ms"`
	P90  spread `json:"p90_ms"`
	P99  spread `json:"p99_ms"`
	P999 spread `json:"p99.9_ms"`
}

// curve is the latency of a work at several rates.
type curve struct {
	Name   string   `json:"name"`
	Points []*point `json:"points"`
}

// point is the latency at one rate.
type point struct {
	Wanted   float64 `json:"wanted_per_second"`
	Answered spread  `json:"answered_per_second"`
	times

	samples []sample
}

func newResults(ctx context.Context, postgres string) *results {
	return &results{
		Date: time.Now().UTC().Format(time.DateOnly), Commit: commit(ctx),
		Machine: fmt.Sprintf("%s/%s, %d processors, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version()) +
			postgres,
		samples: map[string][]sample{}, paced: map[string][]*point{}, allocations: map[string]float64{},
	}
}

// commit is that of the sources, with a sign if they are not what was committed.
func commit(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty", "--exclude=*").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

// each takes one figure out of each sample.
func each(samples []sample, get func(sample) float64) spread {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = get(s)
	}
	return spreadOf(values...)
}

func timesOf(samples []sample) times {
	return times{
		each(samples, func(s sample) float64 { return s.Mean }), each(samples, func(s sample) float64 { return s.P50 }),
		each(samples, func(s sample) float64 { return s.P90 }), each(samples, func(s sample) float64 { return s.P99 }),
		each(samples, func(s sample) float64 { return s.P999 }),
	}
}

func rateOf(s sample) float64      { return s.Rate }
func cpuOfSample(s sample) float64 { return s.CPU }

// finish computes what is written from what was measured.
func (r *results) finish() *results {
	r.Rows, r.Works, r.Latency = nil, nil, nil
	for _, row := range rows {
		ours, yardstick := r.samples[row.ours], r.samples[row.yardstick]
		if len(ours) > 0 && len(yardstick) > 0 {
			r.Rows = append(r.Rows, row.result(ours, yardstick))
		}
	}
	for _, name := range order {
		if samples := r.samples[name]; len(samples) > 0 {
			r.Works = append(r.Works, &tally{
				name, each(samples, rateOf), each(samples, cpuOfSample), r.allocations[name], timesOf(samples),
			})
		}
		if points := r.paced[name]; len(points) > 0 {
			for _, p := range points {
				p.Answered, p.times = each(p.samples, rateOf), timesOf(p.samples)
			}
			r.Latency = append(r.Latency, &curve{name, points})
		}
	}
	return r
}

// result compares round by round, because the machine is not the same in all of them.
func (r row) result(ours, yardstick []sample) result {
	ratios := make([]float64, len(ours))
	for i := range ours {
		ratios[i] = r.ratio(ours[i], yardstick[i])
	}
	figure := rateOf
	if r.kind == cpuShare || r.kind == cpuMultiple {
		figure = cpuOfSample
	}
	ratio := spreadOf(ratios...)
	return result{
		Name: r.name, Ours: each(ours, figure), Yardstick: each(yardstick, figure), Ratio: ratio, Target: r.target,
		AtMost: r.kind == cpuMultiple, Reached: ratio.Median > 0 && r.reached(ratio.Median), row: r,
	}
}

// ratios is the table of ratios, in Markdown.
func (r *results) ratios() string {
	var b strings.Builder
	b.WriteString("| work | ours | yardstick | | ratio | must reach | reached |\n|---|---|---|---|---|---|---|\n")
	for _, x := range r.finish().Rows {
		times, than := "", "≥"
		if x.AtMost {
			times, than = " ×", "≤"
		}
		reached := map[bool]string{true: "yes", false: "no"}[x.Reached]
		if x.Ratio == (spread{}) {
			reached = "not measured"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | **%s**%s | %s %s%s | %s |\n", x.Name, x.row.figure(x.Ours), x.row.yardstick,
			x.row.figure(x.Yardstick), x.Ratio, times, than, figure(x.Target), times, reached)
	}
	return b.String()
}

// origin says what was measured, when and where.
func (r *results) origin() string {
	return fmt.Sprintf("Commit %s on %s: %s.\n", r.Commit, r.Date, r.Machine)
}

// markdown is everything, for people.
func (r *results) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Results\n\n%s\nMedians of the rounds, with the least and the most.\n\n", r.origin())
	b.WriteString(r.ratios())
	b.WriteString("\n## Each work, with all its clients busy\n\nMilliseconds and percentiles of them; CPU and allocations of " +
		"the server process.\n\n| work | a second | µs CPU | allocations | p50 | p90 | p99 | p99.9 |\n" +
		"|---|---|---|---|---|---|---|---|\n")
	for _, w := range r.Works {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", w.Name, w.Rate, w.CPU, figure(w.Allocs),
			figure(w.P50.Median), figure(w.P90.Median), figure(w.P99.Median), figure(w.P999.Median))
	}
	if len(r.Latency) > 0 {
		b.WriteString("\n## Latency at constant rates\n\n![Latency against load](latency.svg)\n\n" +
			"| work | asked a second | answered | p50 | p90 | p99 | p99.9 |\n|---|---|---|---|---|---|---|\n")
	}
	for _, c := range r.Latency {
		for _, p := range c.Points {
			fmt.Fprintf(&b, "| %s | %.0f | %s | %s | %s | %s | %s |\n", c.Name, p.Wanted, figure(p.Answered.Median),
				figure(p.P50.Median), figure(p.P90.Median), figure(p.P99.Median), figure(p.P999.Median))
		}
	}
	return b.String()
}

// write writes the files of the results, and the table into the README.
func (r *results) write(dir string) error {
	text, err := json.MarshalIndent(r.finish(), "", "  ")
	if err != nil {
		return err
	}
	folder := filepath.Join(dir, "results")
	files := map[string][]byte{
		"latest.json": append(text, '\n'), "latest.md": []byte(r.markdown()), "latency.svg": []byte(picture(r.Latency)),
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
			return err
		}
	}
	return r.intoReadme(filepath.Join(dir, "README.md"))
}

var marked = regexp.MustCompile(`(?s)(<!-- results -->\n).*(<!-- end of results -->)`)

func (r *results) intoReadme(path string) error {
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil // another folder than that of the repository
	}
	if err != nil {
		return err
	}
	table := r.origin() + "\n" + r.ratios()
	parts := marked.FindSubmatch(text)
	if parts == nil {
		return fmt.Errorf("%s has no place for the results", path)
	}
	return os.WriteFile(path, marked.ReplaceAllLiteral(text, slices.Concat(parts[1], []byte(table), parts[2])), 0o644)
}

// record appends a line to the history.
func (r *results) record(dir string) error {
	path := filepath.Join(dir, "history.md")
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	fmt.Fprintf(file, "| %s | %s |", r.Date, r.Commit)
	known := map[string]result{}
	for _, x := range r.finish().Rows {
		known[x.Name] = x
	}
	for _, row := range rows {
		fmt.Fprintf(file, " %s |", figure(known[row.name].Ratio.Median))
	}
	fmt.Fprintln(file)
	return cmp.Or(err, file.Close())
}
