package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/ncruces/go-sqlite3"
	"gorm.io/gorm"

	"github.com/tokenwright/tokenwright/internal/token"
)

func TestTranslate(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	answer := func(code string) error { return &pgconn.PgError{Code: code} }
	for _, c := range []struct {
		ctx  context.Context
		err  error
		want token.Kind
	}{
		{t.Context(), gorm.ErrRecordNotFound, token.NotFound},
		{t.Context(), gorm.ErrDuplicatedKey, token.NameTaken},
		{t.Context(), gorm.ErrForeignKeyViolated, token.Internal},
		{t.Context(), context.Canceled, token.Canceled},
		{t.Context(), context.DeadlineExceeded, token.Unavailable},
		{cancelled, sqlite3.BUSY, token.Canceled},
		{cancelled, sqlite3.INTERRUPT, token.Canceled},
		{cancelled, sql.ErrTxDone, token.Canceled},
		{late, sqlite3.INTERRUPT, token.Unavailable},
		{late, sql.ErrTxDone, token.Unavailable},
		{t.Context(), driver.ErrBadConn, token.Unavailable},
		{t.Context(), sql.ErrConnDone, token.Unavailable},
		{t.Context(), io.ErrUnexpectedEOF, token.Unavailable},
		{t.Context(), &net.OpError{Op: "read", Err: errors.New("reset")}, token.Unavailable},
		{t.Context(), &pgconn.ConnectError{}, token.Unavailable},
		{t.Context(), pgconn.ErrConnClosed, token.Unavailable},
		{t.Context(), answer("08006"), token.Unavailable},
		{t.Context(), answer("53300"), token.Unavailable},
		{t.Context(), answer("57P01"), token.Unavailable},
		{t.Context(), answer("57P03"), token.Unavailable},
		{t.Context(), answer("25006"), token.Unavailable},
		{t.Context(), answer("40001"), token.Unavailable},
		{t.Context(), answer("22021"), token.Internal},
		{t.Context(), answer("42P01"), token.Internal},
		{t.Context(), answer(""), token.Internal},
		{t.Context(), sqlite3.BUSY, token.Unavailable},
		{t.Context(), sqlite3.LOCKED, token.Unavailable},
		{t.Context(), sqlite3.IOERR, token.Unavailable},
		{t.Context(), sqlite3.IOERR_WRITE, token.Unavailable},
		{t.Context(), sqlite3.FULL, token.Unavailable},
		{t.Context(), sqlite3.CANTOPEN, token.Unavailable},
		{t.Context(), sqlite3.READONLY_DBMOVED, token.Unavailable},
		{t.Context(), sqlite3.CORRUPT, token.Internal},
		{t.Context(), errors.New("anything"), token.Internal},
	} {
		for _, err := range []error{c.err, fmt.Errorf("wrapped: %w", c.err)} {
			got := new(DB).translate(c.ctx, err)
			var full *token.Error
			if !errors.As(got, &full) || full.Kind != c.want || !errors.Is(got, err) {
				t.Errorf("%v becomes %v, want kind %q with its cause", err, got, c.want)
			}
			if full != nil && full.Message != "" {
				t.Errorf("%v shows the caller %q", err, full.Message)
			}
		}
	}
}

func TestTranslateLeavesOthersAlone(t *testing.T) {
	known := token.Errorf(token.Conflict, "no")
	plain := errors.New("plain")
	for err, want := range map[error]error{nil: nil, known: known, refuse(known): known, refuse(plain): plain,
		refuse(gorm.ErrRecordNotFound): gorm.ErrRecordNotFound, refuse(nil): nil} {
		if got := new(DB).translate(t.Context(), err); got != want {
			t.Errorf("%v becomes %v, want %v", err, got, want)
		}
	}
}

func TestCallersErrorsAreNotRepeated(t *testing.T) {
	if repeatable(refuse(&pgconn.PgError{Code: "40001"})) {
		t.Error("a caller's own error is taken for the database's")
	}
}
