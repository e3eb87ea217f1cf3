// Package store keeps tokens and the registry in a SQLite file or a PostgreSQL database. It is the only package that
// knows GORM. What it promises is declared by [token.Store], [token.StatusStore] and [token.Registry] and proved by the
// package storetest.
//
// It knows rows, transactions, locks and the two databases ([backend]). It must not decide what is allowed: inside its
// transactions it calls the decisions that internal/token hands it. internal/server opens it; internal/token and
// internal/memory call it by the interfaces above.
package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/tokenwright/tokenwright/internal/token"
)

// DB is an open database.
type DB struct {
	backend  backend
	dialects token.Dialects // of the tokens in it
	writer   *gorm.DB
	reader   *gorm.DB // the same as writer where the database needs no separate one
	revoker  *gorm.DB // for changes that take rights away; the same as writer where there can be no other

	writing, reading, revoking *line // of those who want a connection of writer, reader and revoker

	closed atomic.Bool
	forget func() // nil where closing is enough

	statements statements

	reserve *reserve              // nil: none
	commits atomic.Uint64         // how many transactions were committed
	proved  uint64                // commits at the last proof that the database takes writes
	trouble atomic.Pointer[error] // what that proof has found
}

var (
	_ token.Store       = (*DB)(nil)
	_ token.StatusStore = (*DB)(nil)
	_ token.Registry    = (*DB)(nil)
)

// Schema says what [Open] does about the database's schema.
type Schema int

// MigrateSchema brings the schema up to date; RequireSchema refuses one that is not; AnySchema takes it as it is, for
// programs that look at it or migrate it themselves.
const (
	MigrateSchema Schema = iota
	RequireSchema
	AnySchema
)

// Options change how a database is opened. The zero value suits a server.
type Options struct {
	Schema   Schema
	Dialects token.Dialects // of the tokens in it; nil is [token.Published]
	MaxConns int            // connections to PostgreSQL (0: 10), or reading ones to SQLite (0: 4)
	// ReadOnly is for who only asks for the [DB.Status]: a SQLite file must be there, and nothing is made or changed.
	ReadOnly bool
	// AllowUnsafe takes a PostgreSQL that may lose what it has committed, for tests and for who can make all of it again.
	AllowUnsafe bool

	vfs string // of SQLite; "" is the operating system's
}

// Open opens the database at url, sqlite:PATH or postgres://… The error is one line and holds no password.
func Open(ctx context.Context, url string, opts Options) (*DB, error) {
	opts.MaxConns = max(opts.MaxConns, 0)
	d, err := connect(ctx, url, opts)
	if err != nil {
		return nil, oneLine("cannot open the database", err)
	}
	d.dialects = opts.Dialects.OrPublished()
	if err := d.prepareSchema(ctx, opts.Schema); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// CheckURL reports what is wrong with the URL of a database, without asking the database. The error begins with a verb,
// is one line and holds no password.
func CheckURL(url string) error {
	if path, embedded := SQLitePath(url); embedded {
		if path == "" || strings.ContainsRune(path, 0) {
			return errors.New("must be sqlite: and the path of a file")
		}
		return nil
	}
	if strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://") {
		_, err := parsePostgres(url)
		return err
	}
	return errors.New("must begin with sqlite: or postgres://") // and may hold a password: no more of it
}

// SQLitePath is the path in the URL of a SQLite file; false if the database is another.
func SQLitePath(url string) (path string, embedded bool) { return strings.CutPrefix(url, "sqlite:") }

func connect(ctx context.Context, url string, opts Options) (*DB, error) {
	if err := CheckURL(url); err != nil {
		return nil, fmt.Errorf("its URL %w", err)
	}
	path, embedded := SQLitePath(url)
	switch {
	case embedded && opts.ReadOnly:
		return lookAtSQLite(ctx, path)
	case embedded:
		return openSQLite(ctx, path, opts)
	default:
		return openPostgres(ctx, url, opts)
	}
}

// gormConfig keeps GORM quiet, since its log would hold looked-up hashes, and leaves transactions to this package.
func gormConfig() *gorm.Config {
	return &gorm.Config{
		Logger:                 logger.Discard,
		TranslateError:         true,
		SkipDefaultTransaction: true,
		DisableAutomaticPing:   true,
		QueryFields:            true, // a migration that adds a column must not change what an older server's queries answer
	}
}

// Close ends all connections. Calls that follow fail with [token.Unavailable].
func (d *DB) Close() error {
	d.closed.Store(true)
	err := closeGORM(d.reader)
	if d.revoker != nil && d.revoker != d.writer {
		err = errors.Join(err, closeGORM(d.revoker))
	}
	if d.writer != d.reader {
		// The writer is last: whoever closes a SQLite file last empties its write-ahead log, which a reader may not.
		err = errors.Join(err, closeGORM(d.writer))
	}
	if d.forget != nil {
		d.forget()
	}
	return err
}

func closeGORM(db *gorm.DB) error {
	pool, err := db.DB()
	if err != nil {
		return err
	}
	return pool.Close()
}

// Ping asks the database whether it can answer and has the schema that this program needs, and tells what [DB.Watch]
// has found.
func (d *DB) Ping(ctx context.Context) error {
	leave, err := d.reading.enter(ctx, classOf(ctx, false)) // anybody may ask, as often as they please
	if err != nil {
		return d.translate(ctx, err)
	}
	defer leave()
	status, err := d.SchemaState(ctx)
	if err != nil {
		return err
	}
	if status.Current < status.Wanted {
		return token.Wrap(token.Unavailable, status.tooOld())
	}
	return d.writable()
}

// lineError is an error whose text is one line, whatever the text of its cause.
type lineError struct {
	text  string
	cause error
}

func (e *lineError) Error() string { return e.text }
func (e *lineError) Unwrap() error { return e.cause }

func oneLine(doing string, err error) error {
	return &lineError{fmt.Sprintf("%s: %s", doing, strings.Join(strings.Fields(err.Error()), " ")), err}
}
