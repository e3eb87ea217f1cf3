package store

import (
	"context"
	"strconv"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/tokenwright/tokenwright/internal/token"
)

// Find implements [token.Store].
func (d *DB) Find(ctx context.Context, ref token.Ref) (token.Token, error) {
	row, err := takeToken(d.reader.WithContext(ctx), ref)
	if err != nil {
		return token.Token{}, d.translate(ctx, err)
	}
	return row.token(), nil
}

// takeToken reads the row that the public id names.
func takeToken(tx *gorm.DB, ref token.Ref) (tokenRow, error) {
	var row tokenRow
	if !ref.Dialect.NumbersIDs() {
		err := tx.Where("dialect = ? AND public_id = ?", string(ref.Dialect), ref.ID).Take(&row).Error
		return row, err
	}
	seq, err := strconv.ParseInt(ref.ID, 10, 64)
	if err != nil || strconv.FormatInt(seq, 10) != ref.ID {
		return row, gorm.ErrRecordNotFound
	}
	err = tx.Where("dialect = ? AND seq = ?", string(ref.Dialect), seq).Take(&row).Error
	return row, err
}

// Update implements [token.Store].
func (d *DB) Update(ctx context.Context, ref token.Ref, change func(*token.Token) error) (token.Token, error) {
	var row tokenRow
	err := d.change(ctx, func(tx *gorm.DB) (err error) {
		if row, err = d.lockToken(tx, ref); err != nil {
			return err
		}
		changed := row.token()
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
		return d.announce(tx, token.Change{Token: row.Seq, List: orZero(row.StatusList)})
	})
	if err != nil {
		return token.Token{}, err
	}
	return row.token(), nil
}

// lockToken reads the row for a change, which creates that the token mints must not overlap.
func (d *DB) lockToken(tx *gorm.DB, ref token.Ref) (tokenRow, error) {
	row, err := takeToken(tx, ref)
	if err != nil || !d.backend.postgres() {
		return row, err
	}
	if err := d.take(tx, guard{kind: guardedToken, key: row.Seq, alone: true}); err != nil {
		return row, err
	}
	return byKey[tokenRow](forChange(tx), row.Seq) // again, as others may have left it
}

// List implements [token.Store].
func (d *DB) List(ctx context.Context, q token.Query) ([]token.Token, error) {
	var rows []tokenRow
	if err := page(d.reader.WithContext(ctx), q).Find(&rows).Error; err != nil {
		return nil, d.translate(ctx, err)
	}
	tokens := make([]token.Token, len(rows))
	for i, row := range rows {
		tokens[i] = row.token()
	}
	return tokens, nil
}

// page is one range of an index: it begins where the page before ended, so that no page costs more than the first.
func page(tx *gorm.DB, q token.Query) *gorm.DB {
	tx = tx.Where("deleted_at IS NULL")
	tx = whereSet(tx, "dialect", string(q.Dialect))
	tx = whereSet(tx, "user_id", q.UserID)
	tx = whereSet(tx, "account_id", q.AccountID)
	tx = whereSet(tx, "environment_id", q.EnvironmentID)
	tx = whereSet(tx, "scope", string(q.Scope))
	tx = whereStatus(tx, q)
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

// whereStatus says in SQL what [token.Token.Status] says in Go, so that the page is full.
func whereStatus(tx *gorm.DB, q token.Query) *gorm.DB {
	switch q.Status {
	case "":
		return tx
	case token.Revoked:
		return tx.Where("state = ?", string(q.Status))
	case token.Expired:
		return tx.Where("state <> ? AND expires_at <= ?", string(token.Revoked), q.Now.UnixMilli())
	default:
		return tx.Where("state = ? AND (expires_at IS NULL OR expires_at > ?)", string(q.Status), q.Now.UnixMilli())
	}
}
