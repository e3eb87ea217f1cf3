package store

import (
	"context"
	"encoding/binary"
	"time"

	"gorm.io/gorm"

	"github.com/tokenwright/tokenwright/internal/token"
)

// claimRow is a request that may be repeated, see [token.Claim].
type claimRow struct {
	ID        []byte `gorm:"primaryKey"`
	Request   []byte
	Answer    []byte
	ExpiresAt int64
}

// TableName names the table.
func (claimRow) TableName() string { return "claims" }

// claiming is what a create reads and writes of its claim.
type claiming struct {
	*token.Claim      // nil: none
	free         bool // nobody else is about to get it
	held         *claimRow
}

const (
	claimByID = "SELECT c.id, c.request, c.answer, c.expires_at FROM claims c WHERE c.id = $1"
	// storeClaim takes the place of a claim that has expired.
	storeClaim = `INSERT INTO claims (id, request, answer, expires_at) VALUES ($1, $2, $3, $4) ON CONFLICT (id)
	DO UPDATE SET request = excluded.request, answer = excluded.answer, expires_at = excluded.expires_at`
)

// read finds the claim of an earlier request. It does not wait for one in progress: its caller is told to come again.
func (n *claiming) read(d *DB) (statements []statement) {
	if n.Claim == nil {
		return nil
	}
	n.free, n.held = d.backend.tryClaim == "", nil
	if !n.free {
		number := int64(binary.BigEndian.Uint64(n.ID[:])) //nolint:gosec // all bits count, the sign is one of them
		statements = append(statements, statement{d.backend.tryClaim, []any{number}, func(c columns) error {
			n.free = c.bool()
			return nil
		}})
	}
	return append(statements, statement{claimByID, []any{n.ID[:]}, func(c columns) error {
		n.held = &claimRow{ID: cloned(c.bytes()), Request: cloned(c.bytes()), Answer: cloned(c.bytes()), ExpiresAt: c.int()}
		return nil
	}})
}

func cloned(b []byte) []byte { return append([]byte(nil), b...) }

// refusal is why the create is not to be made, nil if it is. What has expired by the time at which the new claim would
// be made counts as gone, whether or not it has been deleted.
func (n *claiming) refusal() error {
	switch {
	case n.Claim == nil:
		return nil
	case !n.free:
		return token.ErrClaiming
	case n.held != nil && n.held.ExpiresAt > n.MadeAt.UnixMilli():
		return &token.Claimed{Request: token.Hash(n.held.Request), Answer: n.held.Answer}
	}
	return nil
}

// write stores the claim with the answer for the token.
func (n *claiming) write(t token.Token) ([]statement, error) {
	if n.Claim == nil {
		return nil, nil
	}
	answer, err := n.Seal(t)
	if err != nil {
		return nil, refuse(err)
	}
	return []statement{{storeClaim, []any{n.ID[:], n.Request[:], answer, n.ExpiresAt.UnixMilli()}, nil}}, nil
}

// forgotten is how many claims one transaction deletes.
const forgotten = 500

// ForgetClaims implements [token.Store].
func (d *DB) ForgetClaims(ctx context.Context, now time.Time) (more bool, err error) {
	err = d.transact(ctx, later, func(tx *gorm.DB) error {
		old := tx.Model(&claimRow{}).Select("id").Where("expires_at <= ?", now.UnixMilli()).Limit(forgotten)
		// The condition again, for a claim that was made anew since it was selected.
		deleted := tx.Where("id IN (?) AND expires_at <= ?", old, now.UnixMilli()).Delete(&claimRow{})
		more = deleted.RowsAffected == forgotten
		return deleted.Error
	})
	return more, err
}
