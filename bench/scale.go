package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// scaleCmd compares a big database with a small one.
type scaleCmd struct {
	target   `embed:""`
	Only     string        `enum:"postgres,sqlite,both" default:"both" help:"Which database: postgres, sqlite or both."`
	Small    int           `default:"10000" help:"Tokens in the small database."`
	Postgres int           `default:"10000000" help:"Tokens in the big PostgreSQL database."`
	SQLite   int           `name:"sqlite" default:"2000000" help:"Tokens in the big SQLite database."`
	Owners   int           `default:"100000" help:"Users in a big database; a small one has a hundredth of its tokens."`
	Rounds   int           `default:"3" help:"How many rounds."`
	Work     time.Duration `default:"5s" help:"How long each work is measured in a round."`
	Random   time.Duration `default:"60s" help:"How long random tokens are checked while the memory of the server is watched."`
	Out      string        `placeholder:"FILE" help:"File to write the table to, besides standard output."`
}

// size is a database of a size, and what was measured on it.
type size struct {
	name   string
	url    string
	tokens int
	admin  string

	samples  map[string][]sample
	starts   []float64 // milliseconds
	bytes    float64   // of the database, a token
	resident float64   // most bytes of memory under random access
	far      string    // cursor of the far page
}

// scaled are the works that are compared.
var scaled = []string{"create", "list, page 1", "list, page 10,000", "uncached check"}

// Run implements the command.
func (c *scaleCmd) Run(ctx context.Context) error {
	l, err := newLab(ctx, c.target)
	if err != nil {
		return err
	}
	defer l.end()
	report, err := c.compare(ctx, l)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	fmt.Print(report)
	if c.Out == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(c.Out), 0o755); err != nil {
		return err
	}
	return os.WriteFile(c.Out, fmt.Appendf(nil, "# Scale\n\n%s\n%s", newResults(ctx, "").origin(), report), 0o644)
}

func (c *scaleCmd) compare(ctx context.Context, l *lab) (string, error) {
	report := ""
	if c.Only != "sqlite" {
		cluster, err := l.postgres()
		if err != nil {
			return "", err
		}
		table, err := c.pair(ctx, l, "PostgreSQL", c.Postgres, cluster.CreateDatabase)
		if err != nil {
			return "", err
		}
		report += table
	}
	if c.Only != "postgres" {
		table, err := c.pair(ctx, l, "SQLite", c.SQLite, func(name string) (string, error) {
			return "sqlite:" + l.path(name), nil
		})
		if err != nil {
			return "", err
		}
		report += table
	}
	return report, nil
}

// pair measures a small and a big database in turn.
func (c *scaleCmd) pair(
	ctx context.Context, l *lab, kind string, big int, create func(name string) (string, error),
) (string, error) {
	sizes := []*size{
		{name: "small_" + strings.ToLower(kind), tokens: c.Small, samples: map[string][]sample{}},
		{name: "big_" + strings.ToLower(kind), tokens: big, samples: map[string][]sample{}},
	}
	for _, s := range sizes {
		progress("%s: loading %d tokens", s.name, s.tokens)
		if err := s.fill(ctx, l, create, min(c.Owners, max(1, s.tokens/100))); err != nil {
			return "", err
		}
	}
	if err := c.rounds(ctx, l, sizes); err != nil {
		return "", err
	}
	for _, s := range sizes {
		progress("%s: random access", s.name)
		if err := s.random(ctx, l, c.Random); err != nil {
			return "", err
		}
	}
	return table(kind, sizes[0], sizes[1]), nil
}

func (s *size) fill(ctx context.Context, l *lab, create func(name string) (string, error), users int) (err error) {
	if s.url, err = create(s.name); err != nil {
		return err
	}
	if err := l.fill(ctx, s.url, s.tokens, users); err != nil {
		return err
	}
	if s.admin, err = l.credential(s.url); err != nil {
		return err
	}
	s.bytes, err = databaseSize(ctx, s.url)
	s.bytes /= float64(s.tokens)
	return err
}

// databaseSize is that of the table of tokens with its indexes, or of the whole file.
func databaseSize(ctx context.Context, databaseURL string) (bytes float64, err error) {
	if path, ok := strings.CutPrefix(databaseURL, "sqlite:"); ok {
		db, err := sql.Open("sqlite3", "file:"+path)
		if err != nil {
			return 0, err
		}
		defer db.Close()
		const pages = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
		return bytes, db.QueryRowContext(ctx, pages).Scan(&bytes)
	}
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	err = conn.QueryRow(ctx, "SELECT pg_total_relation_size('tokens')::float8").Scan(&bytes)
	return bytes, err
}

// rounds measures both sizes with servers that keep nothing in memory.
func (c *scaleCmd) rounds(ctx context.Context, l *lab, sizes []*size) error {
	for round := range c.Rounds {
		for _, s := range sizes {
			progress("%s: round %d of %d", s.name, round+1, c.Rounds)
			p, err := l.serve(ctx, s.url, false, cacheless...)
			if err != nil {
				return err
			}
			s.starts = append(s.starts, milliseconds(p.began))
			err = s.measure(ctx, l, p, c.Work)
			p.stop()
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *size) measure(ctx context.Context, l *lab, p *process, d time.Duration) error {
	_, credentials, err := l.introspectors(ctx, p, s.url)
	if err != nil {
		return err
	}
	if s.far == "" {
		if s.far, err = s.walk(ctx, p); err != nil {
			return err
		}
	}
	list := func(cursor string) func(int, int) []byte {
		return same(request("GET", "/service/tokens?limit=10"+cursor, s.admin, "", ""))
	}
	for i, j := range []job{
		{next: same(request("POST", "/tokens", s.admin, asJSON, `{"name":"bench"}`)), marker: `"token":"muninx_`},
		{next: list(""), marker: `"dialect":"muninx"`},
		{next: list("&cursor=" + url.QueryEscape(s.far)), marker: `"dialect":"muninx"`},
		// The last, because the server then stores when each of these tokens was used.
		{next: strangers(credentials, s.tokens), marker: `"active":true`},
	} {
		j.address, j.clients, j.status = p.address, few, http.StatusOK
		w := &work{name: scaled[i], process: p, job: j}
		measured, err := w.measure(ctx, d)
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		s.samples[w.name] = append(s.samples[w.name], measured)
	}
	return nil
}

// walk returns the cursor of page 10,000 of ten tokens each, or of the last but one hundred tokens. It takes steps of a
// hundred.
func (s *size) walk(ctx context.Context, p *process) (cursor string, err error) {
	query := "?limit=100"
	for range max(1, (min(s.tokens, 100_000)-100)/100) {
		page, err := p.call(ctx, "GET", "/service/tokens"+query, s.admin, "")
		if err != nil {
			return "", err
		}
		if cursor, _ = page["next_cursor"].(string); cursor == "" {
			return "", errors.New("the list ends early")
		}
		query = "?limit=100&cursor=" + url.QueryEscape(cursor)
	}
	return cursor, nil
}

// random checks tokens all over the database with the cache as the server has it by default, and reads the most memory
// that this took.
func (s *size) random(ctx context.Context, l *lab, d time.Duration) error {
	p, err := l.serve(ctx, s.url, false)
	if err != nil {
		return err
	}
	defer p.stop()
	_, credentials, err := l.introspectors(ctx, p, s.url)
	if err != nil {
		return err
	}
	w := &work{process: p, job: job{
		address: p.address, clients: crowd, next: strangers(credentials, s.tokens), status: http.StatusOK, marker: `"active":true`,
	}}
	_, err = w.measure(ctx, d)
	s.resident = p.memory("VmHWM")
	return err
}

// table compares the two, in Markdown.
func table(kind string, small, big *size) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s | %d tokens | %d tokens | ratio | at most | reached |\n|---|---|---|---|---|---|\n",
		kind, small.tokens, big.tokens)
	line := func(name string, v, w, most float64) {
		reached := map[bool]string{true: "yes", false: "no"}[w <= most*v]
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", name, figure(v), figure(w), figure(w/v), figure(most), reached)
	}
	for _, name := range scaled {
		a, z := timesOf(small.samples[name]), timesOf(big.samples[name])
		line(name+", p50 in ms", a.P50.Median, z.P50.Median, 1.5)
		line(name+", p99 in ms", a.P99.Median, z.P99.Median, 1.5)
	}
	start := spreadOf(big.starts...).Median
	reached := map[bool]string{true: "yes", false: "no"}[start < 1000]
	fmt.Fprintf(&b, "| start-up in ms | %s | %s | – | 1000 ms | %s |\n", figure(spreadOf(small.starts...).Median), figure(start), reached)
	fmt.Fprintf(&b, "| database bytes a token | %s | %s | | | |\n", figure(small.bytes), figure(big.bytes))
	fmt.Fprintf(&b, "| most memory of the server, MB | %s | %s | | | |\n\n", figure(small.resident/1e6), figure(big.resident/1e6))
	return b.String()
}
