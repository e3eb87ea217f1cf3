package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/ncruces/go-sqlite3/driver" // the driver of the server

	"github.com/tokenwright/tokenwright/test/pgtest"
)

// pgbench runs statements as fast as the database can, on a database of its own with the schema of the server.
type pgbench struct {
	program string
	url     string
}

// yardstickUsers is how many users own the tokens of the yardstick, in turn.
const yardstickUsers = 100

// insertRow inserts a row as the server writes it for a muninx token, of the user %[1]s with the hash of %[2]s.
const insertRow = `INSERT INTO tokens (dialect, public_id, secret_hash, name, name_unique, scope, user_id, state,
	suspended_by_admin, introspector, role_limit, created_by, created_by_admin_id, minted_by, created_at, updated_at)
	SELECT 'muninx', gen_random_uuid()::text, sha256(%[2]s::text::bytea), 'bench', false, 'user', %[1]s, 'active',
	false, false, '', %[1]s, lpad(%[1]s::text, 32, '0'), 1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
	(extract(epoch FROM clock_timestamp()) * 1000)::bigint`

const (
	yardstickOwners = `INSERT INTO accounts (id, name, disabled, created_at, updated_at) VALUES ('a', 'a', false, 0, 0);
		INSERT INTO users (admin_id, issuer, subject, name, role, account_id, disabled, created_at, updated_at)
		SELECT lpad(i::text, 32, '0'), '', 'user ' || i, 'user', 'member', 'a', false, 0, 0 FROM generate_series(1, %d) i`
	// lookUp is the query of the server: all that a token depends on.
	lookUp = `\set i random(1, %d)
SELECT t.*, u.*, a.*, e.* FROM tokens t LEFT JOIN users u ON u.id = t.user_id
	LEFT JOIN accounts a ON a.id = coalesce(t.account_id, u.account_id)
	LEFT JOIN environments e ON e.id = t.environment_id WHERE t.secret_hash = sha256(:i::text::bytea);
`
)

// newPgbench makes the database and fills it with the tokens that are looked up.
func newPgbench(ctx context.Context, l *lab, cluster *pgtest.Cluster) (*pgbench, error) {
	b := &pgbench{program: cluster.Program("pgbench")}
	if _, err := os.Stat(b.program); err != nil {
		return nil, fmt.Errorf("%w: install it, or set TOKENWRIGHT_PG_BIN to a directory that has it", err)
	}
	var err error
	if b.url, err = cluster.CreateDatabase("yardstick"); err != nil {
		return nil, err
	}
	if err := l.run(ctx, "migrate", "up", "--database-url", b.url); err != nil {
		return nil, err
	}
	conn, err := pgx.Connect(ctx, b.url)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	tokens := fmt.Sprintf(insertRow+" FROM generate_series(1, %[3]d) i", fmt.Sprintf("(1 + i %% %d)", yardstickUsers), "i", loaded)
	for _, statement := range []string{fmt.Sprintf(yardstickOwners, yardstickUsers), tokens, "VACUUM ANALYZE"} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return nil, err
		}
	}
	return b, b.scripts(l)
}

// scripts writes what pgbench runs.
func (b *pgbench) scripts(l *lab) error {
	insert := fmt.Sprintf("\\set user random(1, %d)\n", yardstickUsers) +
		fmt.Sprintf(insertRow, ":user", "gen_random_uuid()") + ";\n"
	if err := os.WriteFile(l.path("insert.sql"), []byte(insert), 0o600); err != nil {
		return err
	}
	return os.WriteFile(l.path("look-up.sql"), fmt.Appendf(nil, lookUp, loaded), 0o600)
}

func (b *pgbench) measure(ctx context.Context, script string, clients int, d time.Duration) (sample, error) {
	seconds := max(2, int(d.Seconds()+0.5)) // it knows no fractions, and counts the time that it takes to connect
	text, err := output(exec.CommandContext(ctx, b.program, "-M", "prepared", "-n", "-f", script,
		"-c", strconv.Itoa(clients), "-j", strconv.Itoa(min(clients, runtime.NumCPU())), "-T", strconv.Itoa(seconds), b.url))
	if err != nil {
		return sample{}, err
	}
	return readPgbench(text)
}

var (
	latencyLine = regexp.MustCompile(`(?m)^latency average = ([0-9.]+) ms$`)
	rateLine    = regexp.MustCompile(`(?m)^tps = ([0-9.]+) \((?:without initial|excluding)`)
	failedLine  = regexp.MustCompile(`(?m)^number of failed transactions: [1-9].*`)
)

func readPgbench(text string) (s sample, err error) {
	latency, rate := latencyLine.FindStringSubmatch(text), rateLine.FindStringSubmatch(text)
	if latency == nil || rate == nil || failedLine.MatchString(text) {
		return s, fmt.Errorf("pgbench says %q", text)
	}
	if s.Mean, err = strconv.ParseFloat(latency[1], 64); err == nil {
		s.Rate, err = strconv.ParseFloat(rate[1], 64)
	}
	return s, err
}

// syncedInserts commits one row after the other to a SQLite file, each of which outlives a power failure.
func syncedInserts(ctx context.Context, path string, d time.Duration) (sample, error) {
	db, err := sql.Open("sqlite3", "file:"+path+"?_pragma=journal_mode(wal)&_pragma=synchronous(full)")
	if err != nil {
		return sample{}, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS one (value BLOB NOT NULL) STRICT"); err != nil {
		return sample{}, err
	}
	insert, err := db.PrepareContext(ctx, "INSERT INTO one (value) VALUES (?)")
	if err != nil {
		return sample{}, err
	}
	defer insert.Close()
	value, start := make([]byte, 32), time.Now()
	var took []time.Duration
	for before := start; before.Sub(start) < d; {
		if _, err := insert.ExecContext(ctx, value); err != nil {
			return sample{}, err
		}
		now := time.Now()
		took = append(took, now.Sub(before))
		before = now
	}
	return summarize(took, time.Since(start)), nil
}
