package store

import (
	"context"

	"gorm.io/gorm"

	"github.com/tokenwright/tokenwright/internal/token"
)

// CreateAccount implements [token.Registry].
func (d *DB) CreateAccount(ctx context.Context, a token.Account) error {
	row := accountToRow(a)
	return d.transact(ctx, func(tx *gorm.DB) error { return tx.Create(&row).Error })
}

// FindAccount implements [token.Registry].
func (d *DB) FindAccount(ctx context.Context, id string) (token.Account, error) {
	return find(ctx, d, id, accountRow.account)
}

// ListAccounts implements [token.Registry].
func (d *DB) ListAccounts(ctx context.Context, after string, limit int) ([]token.Account, error) {
	return list(ctx, d, after, limit, accountRow.account)
}

// UpdateAccount implements [token.Registry].
func (d *DB) UpdateAccount(ctx context.Context, id string, change func(*token.Account) error) (token.Account, error) {
	var row accountRow
	err := d.change(ctx, func(tx *gorm.DB) (err error) {
		if err := d.take(tx, guard{kind: guardedAccount, key: id, alone: true}); err != nil {
			return err
		}
		if row, err = byKey[accountRow](forChange(tx), id); err != nil {
			return err
		}
		changed := row.account()
		if err := refuse(change(&changed)); err != nil {
			return err
		}
		row.Disabled, row.UpdatedAt = changed.Disabled, changed.UpdatedAt.UnixMilli()
		return storeDisabled(d, tx, &row, token.Change{})
	})
	if err != nil {
		return token.Account{}, err
	}
	return row.account(), nil
}

// CreateEnvironment implements [token.Registry].
func (d *DB) CreateEnvironment(ctx context.Context, e token.Environment) error {
	row := environmentToRow(e)
	return d.transact(ctx, func(tx *gorm.DB) error { return tx.Create(&row).Error })
}

// FindEnvironment implements [token.Registry].
func (d *DB) FindEnvironment(ctx context.Context, id string) (token.Environment, error) {
	return find(ctx, d, id, environmentRow.environment)
}

// ListEnvironments implements [token.Registry].
func (d *DB) ListEnvironments(ctx context.Context, after string, limit int) ([]token.Environment, error) {
	return list(ctx, d, after, limit, environmentRow.environment)
}

// UpdateEnvironment implements [token.Registry].
func (d *DB) UpdateEnvironment(ctx context.Context, id string,
	change func(*token.Environment) error) (token.Environment, error) {
	var row environmentRow
	err := d.change(ctx, func(tx *gorm.DB) (err error) {
		if err := d.take(tx, guard{kind: guardedEnvironment, key: id, alone: true}); err != nil {
			return err
		}
		if row, err = byKey[environmentRow](forChange(tx), id); err != nil {
			return err
		}
		changed := row.environment()
		if err := refuse(change(&changed)); err != nil {
			return err
		}
		row.Disabled, row.UpdatedAt = changed.Disabled, changed.UpdatedAt.UnixMilli()
		return storeDisabled(d, tx, &row, token.Change{})
	})
	if err != nil {
		return token.Environment{}, err
	}
	return row.environment(), nil
}

// find reads one row of the registry.
func find[R, D any](ctx context.Context, d *DB, id any, convert func(R) D) (found D, err error) {
	row, err := byKey[R](d.reader.WithContext(ctx), id)
	if err != nil {
		return found, d.translate(ctx, err)
	}
	return convert(row), nil
}

// list reads a page of the registry.
func list[R, D any](ctx context.Context, d *DB, after any, limit int, convert func(R) D) ([]D, error) {
	var rows []R
	if err := d.reader.WithContext(ctx).Where("id > ?", after).Order("id").Limit(limit).Find(&rows).Error; err != nil {
		return nil, d.translate(ctx, err)
	}
	page := make([]D, len(rows))
	for i, row := range rows {
		page[i] = convert(row)
	}
	return page, nil
}

// storeDisabled stores the two columns of a row of the registry that change, and announces that.
func storeDisabled[R any](d *DB, tx *gorm.DB, row *R, c token.Change) error {
	if err := tx.Model(row).Select("disabled", "updated_at").UpdateColumns(row).Error; err != nil {
		return err
	}
	return d.announce(tx, c)
}
