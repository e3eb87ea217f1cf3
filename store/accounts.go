package store

import (
	"context"

	"gorm.io/gorm"

	"github.com/tokenwright/tokenwright/internal/token"
)

// CreateAccount implements [token.Registry].
func (d *DB) CreateAccount(ctx context.Context, p token.Permit, a token.Account) error {
	_, err := insert(ctx, d, p, accountToRow(a))
	return err
}

// FindAccount implements [token.Registry].
func (d *DB) FindAccount(ctx context.Context, id string) (token.Account, error) {
	return find(ctx, d, id, accountRow.account)
}

// ListAccounts implements [token.Registry].
func (d *DB) ListAccounts(ctx context.Context, after string, limit int) ([]token.Account, error) {
	return pageOf(ctx, d, after, limit, accountRow.account)
}

// UpdateAccount implements [token.Registry].
func (d *DB) UpdateAccount(
	ctx context.Context, p token.Permit, id string, change func(*token.Account) error,
) (token.Account, error) {
	return update(ctx, d, p, guard{kind: guardedAccount, key: id, alone: true}, token.Change{Account: id},
		accountRow.account, change, func(row *accountRow, a token.Account) {
			row.Disabled, row.UpdatedAt = a.Disabled, a.UpdatedAt.UnixMilli()
		})
}

// CreateEnvironment implements [token.Registry].
func (d *DB) CreateEnvironment(ctx context.Context, p token.Permit, e token.Environment) error {
	_, err := insert(ctx, d, p, environmentToRow(e))
	return err
}

// FindEnvironment implements [token.Registry].
func (d *DB) FindEnvironment(ctx context.Context, id string) (token.Environment, error) {
	return find(ctx, d, id, environmentRow.environment)
}

// ListEnvironments implements [token.Registry].
func (d *DB) ListEnvironments(ctx context.Context, after string, limit int) ([]token.Environment, error) {
	return pageOf(ctx, d, after, limit, environmentRow.environment)
}

// UpdateEnvironment implements [token.Registry].
func (d *DB) UpdateEnvironment(
	ctx context.Context, p token.Permit, id string, change func(*token.Environment) error,
) (token.Environment, error) {
	return update(ctx, d, p, guard{kind: guardedEnvironment, key: id, alone: true}, token.Change{Environment: id},
		environmentRow.environment, change, func(row *environmentRow, e token.Environment) {
			row.Disabled, row.UpdatedAt = e.Disabled, e.UpdatedAt.UnixMilli()
		})
}

// insert stores a new row of the registry, if the permit stands.
func insert[R audited[R]](ctx context.Context, d *DB, p token.Permit, row R) (R, error) {
	var stored R
	err := d.transact(ctx, classOf(ctx, p.Urgent), func(tx *gorm.DB) (err error) {
		if err := d.permit(tx, p); err != nil {
			return err
		}
		stored, err = insertOne(d, tx, p, row)
		return err
	})
	return stored, err
}

// insertOne stores a new row of the registry with its event.
func insertOne[R audited[R]](d *DB, tx *gorm.DB, p token.Permit, row R) (R, error) {
	if err := tx.Create(&row).Error; err != nil {
		return row, err
	}
	var before R
	return row, d.record(tx, describe(p, token.OriginOf(tx.Statement.Context), before, row, created()))
}

// find reads one row of the registry.
func find[R, D any](ctx context.Context, d *DB, id any, convert func(R) D) (found D, err error) {
	var row R
	err = d.read(ctx, func(tx *gorm.DB) (err error) {
		row, err = byKey[R](tx, id)
		return err
	})
	return convert(row), err
}

// pageOf reads a page of the registry.
func pageOf[R, D any](ctx context.Context, d *DB, after any, limit int, convert func(R) D) ([]D, error) {
	var rows []R
	err := d.read(ctx, func(tx *gorm.DB) error {
		return tx.Where("id > ?", after).Order("id").Limit(limit).Find(&rows).Error
	})
	if err != nil {
		return nil, err
	}
	page := make([]D, len(rows))
	for i, row := range rows {
		page[i] = convert(row)
	}
	return page, nil
}

// update changes a row that is disabled or enabled, and announces it as changed. Keep moves what may change from the
// thing to its row.
func update[R audited[R], D any](
	ctx context.Context, d *DB, p token.Permit, g guard, changed token.Change,
	convert func(R) D, change func(*D) error, keep func(*R, D),
) (D, error) {
	var row R
	err := d.transact(ctx, classOf(ctx, p.Urgent), func(tx *gorm.DB) (err error) {
		if err := d.permit(tx, p, g); err != nil {
			return err
		}
		if row, err = byKey[R](forChange(tx), g.key); err != nil {
			return err
		}
		before, thing := row, convert(row)
		if err := refuse(change(&thing)); err != nil {
			return err
		}
		keep(&row, thing)
		if err := d.record(tx, describe(p, token.OriginOf(ctx), before, row, &difference{})); err != nil {
			return err
		}
		return d.storeChange(tx, &row, []string{"disabled", "updated_at"}, changed)
	})
	return convert(row), err
}

// storeChange stores the columns of a row of the registry that change, and announces that.
func (d *DB) storeChange(tx *gorm.DB, row any, columns []string, c token.Change) error {
	if err := tx.Model(row).Select(columns).UpdateColumns(row).Error; err != nil {
		return err
	}
	return runIn(tx, d.backend.announce(c))
}
