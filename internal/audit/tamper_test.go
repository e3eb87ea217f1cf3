package audit_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/tokenwright/tokenwright/internal/audit"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/store"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// trail is a log with a few steps, and a way into its database that no server has.
type trail struct {
	*testing.T
	log  *audit.Log
	db   *store.DB
	raw  *sql.DB
	made int
}

const steps, eventsOfStep = 4, 3

func newTrail(t *testing.T, url string) *trail {
	t.Helper()
	db, err := store.Open(t.Context(), url, store.Options{AllowUnsafe: true})
	if err != nil {
		t.Fatal(err)
	}
	driver, name := "pgx", url
	if path, embedded := store.SQLitePath(url); embedded {
		driver, name = "sqlite3", "file:"+path+"?_pragma=busy_timeout(5000)"
	}
	raw, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = raw.Close(), db.Close() })
	key, err := audit.Ephemeral("https://tokens.example")
	if err != nil {
		t.Fatal(err)
	}
	r := &trail{T: t, db: db, raw: raw, log: &audit.Log{Store: db, Key: key}}
	for range steps {
		r.grow(eventsOfStep)
	}
	return r
}

// grow adds a step.
func (r *trail) grow(events int) {
	r.Helper()
	origin := token.Origin{Address: "192.0.2.1", Agent: "naïve \"agent\" \\", Request: "r"}
	ctx := context.WithValue(r.Context(), token.OriginKey{}, origin)
	for range events {
		r.made++
		a := token.Account{ID: fmt.Sprintf("a%d", r.made), Name: fmt.Sprintf("n%d", r.made)}
		p := token.Permit{By: token.By{Actor: "user:1", Credential: "token:muninx/é"}}
		if err := r.db.CreateAccount(ctx, p, a); err != nil {
			r.Fatal(err)
		}
	}
	if err := r.log.Gather(r.Context()); err != nil {
		r.Fatal(err)
	}
}

func (r *trail) exec(statement string, args ...any) {
	r.Helper()
	if _, err := r.raw.ExecContext(r.Context(), statement, args...); err != nil {
		r.Fatalf("%s %q: %v", statement, args, err)
	}
}

// changes makes some, each with an event.
func (r *trail) changes(worker, n int) error {
	for i := range n {
		a := token.Account{ID: fmt.Sprintf("w%d-%d", worker, i)}
		if err := r.db.CreateAccount(r.Context(), token.Permit{}, a); err != nil {
			return err
		}
	}
	return nil
}

// verify returns the findings.
func (r *trail) verify(outside string) audit.Report {
	r.Helper()
	report, err := audit.Verify(r.Context(), r.db, []string{r.log.Key.Public()}, outside)
	if err != nil {
		r.Fatal(err)
	}
	return report
}

func (r *trail) clean(size int64) string {
	r.Helper()
	report := r.verify("")
	if len(report.Findings) != 0 || report.Size != size || report.Uncovered != 0 {
		r.Fatalf("the report is %+v", report)
	}
	return report.Checkpoint
}

// row is a row of any table, by its columns.
type row map[string]any

func (r *trail) rows(table, key string) (all []row) {
	r.Helper()
	rows, err := r.raw.QueryContext(r.Context(), fmt.Sprintf("SELECT * FROM %s ORDER BY %s", table, key))
	if err != nil {
		r.Fatal(err)
	}
	defer rows.Close()
	names, _ := rows.Columns()
	for rows.Next() {
		values, pointers := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			pointers[i] = &values[i]
		}
		if err := rows.Scan(pointers...); err != nil {
			r.Fatal(err)
		}
		one := row{}
		for i, name := range names {
			one[name] = values[i]
		}
		all = append(all, one)
	}
	return all
}

// insert puts a row back that was removed.
func (r *trail) insert(table string, one row) {
	r.Helper()
	var names, places []string
	var args []any
	for name, value := range one {
		names = append(names, name)
		args = append(args, value)
		places = append(places, fmt.Sprintf("$%d", len(args)))
	}
	overriding := ""
	if r.db.Shared() {
		overriding = "OVERRIDING SYSTEM VALUE"
	}
	r.exec(fmt.Sprintf("INSERT INTO %s (%s) %s VALUES (%s)", table, strings.Join(names, ", "), overriding,
		strings.Join(places, ", ")), args...)
}

// alterations are the values with one byte changed. Of text and bytes every byte is; PostgreSQL takes no text that is not
// UTF-8.
func (r *trail) alterations(value any) (all []any) {
	switch v := value.(type) {
	case int64:
		for bit := range 16 {
			all = append(all, v^1<<bit)
		}
	case []byte:
		for i := range v {
			other := slices.Clone(v)
			other[i] ^= 1
			all = append(all, other)
		}
	case string:
		for i := range v {
			other := []byte(v)
			other[i] ^= 1
			if r.db.Shared() && (v[i] >= 0x80 || other[i] >= 0x80) {
				continue
			}
			all = append(all, string(other))
		}
		all = append(all, v+"x")
	}
	return all
}

func onEach(t *testing.T, run func(t *testing.T, url string)) {
	t.Run("sqlite", func(t *testing.T) { run(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db")) })
	t.Run("postgres", func(t *testing.T) { run(t, pgtest.URL(t)) })
}

// numberOf sets the identity of a row.
func (r *trail) set(table, key string, number any, column string, value any) {
	r.Helper()
	if r.db.Shared() && table == "audit_events" && column == key { // an identity can only be inserted
		all := r.rows(table, key)
		one := all[slices.IndexFunc(all, func(o row) bool { return o[key] == number })]
		r.exec(fmt.Sprintf("DELETE FROM %s WHERE %s = $1", table, key), number)
		one[key] = value
		r.insert(table, one)
		return
	}
	r.exec(fmt.Sprintf("UPDATE %s SET %s = $1 WHERE %s = $2", table, column, key), value, number)
}

// TestEveryByteOfAnEvent: whatever is altered of an event, the event is named.
func TestEveryByteOfAnEvent(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		r := newTrail(t, url)
		r.clean(steps * eventsOfStep)
		for i, one := range r.rows("audit_events", "id") {
			if i%5 != 0 || r.db.Shared() && i != 5 {
				continue // the others are like these
			}
			id := one["id"].(int64)
			for column, value := range one {
				for _, other := range r.alterations(value) {
					if n, isID := other.(int64); isID && column == "id" && n >= 0 && n <= steps*eventsOfStep {
						continue // another event's
					}
					r.set("audit_events", "id", id, column, other)
					findings := r.verify("").Findings
					if len(findings) == 0 || findings[0].Event != id || findings[0].Position != int64(i) {
						t.Errorf("%s of event %d altered from %q to %q: %v", column, id, value, other, findings)
					}
					now := id
					if column == "id" {
						now = other.(int64)
					}
					r.set("audit_events", "id", now, column, value)
				}
			}
		}
		r.clean(steps * eventsOfStep)
	})
}

// TestEveryByteOfTheLog: whatever is altered of a step, a position in it is named.
func TestEveryByteOfTheLog(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		r := newTrail(t, url)
		for i, one := range r.rows("audit_log", "first") {
			if i == 2 || r.db.Shared() && i != 1 {
				continue // the others are like these
			}
			first := one["first"].(int64)
			for column, value := range one {
				for _, other := range r.alterations(value) {
					if n, ok := other.(int64); ok && (column == "first" || column == "size" || column == "hash") && n < 100 {
						continue // another step's, which the database refuses
					}
					r.set("audit_log", "first", first, column, other)
					findings := r.verify("").Findings
					if len(findings) == 0 || findings[0].Position < first || findings[0].Position >= first+eventsOfStep {
						t.Errorf("%s of the step at %d altered from %q to %q: %v", column, first, value, other, findings)
					}
					now := first
					if column == "first" {
						now = other.(int64)
					}
					r.set("audit_log", "first", now, column, value)
				}
			}
		}
		r.clean(steps * eventsOfStep)
	})
}

// TestRemovedEvents are named, and so are events that were added.
func TestRemovedEvents(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		r := newTrail(t, url)
		for i, one := range r.rows("audit_events", "id") {
			id := one["id"].(int64)
			r.exec("DELETE FROM audit_events WHERE id = $1", id)
			findings := r.verify("").Findings
			if len(findings) != 1 || findings[0] != (audit.Finding{Position: int64(i), Event: id, Problem: "was removed"}) {
				t.Errorf("event %d was removed: %v", id, findings)
			}
			r.insert("audit_events", one)
		}
		r.clean(steps * eventsOfStep)
		added := r.rows("audit_events", "id")[0]
		added["id"] = int64(-5)
		r.insert("audit_events", added)
		findings := r.verify("").Findings
		if len(findings) != 1 || findings[0].Event != -5 {
			t.Errorf("an event was added: %v", findings)
		}
	})
}

// TestMovedEvents are named, with where they have come from.
func TestMovedEvents(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		r := newTrail(t, url)
		all := r.rows("audit_events", "id")
		for _, pair := range [][2]int{{0, 1}, {3, 5}} {
			a, b := all[pair[0]], all[pair[1]]
			for column := range a {
				if column != "id" {
					r.set("audit_events", "id", a["id"], column, b[column])
					r.set("audit_events", "id", b["id"], column, a[column])
				}
			}
		}
		findings := r.verify("").Findings
		if len(findings) != 4 || findings[0].Event != all[0]["id"] || findings[2].Event != all[3]["id"] {
			t.Fatalf("events were swapped: %v", findings)
		}
		want := fmt.Sprintf("was moved: here is what was event %d, at position 5", all[5]["id"])
		if findings[2].Problem != want {
			t.Errorf("the finding is %q, want %q", findings[2].Problem, want)
		}
	})
}

// TestStepsOfTheLog that are removed or exchanged.
func TestStepsOfTheLog(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		r := newTrail(t, url)
		all := r.rows("audit_log", "first")
		for i, one := range all[:steps-1] {
			r.exec("DELETE FROM audit_log WHERE first = $1", one["first"])
			findings := r.verify("").Findings
			if len(findings) == 0 || findings[0].Position != int64(i*eventsOfStep) {
				t.Errorf("step %d was removed: %v", i, findings)
			}
			r.insert("audit_log", one)
		}
		r.clean(steps * eventsOfStep)
		for _, column := range []string{"events", "hashes", "checkpoint"} {
			r.set("audit_log", "first", all[1]["first"], column, all[2][column])
			r.set("audit_log", "first", all[2]["first"], column, all[1][column])
			findings := r.verify("").Findings
			if len(findings) == 0 || findings[0].Position < eventsOfStep || findings[0].Position >= 2*eventsOfStep {
				t.Errorf("%s of two steps were exchanged: %v", column, findings)
			}
			r.set("audit_log", "first", all[1]["first"], column, all[1][column])
			r.set("audit_log", "first", all[2]["first"], column, all[2][column])
		}
		r.clean(steps * eventsOfStep)
	})
}

// TestCutOff: that the end of the log was cut off is known only to who has a checkpoint from outside.
func TestCutOff(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		r := newTrail(t, url)
		outside := r.clean(steps * eventsOfStep)
		if report := r.verify(outside); len(report.Findings) != 0 {
			t.Errorf("nothing was changed: %v", report.Findings)
		}
		last := r.rows("audit_log", "first")[steps-1]
		r.exec("DELETE FROM audit_log WHERE first = $1", last["first"])
		r.exec("DELETE FROM audit_events WHERE id > $1", int64((steps-1)*eventsOfStep))
		r.clean((steps - 1) * eventsOfStep)
		findings := r.verify(outside).Findings
		if len(findings) != 1 || findings[0].Position != (steps-1)*eventsOfStep || !strings.Contains(findings[0].Problem, "cut off") {
			t.Errorf("the end was cut off: %v", findings)
		}
		r.grow(eventsOfStep) // other events in their place
		r.clean(steps * eventsOfStep)
		findings = r.verify(outside).Findings
		if len(findings) != 1 || !strings.Contains(findings[0].Problem, "not those of the checkpoint from outside") {
			t.Errorf("the end was replaced: %v", findings)
		}
	})
}

// TestWholeLogRewritten by somebody without the key: the checkpoints give it away.
func TestWholeLogRewritten(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		r := newTrail(t, url)
		r.exec("UPDATE audit_events SET actor = 'user:2' WHERE id = 5")
		checkpoints := r.rows("audit_log", "first")
		rewrite := func(key *audit.Key) {
			r.exec("DELETE FROM audit_log")
			if r.db.Shared() {
				r.exec("INSERT INTO audit_pending SELECT id, ARRAY[id] FROM audit_events")
			}
			forger := &audit.Log{Store: r.db, Key: key}
			if err := forger.Gather(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		other, err := audit.Ephemeral("https://tokens.example")
		if err != nil {
			t.Fatal(err)
		}
		rewrite(other)
		findings := r.verify("").Findings
		if len(findings) != 1 || !strings.Contains(findings[0].Problem, "signed by another key") {
			t.Errorf("signed by another key: %v", findings)
		}
		last := checkpoints[steps-1]["checkpoint"]
		r.exec("UPDATE audit_log SET checkpoint = $1", last)
		findings = r.verify("").Findings
		if len(findings) != 1 || !strings.Contains(findings[0].Problem, "altered together with their hashes") {
			t.Errorf("with the checkpoint of before: %v", findings)
		}
	})
}

// TestChangedLogIsNotExtended: what somebody has changed is not signed again.
func TestChangedLogIsNotExtended(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		r := newTrail(t, url)
		last := r.rows("audit_log", "first")[steps-1]
		for column, value := range map[string]any{"checkpoint": r.rows("audit_log", "first")[0]["checkpoint"], "hashes": make([]byte, 32*5)} {
			r.set("audit_log", "first", last["first"], column, value)
			if err := r.db.CreateAccount(t.Context(), token.Permit{}, token.Account{ID: "more " + column}); err != nil {
				t.Fatal(err)
			}
			if err := r.log.Gather(t.Context()); err == nil {
				t.Errorf("the log was extended with other %s", column)
			}
			r.set("audit_log", "first", last["first"], column, last[column])
		}
		if report := r.verify(""); report.Uncovered != 2 || len(report.Findings) != 0 {
			t.Errorf("the report is %+v", report)
		}
		if err := r.log.Gather(t.Context()); err != nil {
			t.Error(err)
		}
		r.clean(steps*eventsOfStep + 2)
	})
}
