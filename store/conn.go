package store

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// conn is a connection on which statements stay prepared. It is for the few statements that most requests run; all
// others go through GORM, which describes the rows.
type conn interface {
	// run runs the statements one after another, in one round trip where there is a server. The first error ends it.
	run(ctx context.Context, statements ...statement) error
	// rollBack ends a transaction, if one is open, even if the context has ended.
	rollBack(ctx context.Context)
}

// statement is one that runs on a [conn].
type statement struct {
	text string              // with the parameters $1, $2 and so on
	args []any               // int64, string, []byte, bool, slices of these where the text is for PostgreSQL, or nil
	each func(columns) error // gets every row; nil: there is none to read
}

// columns are those of one row, read from the first to the last. NULL is the zero value.
type columns interface {
	int() int64
	text() string
	bytes() []byte // valid during the call only
	bool() bool
	null() bool // whether the next column is NULL; it is not read
	skip(n int)
}

// nullable is the next column, nil if it is NULL.
func nullable[T any](c columns, read func(columns) T) *T {
	if c.null() {
		c.skip(1)
		return nil
	}
	return new(read(c))
}

// onConn runs fn with a connection of the pool.
func (d *DB) onConn(ctx context.Context, pool *gorm.DB, fn func(conn) error) error {
	p, err := pool.DB()
	if err != nil {
		return err
	}
	c, err := p.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }() // which hands it back
	err = c.Raw(func(raw any) error { return fn(d.backend.conn(raw)) })
	if t, ok := pool.Dialector.(gorm.ErrorTranslator); ok && err != nil {
		err = t.Translate(err)
	}
	return err
}

// endWait is how long the end of a transaction may take whose caller has left.
const endWait = 5 * time.Second
