package store

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// attempts is how often a transaction is tried that PostgreSQL asks to repeat.
const attempts = 6

// transact runs fn in a transaction, again if the database asks for that. A panic of fn rolls back and goes on.
func (d *DB) transact(ctx context.Context, fn func(tx *gorm.DB) error) error {
	return d.room(false, func() error { return d.try(ctx, fn) })
}

// change is transact for what may take rights away, for which there is room on a full disk, too.
func (d *DB) change(ctx context.Context, fn func(tx *gorm.DB) error) error {
	return d.room(true, func() error { return d.try(ctx, fn) })
}

func (d *DB) try(ctx context.Context, fn func(tx *gorm.DB) error) error {
	for attempt := 1; ; attempt++ {
		err := d.writer.WithContext(ctx).Transaction(fn)
		if err == nil {
			d.commits.Add(1)
		}
		if !repeatable(err) || attempt == attempts || pause(ctx, attempt) != nil {
			return d.translate(ctx, err)
		}
	}
}

// pause waits for a random time, so that transactions that met do not meet again.
func pause(ctx context.Context, attempt int) error {
	timer := time.NewTimer(rand.N(time.Duration(attempt) * 10 * time.Millisecond)) //nolint:gosec // a pause is no secret
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// forChange locks rows until the end of the transaction against others who would change them. It is PostgreSQL's FOR
// NO KEY UPDATE, because keys never change and an insert that refers to the row need not wait. SQLite has no row locks
// and its GORM dialect leaves the clause out: there a writing transaction begins with the lock of the whole database.
func forChange(tx *gorm.DB) *gorm.DB {
	return tx.Clauses(clause.Locking{Strength: "NO KEY UPDATE"})
}

// byKey reads the row with the primary key; it fails with gorm.ErrRecordNotFound.
func byKey[R any](tx *gorm.DB, key any) (row R, err error) {
	err = tx.Where(clause.Eq{Column: clause.PrimaryColumn, Value: key}).Take(&row).Error
	return row, err
}

// guard is a lock between creates, which depend on a thing staying as it is and share the guard, and the change of
// that thing, which has it alone. Row locks would not do: PostgreSQL lets new sharers of a row past one who waits to
// change it, so that a leaked token could put off its own revocation for as long as it goes on creating. Advisory locks
// queue. Two things whose keys have the same hash wait for each other without need, which is rare and harmless.
type guard struct {
	kind  guarded
	key   any
	alone bool
}

// guarded is the first half of an advisory lock's number: the things that a create depends on, in the order in which it
// takes their guards.
type guarded int32

const (
	guardedToken guarded = 0x74770000 + iota // far from the numbers that another program in the database may use
	guardedUser
	guardedAccount
	guardedEnvironment
)

// take waits for the guards and holds them until the end of the transaction.
func (d *DB) take(tx *gorm.DB, guards ...guard) error {
	if !d.backend.postgres() || len(guards) == 0 {
		return nil
	}
	calls, args := make([]string, len(guards)), make([]any, 0, 2*len(guards))
	for i, g := range guards {
		calls[i] = "pg_advisory_xact_lock_shared(?, ?)"
		if g.alone {
			calls[i] = "pg_advisory_xact_lock(?, ?)"
		}
		hash := fnv.New32a()
		fmt.Fprint(hash, g.key)
		args = append(args, int32(g.kind), int32(hash.Sum32())) //nolint:gosec // all bits count, the sign is one of them
	}
	return tx.Exec("SELECT "+strings.Join(calls, ", "), args...).Error
}
