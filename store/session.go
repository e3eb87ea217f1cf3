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

// sessions judges every connection to PostgreSQL, those of the pool and the one that hears of changes, before it is
// used.
//
// All of them have to lead to one server. After a failover the old primary may still be there and keep its connections,
// and would answer with rows that nobody announces changes of. So the newest connection says which server it is, and
// connections to any other are not used again.
type sessions struct {
	unsafe  bool                   // servers that may lose what they have committed are taken, too
	current atomic.Pointer[string] // the server that the newest connection leads to, nil if that is not known
}

// serverKey is where a connection keeps which server it leads to.
const serverKey = "tokenwright server"

// prepareSession asks for commits that survive a crash, whatever role, database or server say, and leaves what is
// stronger. The second statement reads it back.
const prepareSession = `SELECT set_config('synchronous_commit',
	CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false);
SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::bool, current_setting('synchronous_commit'),
	current_setting('fsync'), current_setting('full_page_writes'), extract(epoch FROM pg_postmaster_start_time())`

// errReadOnly is the error for a server that does not take writes. What it answers may be old.
var errReadOnly = errors.New("the server only reads: it is a standby, or a primary that is to take no more writes")

// unsafeError is the error for a server that may lose what it has committed.
type unsafeError struct{ settings string }

func (e *unsafeError) Error() string {
	return "PostgreSQL runs with " + e.settings + ", and may lose revokes that were answered, or the whole database, " +
		"when its machine stops: turn it on, or allow it with --allow-unsafe-postgres"
}

// judge is called for each new connection, also for each of several hosts until it takes one.
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

// leads reports whether the connection leads to the server that the newest one leads to.
func (s *sessions) leads(conn *pgx.Conn) bool {
	current := s.current.Load()
	return current != nil && conn.PgConn().CustomData()[serverKey] == *current
}

// reuse is called before a connection of the pool is used again.
func (s *sessions) reuse(_ context.Context, conn *pgx.Conn) error {
	if !s.leads(conn) {
		return driver.ErrBadConn // which has the pool close it and take another
	}
	return nil
}

// forget has no connection used again that is there now.
func (s *sessions) forget() { s.current.Store(nil) }
