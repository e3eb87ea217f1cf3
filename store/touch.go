package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/tokenwright/tokenwright/internal/token"
)

// touchBatch is how many last-use times one statement stores. In a large database each is on a page of its own, which
// SQLite writes twice, and changes wait meanwhile.
const touchBatch = 100

// touchStatement stores the times of a batch. PostgreSQL locks the rows in the order of their numbers, so that batches
// of several servers do not block each other for ever; SQLite has no row locks.
const touchStatement = `WITH use (seq, at) AS (VALUES %s),
	later AS (SELECT t.seq, use.at FROM tokens t JOIN use ON use.seq = t.seq
		WHERE t.last_used_at IS NULL OR t.last_used_at < use.at ORDER BY t.seq %s)
	UPDATE tokens SET last_used_at = later.at FROM later WHERE tokens.seq = later.seq`

// touchPrevious is the same for previous secrets, which few have.
const touchPrevious = `UPDATE tokens SET previous_used_at = $1
	WHERE previous_hash = $2 AND (previous_used_at IS NULL OR previous_used_at < $1)`

// Touch implements [token.Store].
func (d *DB) Touch(ctx context.Context, uses map[int64]time.Time) error {
	for batch := range slices.Chunk(slices.Sorted(maps.Keys(uses)), touchBatch) {
		args := make([]any, 0, 2*len(batch))
		for _, seq := range batch {
			args = append(args, seq, uses[seq].UnixMilli())
		}
		statement := d.touchStatement(len(batch))
		err := d.transact(ctx, later, func(tx *gorm.DB) error { return tx.Exec(statement, args...).Error })
		if err != nil {
			return err
		}
	}
	return nil
}

// TouchPrevious implements [token.Store]. Each is a transaction of its own, so that nobody waits for two rows.
func (d *DB) TouchPrevious(ctx context.Context, uses map[token.Hash]time.Time) error {
	for hash, at := range uses {
		err := d.transact(ctx, later, func(tx *gorm.DB) error {
			return tx.Exec(touchPrevious, at.UnixMilli(), hash[:]).Error
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *DB) touchStatement(uses int) string {
	values := strings.TrimSuffix(strings.Repeat("(CAST(? AS bigint), CAST(? AS bigint)), ", uses), ", ")
	return fmt.Sprintf(touchStatement, values, d.backend.lockRows)
}
