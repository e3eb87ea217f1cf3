package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/tokenwright/tokenwright/internal/token"
)

// attempts is how often a transaction is tried that PostgreSQL asks to repeat.
const attempts = 6

// transact runs fn in a transaction, again if the database asks for that. A panic of fn rolls back and goes on.
func (d *DB) transact(ctx context.Context, c class, fn func(tx *gorm.DB) error) error {
	line, db := d.writing, d.writer
	if c == revoking {
		line, db = d.revoking, d.revoker
	}
	leave, err := line.enter(ctx, c)
	if err != nil {
		return d.translate(ctx, err)
	}
	defer leave()
	return d.room(c == revoking, func() error { return d.try(ctx, db, fn) })
}

func (d *DB) try(ctx context.Context, db *gorm.DB, fn func(tx *gorm.DB) error) error {
	for attempt := 1; ; attempt++ {
		err := db.WithContext(ctx).Transaction(fn)
		if err == nil {
			d.commits.Add(1)
		}
		if !repeatable(err) || attempt == attempts || pause(ctx, attempt) != nil {
			return d.translate(ctx, err)
		}
	}
}

// read runs fn with a connection for reading.
func (d *DB) read(ctx context.Context, fn func(tx *gorm.DB) error) error {
	leave, err := d.reading.enter(ctx, classOf(ctx, false))
	if err != nil {
		return d.translate(ctx, err)
	}
	defer leave()
	return d.translate(ctx, fn(d.reader.WithContext(ctx)))
}

// classOf is the class of what is done for the caller whom the context names.
func classOf(ctx context.Context, urgent bool) class {
	switch {
	case urgent:
		return revoking
	case token.ShareOf(ctx).Nobodys():
		return nobodys
	}
	return common
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

// guard is a lock between transactions that depend on a thing staying as it is, which share the guard, and the change
// of that thing, which has it alone. Row locks would not do: PostgreSQL lets new sharers of a row past one who waits to
// change it, so that a leaked token could put off its own revocation for as long as it goes on creating. Advisory locks
// queue. Two things whose keys have the same hash wait for each other without need, which is rare and harmless.
type guard struct {
	kind  guarded
	key   any
	alone bool
}

// guarded is the first half of an advisory lock's number: the things that a change depends on, in the order in which it
// takes their guards.
type guarded int32

const (
	guardedToken guarded = 0x74770000 + iota // far from the numbers that another program in the database may use
	guardedUser
	guardedAccount
	guardedEnvironment
)

// number is the second half of an advisory lock's number.
func (g guard) number() int32 {
	hash := fnv.New32a()
	fmt.Fprint(hash, g.key)
	return int32(hash.Sum32()) //nolint:gosec // all bits count, the sign is one of them
}

// zero reports whether the guard is of nothing.
func (g guard) zero() bool { return g.key == int64(0) || g.key == "" }

// inOrder brings the guards into the one order in which every transaction takes them, so that no two wait for each
// other, and leaves one of each.
func inOrder(guards []guard) []guard {
	guards = slices.DeleteFunc(guards, guard.zero)
	slices.SortFunc(guards, func(a, b guard) int {
		order := cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.number(), b.number()))
		if order == 0 && a.alone != b.alone && a.alone {
			return -1 // and so is the one that is left
		}
		return order
	})
	return slices.CompactFunc(guards, func(a, b guard) bool { return a.kind == b.kind && a.number() == b.number() })
}

// take waits for the guards and holds them until the end of the transaction.
func (d *DB) take(tx *gorm.DB, guards ...guard) error {
	if guards = inOrder(guards); len(guards) == 0 {
		return nil
	}
	return d.backend.take(tx, guards)
}

// permit takes the guards of a change and of its caller, and then judges whether the caller may make it. It comes first
// in a transaction.
func (d *DB) permit(tx *gorm.DB, p token.Permit, guards ...guard) error {
	guards = append(guards,
		guard{kind: guardedToken, key: p.Token}, guard{kind: guardedUser, key: p.UserID},
		guard{kind: guardedAccount, key: p.AccountID}, guard{kind: guardedEnvironment, key: p.EnvironmentID})
	if err := d.take(tx, guards...); err != nil {
		return err
	}
	if p.Judge == nil {
		return nil
	}
	now, err := d.callerNow(tx, p)
	if err != nil {
		return err
	}
	return refuse(p.Judge(now))
}

// callerNow reads the caller's credential again, nothing if it is gone.
func (d *DB) callerNow(tx *gorm.DB, p token.Permit) (token.Identity, error) {
	query, key := callerByToken, p.Token
	if key == 0 {
		query, key = callerByUser, p.UserID
	}
	var row identityRow
	err := tx.Raw(query, key).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return token.Identity{}, nil
	}
	if err != nil {
		return token.Identity{}, err
	}
	return row.identity(d.dialects)
}
