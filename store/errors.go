package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"

	"gorm.io/gorm"

	"github.com/tokenwright/tokenwright/internal/token"
)

// refusal carries an error of a caller's function out of a transaction. It has no Unwrap, so that nothing in it is
// taken for an error of the database.
type refusal struct{ cause error }

func (r refusal) Error() string { return r.cause.Error() }

// refuse marks the error of a caller's function, nil if there is none.
func refuse(err error) error {
	if err == nil {
		return nil
	}
	return refusal{err}
}

// translate gives an error of the database its kind; every error leaves this package through it. An error that has a
// kind already and one of a caller's function pass as they are.
func (d *DB) translate(ctx context.Context, err error) error {
	var refused refusal
	var known *token.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		return refused.cause
	case errors.As(err, &known):
		return err
	}
	return token.Wrap(d.kindOf(ctx, err), err)
}

func (d *DB) kindOf(ctx context.Context, err error) token.Kind {
	switch {
	case errors.Is(err, gorm.ErrRecordNotFound):
		return token.NotFound
	case errors.Is(err, gorm.ErrDuplicatedKey):
		return token.NameTaken
	case errors.Is(ctx.Err(), context.Canceled), errors.Is(err, context.Canceled):
		// The context is checked first: SQLite reports "busy" or "interrupted" when it gives up for a cancelled caller.
		return token.Canceled
	case ctx.Err() != nil, d.closed.Load(), unavailable(err):
		return token.Unavailable
	default:
		return token.Internal
	}
}

// unavailable reports whether the error means that the database cannot be used now.
func unavailable(err error) bool {
	for _, known := range []error{context.DeadlineExceeded, driver.ErrBadConn, sql.ErrConnDone, io.EOF,
		io.ErrUnexpectedEOF, net.ErrClosed} {
		if errors.Is(err, known) {
			return true
		}
	}
	var network *net.OpError // not net.Error, which every error of the SQLite driver also is
	return errors.As(err, &network) || postgresUnavailable(err) || sqliteUnavailable(err)
}
