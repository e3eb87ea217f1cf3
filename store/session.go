package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// sessions checks every connection to PostgreSQL, those of the pool and that of the feed, before it is used. All of
// them must lead to one server. After a failover the old primary may still run and keep its connections, and would
// return rows whose changes nobody announces. So the newest connection determines the server, and connections to any
// other server are not used again.
type sessions struct {
	unsafe  bool                   // also accept servers that may lose commits
	current atomic.Pointer[string] // the server of the newest connection, nil if unknown
}

// serverKey is the key of a connection's server in its custom data.
const serverKey = "tokenwright server"

// prepareSession sets commits to survive a crash, whatever the settings of role, database or server, but keeps a
// stronger setting. The second statement reads the result.
const prepareSession = `SELECT set_config('synchronous_commit',
	CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false);
SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::bool, current_setting('synchronous_commit'),
	current_setting('fsync'), current_setting('full_page_writes'), extract(epoch FROM pg_postmaster_start_time())`

// errReadOnly is the error for a server that does not accept writes. Its data may be old.
var errReadOnly = errors.New("the server is read-only: it is a standby, or a primary that was made read-only")

// unsafeError is the error for a server that may lose commits.
type unsafeError struct{ settings string }

func (e *unsafeError) Error() string {
	return "PostgreSQL runs with " + e.settings + ", and may lose acknowledged revokes or the whole database " +
		"when its machine crashes: turn the setting on, or give --allow-unsafe-postgres"
}

// judge is called for each new connection, and for each of several hosts until it accepts one.
func (s *sessions) judge(ctx context.Context, conn *pgconn.PgConn) error {
	results, err := conn.Exec(ctx, prepareSession).ReadAll()
	if err != nil {
		return err
	}
	row := results[len(results)-1].Rows[0]
	reads, commit, fsync, pages, server := string(row[0]), string(row[1]), string(row[2]), string(row[3]), string(row[4])
	switch {
	case reads != "f":
		return errReadOnly
	case commit != "on" && commit != "remote_apply":
		return fmt.Errorf("PostgreSQL has set synchronous_commit to %s instead of on", commit)
	case !s.unsafe && (fsync != "on" || pages != "on"):
		return &unsafeError{offSettings(fsync, pages)}
	}
	conn.CustomData()[serverKey] = server
	s.current.Store(&server)
	return nil
}

func offSettings(fsync, pages string) string {
	var off []string
	if fsync != "on" {
		off = append(off, "fsync="+fsync)
	}
	if pages != "on" {
		off = append(off, "full_page_writes="+pages)
	}
	return strings.Join(off, " and ")
}

// leads reports whether the connection leads to the same server as the newest one.
func (s *sessions) leads(conn *pgx.Conn) bool {
	current := s.current.Load()
	return current != nil && conn.PgConn().CustomData()[serverKey] == *current
}

// reuse is called before a connection of the pool is used again.
func (s *sessions) reuse(_ context.Context, conn *pgx.Conn) error {
	if !s.leads(conn) {
		return driver.ErrBadConn // which makes the pool close it and use another
	}
	return nil
}

// forget keeps all present connections from being used again.
func (s *sessions) forget() { s.current.Store(nil) }
