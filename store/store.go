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

	lru "github.com/hashicorp/golang-lru/v2"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/tokenwright/tokenwright/internal/token"
)

// DB is an open database.
type DB struct {
	backend  backend
	dialects token.Dialects // of the tokens in it
	writer   *gorm.DB
	reader   *gorm.DB // same as writer if the database needs no separate one
	revoker  *gorm.DB // for changes that take rights away; same as writer on SQLite

	writing, reading, revoking *line // of callers waiting for a connection of writer, reader and revoker

	closed atomic.Bool
	forget func() // nil where closing is enough

	lookups   crew[*lookup]
	questions crew[[]statement] // that are answered quickly
	changes   crew[work]
	revokes   crew[work]                 // of changes that take rights away
	accountOf *lru.Cache[string, string] // of environments
	holdings  *holdingsOfAccounts

	reserve *reserve              // nil: none
	commits atomic.Uint64         // how many transactions were committed
	proved  uint64                // commits at the last test write
	trouble atomic.Pointer[error] // the result of that test write
}

var (
	_ token.Store       = (*DB)(nil)
	_ token.StatusStore = (*DB)(nil)
	_ token.Registry    = (*DB)(nil)
	_ token.EventStore  = (*DB)(nil)
	_ token.LogStore    = (*DB)(nil)
)

// Schema says what [Open] does about the database's schema.
type Schema int

// MigrateSchema migrates the schema; RequireSchema rejects one that is not up to date; AnySchema accepts any, for
// programs that inspect or migrate it themselves.
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
	// ReadOnly opens the database for queries only: a SQLite file must exist, and nothing is created or changed.
	ReadOnly bool
	// DirectURL is that of the PostgreSQL server, if the other URL leads to a pooler; "": it does not.
	DirectURL string
	// AllowUnsafe accepts a PostgreSQL server that may lose commits, for tests and for reproducible data.
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

// CheckURL validates the URL of a database without connecting. The error begins with a verb, is one line and contains
// no password.
func CheckURL(url string) error {
	if path, embedded := SQLitePath(url); embedded {
		if path == "" || strings.ContainsRune(path, 0) {
			return errors.New("must be sqlite: followed by the path of a file")
		}
		return nil
	}
	if strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://") {
		_, err := parsePostgres(url)
		return err
	}
	return errors.New("must begin with sqlite: or postgres://") // the URL may contain a password, so it is not repeated
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

// mostAccounts is how many environments it is known of to which account they belong.
const mostAccounts = 10_000

// formCrews comes after the lines. Changes wait in changing, unless they take rights away, look-ups in looking, and
// other questions in asking.
func (d *DB) formCrews(changing, looking, asking *line) {
	d.lookups = crew[*lookup]{line: looking, most: mostLookups, do: d.lookUp}
	d.questions = crew[[]statement]{line: asking, most: mostQuestions, do: d.answer}
	d.changes = crew[work]{line: changing, most: mostTogether, do: d.together(d.writer), certain: true}
	d.revokes = crew[work]{line: d.revoking, most: mostTogether, do: d.together(d.revoker), certain: true}
	d.accountOf, _ = lru.New[string, string](mostAccounts) // which fails only below 1
	d.holdings = newHoldings()
}

// Close ends all connections. Calls that follow fail with [token.Unavailable].
func (d *DB) Close() error {
	d.closed.Store(true)
	err := closeGORM(d.reader)
	if d.revoker != nil && d.revoker != d.writer {
		err = errors.Join(err, closeGORM(d.revoker))
	}
	if d.writer != d.reader {
		// The writer is last: the last connection to a SQLite file empties its write-ahead log, which a reader cannot.
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

// Ping checks that the database responds and has the schema that this program needs, and returns the last result of
// [DB.Watch].
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
