package store

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

const (
	pageSize = 50
	pages    = 1000
)

// filled opens a database with enough tokens of one user for a thousand pages, and with others among them.
func filled(t testing.TB, url string, tokens int) *DB {
	t.Helper()
	d, err := Open(t.Context(), url, Options{AllowUnsafe: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	var rows []tokenRow
	for i := range tokens {
		rows = append(rows, fillerRow(i))
	}
	err = d.writer.WithContext(t.Context()).Transaction(func(tx *gorm.DB) error {
		owners := []any{
			&[]accountRow{{ID: "a0"}, {ID: "a1"}},
			&[]environmentRow{{ID: "e0", AccountID: "a0"}, {ID: "e1", AccountID: "a1"}},
			&[]userRow{{AdminID: "1", Role: "admin"}, {AdminID: "2", Role: "member"}},
		}
		for _, rows := range owners {
			if err := tx.Create(rows).Error; err != nil {
				return err
			}
		}
		return tx.CreateInBatches(rows, 500).Error
	})
	if err != nil {
		t.Fatal(err)
	}
	if d.Shared() { // as its own maintenance does before long; SQLite has none
		Exec(t, d, "ANALYZE")
	}
	return d
}

// fillerRow is a user's token, an account's token or a tombstone by turns.
func fillerRow(i int) tokenRow {
	in := token.Token{Dialect: token.Muninx, ID: fmt.Sprintf("id-%d", i), Scope: token.ScopeUser, State: token.Active,
		UserID: int64(i/8%2 + 1), CreatedAt: time.UnixMilli(0), UpdatedAt: time.UnixMilli(0)}
	binary.BigEndian.PutUint64(in.Hash[:], uint64(i))
	switch i % 4 {
	case 1, 2:
		in.Dialect, in.Scope, in.UserID = token.APIToken, token.ScopeEnvironment, 0
		in.AccountID, in.EnvironmentID = fmt.Sprintf("a%d", i/8%2), fmt.Sprintf("e%d", i/8%2)
	case 3:
		in.DeletedAt = time.UnixMilli(1)
	}
	return tokenToRow(in)
}

// plan asks the database how it would answer the query.
func plan(t *testing.T, d *DB, q token.Query) string {
	t.Helper()
	text, args := page(q, d.dialects)
	return explain(t, d, text, args)
}

func explain(t *testing.T, d *DB, text string, args []any) string {
	t.Helper()
	explain, columns := "EXPLAIN QUERY PLAN ", make([]any, 4)
	if d.Shared() {
		explain, columns = "EXPLAIN ", make([]any, 1)
	}
	pool, err := d.reader.DB()
	if err != nil {
		t.Fatal(err)
	}
	answer, err := pool.QueryContext(t.Context(), explain+text, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Close()
	var lines []string
	for answer.Next() {
		var line string
		for i := range columns {
			columns[i] = new(any)
		}
		columns[len(columns)-1] = &line
		if err := answer.Scan(columns...); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func onBoth(t *testing.T, tokens int, run func(t *testing.T, d *DB)) {
	t.Helper()
	onBothOfSize(t, tokens, tokens, run)
}

// onBothOfSize is onBoth with less on SQLite, whose plans do not depend on how many rows there are as long as nobody runs
// ANALYZE.
func onBothOfSize(t *testing.T, sqlite, tokens int, run func(t *testing.T, d *DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		run(t, filled(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db"), sqlite))
	})
	t.Run("postgres", func(t *testing.T) { run(t, filled(t, pgtest.URL(t), tokens)) })
}

// TestPagesAreRangesOfAnIndex: for each filter, a page in the middle is read from one place of an index on, in order.
func TestPagesAreRangesOfAnIndex(t *testing.T) {
	onBoth(t, 20_000, func(t *testing.T, d *DB) {
		for _, q := range []token.Query{
			{},
			{Dialect: token.Muninx},
			{Dialect: token.Muninx, UserID: 1},
			{Dialect: token.APIToken, AccountID: "a0"},
			{Dialect: token.APIToken, EnvironmentID: "e0"},
			{Dialect: token.APIToken, AccountID: "a0", State: token.Active, Now: time.UnixMilli(5)},
			{Dialect: token.Muninx, UserID: 1, Scope: token.ScopeUser, State: token.Active, Now: time.UnixMilli(5)},
		} {
			for _, q.Ascending = range []bool{false, true} {
				q.After, q.Limit = 10_000, pageSize
				wantRange(t, fmt.Sprintf("%+v", q), plan(t, d, q))
				q.After = 0
				if q.Dialect != nil {
					wantNoSort(t, fmt.Sprintf("%+v", q), plan(t, d, q))
				}
			}
		}
	})
}

// wantRange looks for the range in the words of SQLite, "SEARCH … (… seq>?)", or of PostgreSQL, "Index Scan … Index
// Cond: (… seq > …)".
func wantRange(t *testing.T, what, plan string) {
	t.Helper()
	if !strings.Contains(plan, "CO-ROUTINE first") && !strings.Contains(plan, "Merge Append") {
		wantNoSort(t, what, plan) // beside that of the few rows of each range, where there are several
	}
	sqlite := strings.Contains(plan, "SEARCH t USING") && strings.ContainsAny(plan, "<>")
	postgres := strings.Contains(plan, "Index Scan") && strings.Contains(plan, "Index Cond:") &&
		strings.Contains(plan, "(seq ")
	if !sqlite && !postgres {
		t.Errorf("%s is no range of an index:\n%s", what, plan)
	}
}

func wantNoSort(t *testing.T, what, plan string) {
	t.Helper()
	for _, word := range []string{"TEMP B-TREE", "Sort  (", "Seq Scan", "Bitmap"} {
		if strings.Contains(plan, word) {
			t.Errorf("%s: %s in\n%s", what, word, plan)
		}
	}
}

func BenchmarkPages(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchmarkPages(b, "sqlite:"+filepath.Join(b.TempDir(), "bench.db")) })
	b.Run("postgres", func(b *testing.B) { benchmarkPages(b, pgtest.URL(b)) })
}

// benchmarkPages reads the first and the thousandth page by turns and reports what one costs in terms of the other.
func benchmarkPages(b *testing.B, url string) {
	d := filled(b, url, 4*pageSize*(pages+1)) // every fourth is such a token
	first := token.Query{Dialect: token.Muninx, Limit: pageSize}
	thousandth := first
	for range pages - 1 {
		thousandth.After = lastSeq(b, d, thousandth)
	}
	b.ResetTimer()
	var early, late time.Duration
	for b.Loop() {
		start := time.Now()
		lastSeq(b, d, first)
		middle := time.Now()
		lastSeq(b, d, thousandth)
		early, late = early+middle.Sub(start), late+time.Since(middle)
	}
	b.ReportMetric(float64(early.Microseconds())/float64(b.N), "page1-µs")
	b.ReportMetric(float64(late.Microseconds())/float64(b.N), "page1000-µs")
	b.ReportMetric(float64(late)/float64(early), "page1000/page1")
}

// lastSeq reads a full page and returns its end.
func lastSeq(b *testing.B, d *DB, q token.Query) int64 {
	tokens, err := d.List(b.Context(), q)
	if err != nil || len(tokens) != pageSize {
		b.Fatalf("a page of %d tokens, %v", len(tokens), err)
	}
	return tokens[len(tokens)-1].Seq
}

func BenchmarkFindSecret(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchmarkFindSecret(b, "sqlite:"+filepath.Join(b.TempDir(), "bench.db")) })
	b.Run("postgres", func(b *testing.B) { benchmarkFindSecret(b, pgtest.URL(b)) })
}

func benchmarkFindSecret(b *testing.B, url string) {
	d := filled(b, url, 2000)
	for b.Loop() {
		if _, err := d.FindSecret(b.Context(), token.Hash{}); err != nil {
			b.Fatal(err)
		}
	}
}
