package store

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// pooledConnector connects to a pooler that may give each transaction another session, and so another server.
type pooledConnector struct {
	driver.Connector
	sessions *sessions
}

// throughPooler has no statement prepared, because the next one may run in another session.
func throughPooler(config *pgx.ConnConfig, s *sessions) {
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	config.StatementCacheCapacity, config.DescriptionCacheCapacity = 0, 0
	config.ValidateConnect = s.judgePooled
}

// Connect implements [driver.Connector].
func (p pooledConnector) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := p.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &pooledConn{c.(*stdlib.Conn), p.sessions}, nil //nolint:forcetypeassert // nothing else connects
}

// pooledConn begins each transaction with [checkTransaction], which takes no round trip of its own, and makes a
// transaction of each statement outside of one.
type pooledConn struct {
	*stdlib.Conn
	sessions *sessions
}

// errPrepared is the error for a statement that is to outlast its transaction.
var errPrepared = errors.New("statements cannot be prepared through a pooler")

// Prepare implements [driver.Conn].
func (c *pooledConn) Prepare(string) (driver.Stmt, error) { return nil, errPrepared }

// PrepareContext implements [driver.ConnPrepareContext].
func (c *pooledConn) PrepareContext(context.Context, string) (driver.Stmt, error) {
	return nil, errPrepared
}

// BeginTx implements [driver.ConnBeginTx].
func (c *pooledConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if opts != (driver.TxOptions{}) {
		return nil, errors.New("transactions have no options through a pooler")
	}
	return pooledTx{ctx, c}, c.begin(ctx)
}

// begin returns [driver.ErrBadConn], so that the pool uses another connection, if this one is found to be closed.
func (c *pooledConn) begin(ctx context.Context) error {
	pg := c.Conn.Conn().PgConn()
	if pg.IsClosed() {
		return driver.ErrBadConn
	}
	results, err := pg.Exec(ctx, "BEGIN; "+checkTransaction).ReadAll()
	if err == nil {
		err = c.sessions.admit(readCheck(results[len(results)-1].Rows[0]))
	}
	if err == nil {
		return nil
	}
	postgresConn{c.Conn.Conn()}.rollBack(ctx)
	if pg.IsClosed() && ctx.Err() == nil {
		return driver.ErrBadConn
	}
	return err
}

// commit fails if the server rolled back because a statement has failed.
func (c *pooledConn) commit(ctx context.Context) error {
	tag, err := c.Conn.Conn().Exec(ctx, "COMMIT")
	if err == nil && tag.String() == "ROLLBACK" {
		err = pgx.ErrTxCommitRollback
	}
	return err
}

func (c *pooledConn) idle() bool { return c.Conn.Conn().PgConn().TxStatus() == 'I' }

// ExecContext implements [driver.ExecerContext].
func (c *pooledConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if !c.idle() {
		return c.Conn.ExecContext(ctx, query, args)
	}
	if err := c.begin(ctx); err != nil {
		return nil, err
	}
	defer postgresConn{c.Conn.Conn()}.rollBack(ctx) // unless it was committed
	result, err := c.Conn.ExecContext(ctx, query, args)
	return result, cmp.Or(err, c.commit(ctx))
}

// QueryContext implements [driver.QueryerContext].
func (c *pooledConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if !c.idle() {
		return c.Conn.QueryContext(ctx, query, args)
	}
	if err := c.begin(ctx); err != nil {
		return nil, err
	}
	rows, err := c.Conn.QueryContext(ctx, query, args)
	if err != nil {
		postgresConn{c.Conn.Conn()}.rollBack(ctx)
		return nil, err
	}
	return pooledRows{rows.(*stdlib.Rows), ctx, c}, nil //nolint:forcetypeassert // as in Connect
}

// pooledRows end their transaction when they are closed.
type pooledRows struct {
	*stdlib.Rows
	ctx  context.Context //nolint:containedctx // of the query
	conn *pooledConn
}

// Close implements [driver.Rows].
func (r pooledRows) Close() error {
	defer postgresConn{r.conn.Conn.Conn()}.rollBack(r.ctx) // unless it was committed
	return cmp.Or(r.Rows.Close(), r.conn.commit(r.ctx))
}

// pooledTx is a transaction that was begun.
type pooledTx struct {
	ctx  context.Context //nolint:containedctx // of the transaction, as in stdlib
	conn *pooledConn
}

// Commit implements [driver.Tx].
func (t pooledTx) Commit() error { return t.conn.commit(t.ctx) }

// Rollback implements [driver.Tx].
func (t pooledTx) Rollback() error {
	postgresConn{t.conn.Conn.Conn()}.rollBack(t.ctx)
	return nil
}

// pooledRun is a [conn] that checks each transaction in the round trip that begins it. Statements that come together
// outside of one are one.
type pooledRun struct {
	postgresConn
	sessions *sessions
}

func onPooler(raw any) conn {
	c := raw.(*pooledConn) //nolint:forcetypeassert // the pool has no others
	return pooledRun{postgresConn{c.Conn.Conn()}, c.sessions}
}

func (c pooledRun) run(ctx context.Context, statements ...statement) error {
	if c.PgConn().TxStatus() == 'I' && len(statements) > 0 {
		first := 0
		if strings.HasPrefix(statements[0].text, "BEGIN") {
			first = 1
		}
		check := statement{text: checkTransaction, each: func(row columns) error {
			return c.sessions.admit(check{row.text(), row.text(), row.text(), row.text(), row.text(), row.text()})
		}}
		statements = slices.Insert(slices.Clone(statements), first, check)
	}
	return c.postgresConn.run(ctx, statements...)
}
