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

const (
	previousRows = "SELECT t.previous_hash FROM tokens t WHERE t.previous_hash IN ? ORDER BY t.seq "
	// touchPrevious stores the time of a previous secret, which few tokens have.
	touchPrevious = `UPDATE tokens SET previous_used_at = ?
		WHERE previous_hash = ? AND (previous_used_at IS NULL OR previous_used_at < ?)`
)

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

// TouchPrevious implements [token.Store].
func (d *DB) TouchPrevious(ctx context.Context, uses map[token.Hash]time.Time) error {
	hashes := make([][]byte, 0, len(uses))
	for hash := range uses {
		hashes = append(hashes, hash[:])
	}
	for batch := range slices.Chunk(hashes, touchBatch) {
		err := d.transact(ctx, later, func(tx *gorm.DB) error { return d.touchPrevious(tx, batch, uses) })
		if err != nil {
			return err
		}
	}
	return nil
}

// touchPrevious locks the rows of a batch in the order of their numbers, as for [touchStatement].
func (d *DB) touchPrevious(tx *gorm.DB, batch [][]byte, uses map[token.Hash]time.Time) error {
	var rows []struct{ PreviousHash []byte }
	if err := tx.Raw(previousRows+d.backend.lockRows, batch).Scan(&rows).Error; err != nil {
		return err
	}
	for _, row := range rows {
		at := uses[token.Hash(row.PreviousHash)].UnixMilli()
		if err := tx.Exec(touchPrevious, at, row.PreviousHash, at).Error; err != nil {
			return err
		}
	}
	return nil
}

func (d *DB) touchStatement(uses int) string {
	values := strings.TrimSuffix(strings.Repeat("(CAST(? AS bigint), CAST(? AS bigint)), ", uses), ", ")
	return fmt.Sprintf(touchStatement, values, d.backend.lockRows)
}
