package store

import (
	"cmp"
	"context"
	"errors"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/tokenwright/tokenwright/internal/token"
)

// attempts is how often a transaction is tried that PostgreSQL rejects as a conflict.
const attempts = 6

// transact runs fn in a transaction, and retries it if the database asks for that. A panic of fn rolls back and
// propagates.
func (d *DB) transact(ctx context.Context, c class, fn func(tx *gorm.DB) error) error {
	line, db := d.queue(c)
	leave, err := line.enter(ctx, c)
	if err != nil {
		return d.translate(ctx, err)
	}
	defer leave()
	return d.room(c == revoking, func() error {
		return d.try(ctx, func() error {
			err := db.WithContext(ctx).Transaction(fn)
			if err == nil {
				d.commits.Add(1)
			}
			return err
		})
	})
}

// transactOnConn is transact for statements of a [conn]; fn begins and ends the transaction.
func (d *DB) transactOnConn(ctx context.Context, c class, fn func(conn) error) error {
	line, pool := d.queue(c)
	leave, err := line.enter(ctx, c)
	if err != nil {
		return d.translate(ctx, err)
	}
	defer leave()
	return d.room(c == revoking, func() error {
		return d.try(ctx, func() error { return d.onConn(ctx, pool, fn) })
	})
}

// queue is where changes of the class wait, and for what.
func (d *DB) queue(c class) (*line, *gorm.DB) {
	if c == revoking {
		return d.revoking, d.revoker
	}
	return d.writing, d.writer
}

func (d *DB) try(ctx context.Context, once func() error) error {
	for attempt := 1; ; attempt++ {
		err := once()
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

// classOf is the class of work for the caller in the context.
func classOf(ctx context.Context, urgent bool) class {
	switch {
	case urgent:
		return revoking
	case token.ShareOf(ctx).Nobodys():
		return nobodys
	}
	return common
}

// pause waits for a random time, so that transactions that conflicted do not conflict again.
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

// guard is a lock on a thing. Transactions that depend on the thing share it; a change of the thing takes it
// exclusively. Row locks would not do: PostgreSQL lets new sharers of a row overtake a waiting change, so that a leaked
// token could delay its own revocation as long as it keeps creating. Advisory locks queue. Two things whose keys have
// the same hash wait for each other needlessly, which is rare and harmless.
type guard struct {
	kind  guarded
	key   any
	alone bool
	hash  int32 // of key, in guards that are in order
}

// guarded is the first half of an advisory lock's number: the kind of thing, in the order in which guards are taken.
type guarded int32

const (
	guardedToken guarded = 0x74770000 + iota // far from the numbers that another program in the database may use
	guardedUser
	guardedAccount
	guardedEnvironment
	guardedLog // of events; its one key is 1
)

// number is the second half of an advisory lock's number.
func (g guard) number() int32 {
	hash := fnv.New32a()
	switch key := g.key.(type) {
	case int64:
		_, _ = hash.Write(strconv.AppendInt(nil, key, 10))
	case string:
		_, _ = io.WriteString(hash, key)
	}
	return int32(hash.Sum32()) //nolint:gosec // all bits count, the sign is one of them
}

// advisory is the number of an advisory lock.
type advisory struct {
	kind   guarded
	number int32
}

// advisory is for guards in order.
func (g guard) advisory() advisory { return advisory{g.kind, g.hash} }

// zero reports whether the guard guards nothing.
func (g guard) zero() bool { return g.key == int64(0) || g.key == "" }

// inOrder sorts the guards into the order in which every transaction takes them, so that there is no deadlock, and
// removes duplicates.
func inOrder(guards []guard) []guard {
	guards = slices.DeleteFunc(guards, guard.zero)
	for i := range guards {
		guards[i].hash = guards[i].number()
	}
	slices.SortFunc(guards, func(a, b guard) int {
		order := cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.hash, b.hash))
		if order == 0 && a.alone != b.alone && a.alone {
			return -1 // and so is the one that is left
		}
		return order
	})
	return slices.CompactFunc(guards, func(a, b guard) bool { return a.kind == b.kind && a.hash == b.hash })
}

// take waits for the guards and holds them until the end of the transaction.
func (d *DB) take(tx *gorm.DB, guards ...guard) error {
	if guards = inOrder(guards); len(guards) == 0 {
		return nil
	}
	return runIn(tx, d.backend.take(guards, true, nil))
}

// runIn runs statements of a [conn] that return nothing in a transaction of GORM.
func runIn(tx *gorm.DB, statements []statement) error {
	for _, s := range statements {
		if _, err := tx.Statement.ConnPool.ExecContext(tx.Statement.Context, s.text, s.args...); err != nil {
			return err
		}
	}
	return nil
}

// permit takes the guards of a change and of its caller, and then authorizes the change. It comes first in a
// transaction.
func (d *DB) permit(tx *gorm.DB, p token.Permit, guards ...guard) error {
	if err := d.take(tx, append(guards, permitGuards(p)...)...); err != nil {
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

// permitGuards are those of what the right depends on.
func permitGuards(p token.Permit) []guard {
	return []guard{
		{kind: guardedToken, key: p.Token}, {kind: guardedUser, key: p.UserID},
		{kind: guardedAccount, key: p.AccountID}, {kind: guardedEnvironment, key: p.EnvironmentID},
	}
}

// callerNow reads the caller's credential again, nothing if it is gone.
func (d *DB) callerNow(tx *gorm.DB, p token.Permit) (id token.Identity, err error) {
	t := token.Token{UserID: p.UserID}
	if p.Token != 0 {
		row, err := byKey[tokenRow](tx, p.Token)
		if errors.Is(err, gorm.ErrRecordNotFound) {
			return id, nil
		}
		if err != nil {
			return id, err
		}
		if t, err = row.token(d.dialects); err != nil {
			return id, err
		}
		id.Token = &t
	}
	if id.User, err = fact(tx, t.UserID, userRow.user); err != nil {
		return id, err
	}
	accountID := t.AccountID
	if accountID == "" && id.User != nil {
		accountID = id.User.AccountID
	}
	if id.Account, err = fact(tx, accountID, accountRow.account); err != nil {
		return id, err
	}
	id.Environment, err = fact(tx, t.EnvironmentID, environmentRow.environment)
	return id, err
}

// fact reads one row, nil if the key is zero or names none.
func fact[R, D any, K comparable](tx *gorm.DB, key K, convert func(R) D) (*D, error) {
	var zero K
	if key == zero {
		return nil, nil
	}
	row, err := byKey[R](tx, key)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return new(convert(row)), nil
}
