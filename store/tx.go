package store

import (
	"context"
	"math/rand/v2"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// The strengths of PostgreSQL's row locks that are used. SQLite has none and its GORM dialect leaves them out: there a
// transaction of the writer begins with the lock of the whole database.
const (
	forShare  = "SHARE"
	forUpdate = "UPDATE"
)

// attempts is how often a transaction is tried that PostgreSQL asks to repeat.
const attempts = 6

// transact runs fn in a transaction, again if the database asks for that. A panic of fn rolls back and goes on.
func (d *DB) transact(ctx context.Context, fn func(tx *gorm.DB) error) error {
	for attempt := 1; ; attempt++ {
		err := d.writer.WithContext(ctx).Transaction(fn)
		if !repeatable(err) || attempt == attempts || pause(ctx, attempt) != nil {
			return d.translate(ctx, err)
		}
	}
}

// pause waits for a random time, so that transactions that met do not meet again.
func pause(ctx context.Context, attempt int) error {
	timer := time.NewTimer(rand.N(time.Duration(attempt) * 10 * time.Millisecond))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// locked reads the row with the primary key under a lock of the strength until the end of the transaction; it fails
// with gorm.ErrRecordNotFound.
func locked[R any](tx *gorm.DB, strength string, key any) (R, error) {
	var row R
	err := tx.Clauses(clause.Locking{Strength: strength}).Where(clause.Eq{Column: clause.PrimaryColumn, Value: key}).
		Take(&row).Error
	return row, err
}
