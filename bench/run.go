package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tokenwright/tokenwright/test/pgtest"
)

// runCmd measures in rounds. In each round every work stands next to its yardsticks, so that both meet the same machine.
type runCmd struct {
	target `embed:""`
	Only   string        `placeholder:"REGEXP" help:"Print only these works and rows of the table, with their yardsticks."`
	Rounds int           `default:"3" help:"How many rounds."`
	Work   time.Duration `default:"3s" help:"How long each work is measured in a round."`
	Quick  bool          `help:"Print the ratios of three short rounds, and write no files."`
	Out    string        `default:"bench" placeholder:"DIR" help:"Folder of README.md, history.md and results."`
	Record bool          `help:"Append the ratios to history.md."`
}

// Run implements the command.
func (c *runCmd) Run(ctx context.Context) error {
	if c.Quick {
		c.Rounds, c.Work = 3, 700*time.Millisecond
	}
	only, err := regexp.Compile(c.Only)
	if err != nil {
		return err
	}
	l, err := newLab(ctx, c.target)
	if err != nil {
		return err
	}
	defer l.end()
	r, err := c.measure(ctx, &bench{lab: l, works: map[string]*work{}}, only)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	if c.Record {
		if err := r.record(c.Out); err != nil {
			return err
		}
	}
	if c.Only != "" && !c.Quick {
		fmt.Println(r.markdown())
		return nil
	}
	fmt.Println(r.ratios())
	if c.Quick {
		return nil
	}
	return r.write(c.Out)
}

// chosen are the works that the expression names, itself or by a row, with their yardsticks.
func chosen(only *regexp.Regexp) (names []string) {
	wanted := map[string]bool{}
	for _, r := range rows {
		if only.MatchString(r.name) || only.MatchString(r.ours) {
			wanted[r.ours], wanted[r.yardstick] = true, true
		}
	}
	return slices.DeleteFunc(slices.Clone(order), func(name string) bool { return !wanted[name] && !only.MatchString(name) })
}

func (c *runCmd) measure(ctx context.Context, b *bench, only *regexp.Regexp) (*results, error) {
	d, err := b.databases(ctx)
	if err != nil {
		return nil, err
	}
	if err := b.begin(ctx, d, false); err != nil {
		return nil, err
	}
	r := newResults(ctx, ", "+d.version)
	names := chosen(only)
	for round := range c.Rounds {
		progress("round %d of %d", round+1, c.Rounds)
		if round%2 == 1 {
			slices.Reverse(names) // so that what always comes later has no advantage, or disadvantage
		}
		if err := b.round(ctx, r, names, c.Work); err != nil {
			return nil, err
		}
		if c.Quick {
			continue
		}
		if err := b.loads(ctx, r, names, c.Work/2); err != nil {
			return nil, err
		}
	}
	if !c.Quick {
		err = b.allocations(ctx, r, d, names)
	}
	return r, err
}

// progress tells who waits what is going on.
func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// databases are what the servers run on.
type databases struct {
	postgres, sqlite string // URLs
	pgbench          *pgbench
	version          string // of PostgreSQL
}

// databases makes them and fills them. A server starts on each once before, for its first admin.
func (b *bench) databases(ctx context.Context) (*databases, error) {
	progress("filling the databases")
	cluster, err := b.postgres()
	if err != nil {
		return nil, err
	}
	d := &databases{sqlite: "sqlite:" + b.path("sqlite")}
	if d.postgres, err = cluster.CreateDatabase("tokenwright"); err != nil {
		return nil, err
	}
	for _, url := range []string{d.postgres, d.sqlite} {
		if err := b.fill(ctx, url, loaded, owners); err != nil {
			return nil, err
		}
	}
	if d.version, err = version(ctx, cluster); err != nil {
		return nil, err
	}
	d.pgbench, err = newPgbench(ctx, b.lab, cluster)
	return d, err
}

func version(ctx context.Context, cluster *pgtest.Cluster) (string, error) {
	text, err := output(exec.CommandContext(ctx, cluster.Program("postgres"), "--version"))
	return strings.TrimSpace(text), err
}

// fill loads tokens into a new database.
func (l *lab) fill(ctx context.Context, url string, tokens, users int) error {
	p, err := l.serve(ctx, url, false)
	if err != nil {
		return err
	}
	p.stop()
	return load(ctx, url, tokens, users)
}

// begin starts the servers, instead of those that run, and lists the works that there are.
func (b *bench) begin(ctx context.Context, d *databases, metrics bool) error {
	for _, p := range b.servers {
		p.stop()
	}
	b.servers = nil
	for _, s := range []struct {
		url   string
		flags []string
	}{{d.postgres, nil}, {d.postgres, cacheless}, {d.sqlite, nil}} {
		p, err := b.serve(ctx, s.url, metrics, s.flags...)
		if err != nil {
			return err
		}
		b.servers = append(b.servers, p)
	}
	cached, uncached, onSQLite := b.servers[0], b.servers[1], b.servers[2]
	admin, credentials, err := b.introspectors(ctx, cached, d.postgres)
	if err != nil {
		return err
	}
	b.writes("postgres", cached, admin)
	b.checks(cached, uncached, admin, credentials)
	if admin, _, err = b.introspectors(ctx, onSQLite, d.sqlite); err != nil {
		return err
	}
	b.writes("sqlite", onSQLite, admin)
	bare, err := b.bare(ctx)
	if err != nil {
		return err
	}
	b.servers = append(b.servers, bare)
	b.yardsticks(d, bare)
	return nil
}

func (b *bench) yardsticks(d *databases, bare *process) {
	pgbench := func(name, script string, clients int) {
		b.add(&work{name: name, alone: func(ctx context.Context, t time.Duration) (sample, error) {
			return d.pgbench.measure(ctx, b.path(script), clients, t)
		}})
	}
	pgbench("pgbench/insert/32", "insert.sql", crowd)
	pgbench("pgbench/insert/1", "insert.sql", 1)
	pgbench("pgbench/look-up", "look-up.sql", crowd)
	b.add(&work{name: "sqlite/insert", alone: func(ctx context.Context, t time.Duration) (sample, error) {
		return syncedInserts(ctx, b.path("yardstick.sqlite"), t)
	}})
	get := request("GET", "/", secret(1), "", "")
	b.asked("bare/get", bare, crowd, get, "")
	b.asked("bare/get/few", bare, few, get, "")
	b.asked("bare/post", bare, crowd, request("POST", "/", secret(1), asJSON, `{"name":"bench"}`), "")
	b.asked("bare/form/few", bare, few, request("POST", "/form", secret(1), asForm, "token="+secret(1)), "")
}

// round measures each work once.
func (b *bench) round(ctx context.Context, r *results, names []string, d time.Duration) error {
	for _, name := range names {
		s, err := b.works[name].measure(ctx, d)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		progress("  %-26s %8s/s  %6s µs", name, figure(s.Rate), figure(s.CPU))
		r.samples[name] = append(r.samples[name], s)
	}
	return nil
}

// shares of what a work can do at most are the constant rates at which its latency is measured.
var shares = []float64{0.1, 0.25, 0.5, 0.7, 0.8, 0.9}

// loads measures latency at constant rates, which are the same in every round.
func (b *bench) loads(ctx context.Context, r *results, names []string, d time.Duration) error {
	for _, name := range order {
		if w := b.works[name]; slices.Contains(names, name) && w.paced {
			if err := w.loads(ctx, r, d); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

func (w *work) loads(ctx context.Context, r *results, d time.Duration) error {
	most := r.samples[w.name][0].Rate
	progress("  %-26s at constant rates up to %s/s", w.name, figure(shares[len(shares)-1]*most))
	for _, share := range shares {
		rate := math.Max(1, math.Floor(share*most))
		s, err := w.atRate(ctx, rate, d)
		if err != nil {
			return err
		}
		r.paced[w.name] = addAt(r.paced[w.name], rate, s)
	}
	return nil
}

// addAt adds a sample to those at its rate.
func addAt(points []*point, rate float64, s sample) []*point {
	i := slices.IndexFunc(points, func(p *point) bool { return p.Wanted == rate })
	if i < 0 {
		i, points = len(points), append(points, &point{Wanted: rate})
	}
	points[i].samples = append(points[i].samples, s)
	return points
}

// allocations are counted on servers of their own, because metrics cost time.
func (b *bench) allocations(ctx context.Context, r *results, d *databases, names []string) error {
	progress("counting allocations")
	if err := b.begin(ctx, d, true); err != nil {
		return err
	}
	for _, name := range names {
		w := b.works[name]
		if w.process == nil {
			continue
		}
		s, err := w.measure(ctx, time.Second)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		r.allocations[name] = s.Allocs
	}
	return nil
}
