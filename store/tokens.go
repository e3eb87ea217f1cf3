package store

import (
	"context"
	"errors"
	"strconv"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/tokenwright/tokenwright/internal/token"
)

// Find implements [token.Store].
func (d *DB) Find(ctx context.Context, ref token.Ref) (token.Token, error) {
	var found token.Token
	err := d.read(ctx, func(tx *gorm.DB) error {
		row, err := takeToken(tx, ref)
		if err == nil {
			found, err = row.token(d.dialects)
		}
		return err
	})
	return found, err
}

// takeToken reads the row that the public id names: an id that has not been given to the store is the row's own number.
func takeToken(tx *gorm.DB, ref token.Ref) (row tokenRow, err error) {
	tx = tx.Where("dialect = ?", ref.Dialect.String())
	seq, err := strconv.ParseInt(ref.ID, 10, 64)
	if err == nil && strconv.FormatInt(seq, 10) == ref.ID {
		tx = tx.Where("seq = ? AND public_id IS NULL", seq)
	} else {
		tx = tx.Where("public_id = ?", ref.ID)
	}
	err = tx.Take(&row).Error
	return row, err
}

// Update implements [token.Store].
func (d *DB) Update(
	ctx context.Context, p token.Permit, ref token.Ref, change func(*token.Token) error,
) (token.Token, error) {
	var stored token.Token
	err := d.transact(ctx, classOf(ctx, p.Urgent), func(tx *gorm.DB) error {
		row, err := d.lockToken(tx, p, ref)
		if err != nil {
			return err
		}
		changed, err := row.token(d.dialects)
		if err != nil {
			return err
		}
		if err := refuse(change(&changed)); err != nil {
			return err
		}
		row.State = string(changed.State)
		row.SuspendedByAdmin, row.Introspector = changed.SuspendedByAdmin, changed.Introspector
		row.UpdatedAt = changed.UpdatedAt.UnixMilli()
		row.DeletedAt = millisOrNull(changed.DeletedAt)
		columns := []string{"state", "suspended_by_admin", "introspector", "updated_at", "deleted_at"}
		if err := tx.Model(&row).Select(columns).UpdateColumns(row).Error; err != nil {
			return err
		}
		if stored, err = row.token(d.dialects); err != nil {
			return err
		}
		return d.backend.announce(tx, token.Change{Token: row.Seq, List: orZero(row.StatusList)})
	})
	return stored, err
}

// lockToken reads the row for a change, which must not overlap with what the token itself changes, once the caller has
// been judged: who has lost its right is not told here whether there is such a token.
func (d *DB) lockToken(tx *gorm.DB, p token.Permit, ref token.Ref) (tokenRow, error) {
	row, missing := takeToken(tx, ref)
	if missing != nil && !errors.Is(missing, gorm.ErrRecordNotFound) {
		return row, missing
	}
	if err := d.permit(tx, p, guard{kind: guardedToken, key: row.Seq, alone: true}); err != nil {
		return row, err
	}
	if missing != nil {
		return row, missing
	}
	return d.backend.lockAgain(tx, row)
}

// List implements [token.Store].
func (d *DB) List(ctx context.Context, q token.Query) ([]token.Token, error) {
	var rows []tokenRow
	if err := d.read(ctx, func(tx *gorm.DB) error { return page(tx, q).Find(&rows).Error }); err != nil {
		return nil, err
	}
	tokens := make([]token.Token, len(rows))
	for i, row := range rows {
		t, err := row.token(d.dialects)
		if err != nil {
			return nil, d.translate(ctx, err)
		}
		tokens[i] = t
	}
	return tokens, nil
}

// page is one range of an index: it begins where the page before ended, so that no page costs more than the first.
func page(tx *gorm.DB, q token.Query) *gorm.DB {
	tx = tx.Where("deleted_at IS NULL")
	tx = whereSet(tx, "dialect", q.Dialect.String())
	tx = whereSet(tx, "user_id", q.UserID)
	tx = whereSet(tx, "account_id", q.AccountID)
	tx = whereSet(tx, "environment_id", q.EnvironmentID)
	tx = whereSet(tx, "scope", string(q.Scope))
	tx = whereMadeBy(tx, q.CreatedBy)
	if q.NotOwnedBy != 0 {
		tx = tx.Where("user_id IS NULL OR user_id <> ?", q.NotOwnedBy)
	}
	tx = whereSet(tx, "signing_key", q.KeyID)
	tx = whereStatus(tx, q)
	tx = whereUsable(tx, q)
	switch {
	case q.After != 0 && q.Ascending:
		tx = tx.Where("seq > ?", q.After)
	case q.After != 0:
		tx = tx.Where("seq < ?", q.After)
	}
	order := clause.OrderByColumn{Column: clause.Column{Name: "seq"}, Desc: !q.Ascending}
	return tx.Order(order).Limit(q.Limit)
}

// whereSet narrows to rows with the value, unless the value is the zero one.
func whereSet[T comparable](tx *gorm.DB, column string, value T) *gorm.DB {
	var zero T
	if value == zero {
		return tx
	}
	return tx.Where(clause.Eq{Column: column, Value: value})
}

// usable says in SQL what [token.Verdict.Usable] says in Go.
const usable = `state = 'active' AND (expires_at IS NULL OR expires_at > @now)
	AND (signing_key IS NULL OR signing_key IN @keys)
	AND (user_id IS NULL OR user_id IN (SELECT id FROM users WHERE NOT disabled AND account_id IS NOT NULL))
	AND (account_id IS NULL OR account_id IN (SELECT id FROM accounts WHERE NOT disabled))
	AND (environment_id IS NULL OR environment_id IN (SELECT id FROM environments WHERE NOT disabled))`

func whereUsable(tx *gorm.DB, q token.Query) *gorm.DB {
	if q.Usable == nil {
		return tx
	}
	condition := usable
	if !*q.Usable {
		condition = "NOT (" + usable + ")"
	}
	return tx.Where(condition, map[string]any{"now": q.Now.UnixMilli(), "keys": q.Keys})
}

// madeBy are the tokens that a user created and those that they created in turn: a token that an account's token made
// notes no user as its maker, but the token that minted it. What another user made with a credential is that user's
// making, whoever made the credential.
const madeBy = `seq IN (WITH RECURSIVE made (seq) AS (SELECT seq FROM tokens WHERE created_by = ?
	UNION SELECT t.seq FROM tokens t JOIN made ON t.minted_by = made.seq WHERE t.created_by IS NULL) SELECT seq FROM made)`

func whereMadeBy(tx *gorm.DB, userID int64) *gorm.DB {
	if userID == 0 {
		return tx
	}
	return tx.Where(madeBy, userID)
}

// whereStatus says in SQL what [token.Token.StateAt] says in Go, so that the page is full.
func whereStatus(tx *gorm.DB, q token.Query) *gorm.DB {
	switch q.State {
	case "":
		return tx
	case token.Revoked:
		return tx.Where("state = ?", string(q.State))
	case token.Expired:
		return tx.Where("state <> ? AND expires_at <= ?", string(token.Revoked), q.Now.UnixMilli())
	default:
		return tx.Where("state = ? AND (expires_at IS NULL OR expires_at > ?)", string(q.State), q.Now.UnixMilli())
	}
}
