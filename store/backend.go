package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"gorm.io/gorm"

	"github.com/tokenwright/tokenwright/internal/token"
)

// backend is all that differs between the databases. [Open] chooses one; nothing else asks which it is. No member is
// nil but those that say so.
type backend struct {
	name       string // of the directory of migrations
	goose      goose.Dialect
	sessions   bool                                                 // goose locks the schema in a session of its own
	direct     func() *sql.DB                                       // a pool for migrations; nil: that of the writer
	lockSchema func(ctx context.Context) (unlock func(), err error) // nil where goose has a lock, or nobody else comes

	hasTable  string // counts the tables with a name
	nextEntry string // takes a number, which no other transaction takes, with the secret of the order
	lockRows  string // locks the rows of t that a statement reads for a change

	conn   func(raw any) conn // on a connection of the driver
	begin  string
	arrays bool // whether a parameter may be a list of keys
	stride int  // for how many changes is read together, before any of them is made
	insert func(rows []*tokenRow) []statement
	record func(rows []*eventRow) []statement
	// queues is whether numbers of events wait in a table for their place in the log.
	queues       bool
	waiting      func(e *extension, most int) statement // reads what is to come into the log
	settled      string                                 // selects the numbers of events that do not wait
	waitingCount string                                 // counts those that wait

	// A writing transaction may have the database to itself. Then these do nothing.
	take      func(guards []guard, wait bool, refused func(i int)) []statement
	lockUsers func(tx *gorm.DB) error          // lets one caller in at a time, and no new user
	tryClaim  string                           // takes a claim, if it is free, until the end; "": it is
	announce  func(c token.Change) []statement // tells other processes at the commit, if there is one

	write  func(tx *gorm.DB) error                                   // writes something that changes nothing
	follow func(ctx context.Context, f Follower, report func(error)) // see [DB.Follow]; nil where nobody else comes
}

// sqlite is a file or memory of one process, whose writing transactions have all of it to themselves.
func sqlite(conns *sqliteConns, lockSchema func(ctx context.Context) (unlock func(), err error)) backend {
	return backend{
		conn: conns.conn, begin: "BEGIN IMMEDIATE", stride: 1, insert: insertEach, record: recordEach,
		waiting: (*extension).afterLog, settled: settledAfter, waitingCount: waitingAfter,
		name: "sqlite", goose: goose.DialectSQLite3, lockSchema: lockSchema,
		hasTable:  "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?",
		nextEntry: "UPDATE status_places SET next = next + 1 RETURNING next - 1 AS number, secret",
		take:      func([]guard, bool, func(int)) []statement { return nil },
		lockUsers: func(tx *gorm.DB) error { return tx.Statement.Context.Err() },
		announce:  func(token.Change) []statement { return nil },
		write:     func(tx *gorm.DB) error { return tx.Exec("PRAGMA user_version = 0").Error },
	}
}

// postgres is shared by processes, which the feed tells of each other's changes. A number that a transaction has taken
// and that then fails is a hole, and makes nobody wait.
func postgres(f feedSource) backend {
	b := backend{
		conn: onPostgres, begin: "BEGIN ISOLATION LEVEL READ COMMITTED", arrays: true, stride: mostTogether,
		insert: insertAll, record: recordAll,
		queues: true, waiting: (*extension).fromQueue, settled: settledQueued, waitingCount: waitingQueued,
		name: "postgres", goose: goose.DialectPostgres, sessions: true,
		hasTable:  "SELECT count(to_regclass(?))",
		nextEntry: "SELECT nextval('status_numbers') AS number, secret FROM status_places",
		lockRows:  "FOR NO KEY UPDATE OF t",
		take:      takeAdvisory,
		tryClaim:  "SELECT pg_try_advisory_xact_lock($1)",
		lockUsers: func(tx *gorm.DB) error { return tx.Exec("LOCK TABLE users IN EXCLUSIVE MODE").Error },
		announce: func(c token.Change) []statement {
			return []statement{{text: "SELECT pg_notify($1, $2)", args: []any{feedChannel, changeMessage(c)}}}
		},
		write: func(tx *gorm.DB) error {
			var readOnly string
			err := tx.Raw("SELECT current_setting('transaction_read_only') FROM (SELECT txid_current()) AS written").
				Scan(&readOnly).Error
			if err == nil && readOnly != "off" {
				err = errReadOnly
			}
			return err
		},
		follow: f.follow,
	}
	if f.sessions.pooled {
		b.conn = onPooler
		b.direct = func() *sql.DB { return stdlib.OpenDB(*f.config) }
	}
	return b
}

// takeAdvisory takes PostgreSQL's advisory locks until the end of the transaction, in the order of the guards. Whoever
// does not wait gets none that another transaction holds or waits for, and so overtakes nobody.
func takeAdvisory(guards []guard, wait bool, refused func(i int)) []statement {
	kinds, numbers, alone := make([]int32, len(guards)), make([]int32, len(guards)), make([]bool, len(guards))
	for i, g := range guards {
		kinds[i], numbers[i], alone[i] = int32(g.kind), g.hash, g.alone
	}
	args := []any{kinds, numbers, alone}
	if wait {
		return []statement{{fmt.Sprintf(advisoryLocks, "pg_advisory"), args, nil}}
	}
	i := 0
	return []statement{{fmt.Sprintf(advisoryLocks, "pg_try_advisory"), args, func(c columns) error {
		if !c.bool() {
			refused(i)
		}
		i++
		return nil
	}}}
}

const advisoryLocks = `SELECT
	CASE WHEN alone THEN %[1]s_xact_lock(kind, number) ELSE %[1]s_xact_lock_shared(kind, number) END
	FROM unnest($1::int[], $2::int[], $3::bool[]) AS g (kind, number, alone)`

// options are those of a goose provider for one use: its session locker counts attempts over its whole life.
func (b backend) options() ([]goose.ProviderOption, error) {
	options := []goose.ProviderOption{goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true)}
	if !b.sessions {
		return options, nil
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300)) // every second for five minutes
	if err != nil {
		return nil, fmt.Errorf("no lock for migrations: %w", err)
	}
	return append(options, goose.WithSessionLocker(locker)), nil
}
