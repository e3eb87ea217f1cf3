package store

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
)

// sqliteConn keeps the statements that were prepared on it until it is closed.
type sqliteConn struct {
	*sqlite3.Conn
	prepared map[string]*sqlite3.Stmt
}

// sqliteConns are the open connections, by what the driver calls them.
type sqliteConns struct{ known sync.Map }

// opened keeps plans from depending on parameters: then SQLite would prepare most statements again whenever a parameter
// changes.
func (k *sqliteConns) opened(c *sqlite3.Conn) error {
	k.known.Store(c, sqliteConn{c, map[string]*sqlite3.Stmt{}})
	_, err := c.Config(sqlite3.DBCONFIG_ENABLE_QPSG, true)
	return err
}

// closing closes the statements of a connection, which could not be closed otherwise.
func (k *sqliteConns) closing(c *sqlite3.Conn) error {
	known, ok := k.known.LoadAndDelete(c)
	if !ok {
		return nil
	}
	for _, s := range known.(sqliteConn).prepared { //nolint:forcetypeassert // nothing else is stored
		_ = s.Close()
	}
	return nil
}

func (k *sqliteConns) conn(raw any) conn {
	known, _ := k.known.Load(raw.(driver.Conn).Raw()) //nolint:forcetypeassert // the pool is this driver's
	return known.(sqliteConn)                         //nolint:forcetypeassert // every connection was opened with these
}

func (c sqliteConn) run(ctx context.Context, statements ...statement) error {
	defer c.SetInterrupt(c.SetInterrupt(ctx))
	for _, s := range statements {
		if err := c.runOne(s); err != nil {
			return err
		}
	}
	return nil
}

func (c sqliteConn) runOne(s statement) (err error) {
	stmt := c.prepared[s.text]
	if stmt == nil {
		c.makeRoom()
		text := strings.ReplaceAll(s.text, "$", "?") // where SQLite numbers parameters
		if stmt, _, err = c.PrepareFlags(text, sqlite3.PREPARE_PERSISTENT); err != nil {
			return err
		}
		c.prepared[s.text] = stmt
	}
	defer func() { err = firstError(err, stmt.Reset()) }()
	for i, arg := range s.args {
		if err := bind(stmt, i+1, arg); err != nil {
			return err
		}
	}
	for stmt.Step() {
		if s.each == nil {
			continue
		}
		if err := s.each(&sqliteRow{stmt, 0}); err != nil {
			return err
		}
	}
	return stmt.Err()
}

// mostPrepared is how many statements stay prepared: all but lists with rare filters.
const mostPrepared = 100

// makeRoom closes all statements where there are too many.
func (c sqliteConn) makeRoom() {
	if len(c.prepared) < mostPrepared {
		return
	}
	for _, s := range c.prepared {
		_ = s.Close()
	}
	clear(c.prepared)
}

// firstError is that of a step rather than that of the reset which repeats it.
func firstError(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

func bind(stmt *sqlite3.Stmt, i int, arg any) error {
	switch a := arg.(type) {
	case int64:
		return stmt.BindInt64(i, a)
	case string:
		return stmt.BindText(i, a)
	case []byte:
		return stmt.BindBlob(i, a)
	case bool:
		return stmt.BindBool(i, a)
	case nil:
		return stmt.BindNull(i)
	}
	return fmt.Errorf("no parameter of SQLite can be a %T", arg)
}

func (c sqliteConn) rollBack(context.Context) {
	if c.GetAutocommit() {
		return
	}
	defer c.SetInterrupt(c.SetInterrupt(context.Background()))
	_ = c.Exec("ROLLBACK")
}

// sqliteRow is the row on which a statement stands.
type sqliteRow struct {
	*sqlite3.Stmt
	next int
}

func (r *sqliteRow) column() int {
	r.next++
	return r.next - 1
}

func (r *sqliteRow) int() int64    { return r.ColumnInt64(r.column()) }
func (r *sqliteRow) text() string  { return r.ColumnText(r.column()) }
func (r *sqliteRow) bytes() []byte { return r.ColumnRawBlob(r.column()) }
func (r *sqliteRow) bool() bool    { return r.ColumnBool(r.column()) }
func (r *sqliteRow) null() bool    { return r.ColumnType(r.next) == sqlite3.NULL }
func (r *sqliteRow) skip(n int)    { r.next += n }
