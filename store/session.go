package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// sessions checks every connection to PostgreSQL, those of the pool and that of the feed, before it is used. All of
// them must lead to one server. After a failover the old primary may still run and keep its connections, and would
// return rows whose changes nobody announces. So the newest connection determines the server, and connections to any
// other server are not used again.
//
// A pooler may lead each transaction to another server. So each of them is checked, and must be on the server that the
// newest connection without the pooler determined, which is mostly that of the feed.
type sessions struct {
	unsafe  bool                   // also accept servers that may lose commits
	pooled  bool                   // there is a pooler
	current atomic.Pointer[string] // the server of the newest connection, nil if unknown
	doubted atomic.Bool            // a transaction was on another server, which may be the right one
}

// serverKey is the key of a connection's server in its custom data.
const serverKey = "tokenwright server"

// checkSession sets commits to survive a crash, whatever the settings of role, database or server, but keeps a stronger
// setting. It returns a [check]. %s says whether the setting ends with the transaction.
const checkSession = `SELECT set_config('synchronous_commit',
		CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, %s),
	(pg_is_in_recovery() OR current_setting('transaction_read_only')::bool)::text,
	current_setting('fsync'), current_setting('full_page_writes'),
	extract(epoch FROM pg_postmaster_start_time()) || ' ' || current_database(), pg_backend_pid()::text`

var checkTransaction = fmt.Sprintf(checkSession, "true")

// check is what a server says of itself and of a session.
type check struct{ commit, reads, fsync, pages, server, process string }

func readCheck(row [][]byte) check {
	return check{string(row[0]), string(row[1]), string(row[2]), string(row[3]), string(row[4]), string(row[5])}
}

// errReadOnly is the error for a server that does not accept writes. Its data may be old.
var errReadOnly = errors.New("the server is read-only: it is a standby, or a primary that was made read-only")

// errPooler is the error for a pooler where there must be none. One in session mode cannot be told from others.
var errPooler = errors.New("the URL leads to a pooler such as PgBouncer, through which changes by other servers may " +
	"not be heard: name the PostgreSQL server itself with --direct-database-url, too")

// errOther is the error for a pooler that leads to another server or database.
var errOther = errors.New("the pooler leads to a different server or database than --direct-database-url")

// unsafeError is the error for a server that may lose commits.
type unsafeError struct{ settings string }

func (e *unsafeError) Error() string {
	return "PostgreSQL runs with " + e.settings + ", and may lose acknowledged revokes or the whole database " +
		"when its machine crashes: turn the setting on, or give --allow-unsafe-postgres"
}

// judge is called for each new connection without a pooler, and for each of several hosts until it accepts one. Behind
// a pooler the process is another than the one that the pooler has named, and the session, which is not ours, is left
// as it was.
func (s *sessions) judge(ctx context.Context, conn *pgconn.PgConn) error {
	c, err := ask(ctx, conn, fmt.Sprintf(checkSession, fmt.Sprintf("pg_backend_pid() <> %d::bigint", conn.PID())))
	if err == nil && c.process != processOf(conn) {
		err = errPooler
	}
	if err == nil {
		err = s.safe(c)
	}
	if err != nil {
		return err
	}
	conn.CustomData()[serverKey] = c.server
	s.current.Store(&c.server)
	s.doubted.Store(false)
	return nil
}

// processOf is the server's process as the connection names it.
func processOf(conn *pgconn.PgConn) string { return strconv.FormatUint(uint64(conn.PID()), 10) }

// judgePooled is judge for connections to a pooler.
func (s *sessions) judgePooled(ctx context.Context, conn *pgconn.PgConn) error {
	c, err := ask(ctx, conn, checkTransaction)
	if err == nil {
		err = s.admit(c)
	}
	return err
}

func ask(ctx context.Context, conn *pgconn.PgConn, query string) (check, error) {
	results, err := conn.Exec(ctx, query).ReadAll()
	if err != nil {
		return check{}, err
	}
	return readCheck(results[0].Rows[0]), nil
}

// admit decides whether a transaction through a pooler may go on.
func (s *sessions) admit(c check) error {
	if err := s.safe(c); err != nil {
		return err
	}
	if current := s.current.Load(); current == nil || *current != c.server {
		s.doubted.Store(true)
		return errOther
	}
	return nil
}

// safe decides whether a session keeps what it commits.
func (s *sessions) safe(c check) error {
	switch {
	case c.reads != "false":
		return errReadOnly
	case c.commit != "on" && c.commit != "remote_apply":
		return fmt.Errorf("PostgreSQL has set synchronous_commit to %s instead of on", c.commit)
	case !s.unsafe && (c.fsync != "on" || c.pages != "on"):
		return &unsafeError{offSettings(c.fsync, c.pages)}
	}
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
	return current != nil && conn.PgConn().CustomData()[serverKey] == *current && !s.doubted.Load()
}

// reuse is called before a connection of the pool is used again.
func (s *sessions) reuse(_ context.Context, conn *pgx.Conn) error {
	if !s.leads(conn) {
		return driver.ErrBadConn // which makes the pool close it and use another
	}
	return nil
}

// forget keeps all present connections from being used again. Those to a pooler are checked at each use, by what the
// last connection without it has led to.
func (s *sessions) forget() {
	if !s.pooled {
		s.current.Store(nil)
	}
}
