package store

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"github.com/tokenwright/tokenwright/internal/token"
)

// Create implements [token.Store].
func (d *DB) Create(ctx context.Context, in token.Insert) (token.Token, error) {
	var created token.Token
	err := d.transact(ctx, classOf(ctx, in.Permit.Urgent), func(tx *gorm.DB) error {
		facts, err := d.readFacts(tx, in)
		if err != nil {
			return err
		}
		t := in.Token
		if err := refuse(in.Decide(&t, facts)); err != nil {
			return err
		}
		row := tokenToRow(t)
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		created, err = row.token(d.dialects)
		return err
	})
	return created, err
}

// readFacts reads what the token depends on, after the guards that keep all that as it is read.
func (d *DB) readFacts(tx *gorm.DB, in token.Insert) (facts token.Facts, err error) {
	t := in.Token
	if t.AccountID == "" && t.EnvironmentID != "" {
		if t.AccountID, err = accountOf(tx, t.EnvironmentID); err != nil {
			return facts, err
		}
	}
	if err := d.permit(tx, in.Permit, dependencies(t, in.Exclusive)...); err != nil {
		return facts, err
	}
	if facts.User, err = fact(tx, t.UserID, userRow.user); err != nil {
		return facts, err
	}
	if facts.Account, err = fact(tx, t.AccountID, accountRow.account); err != nil {
		return facts, err
	}
	if facts.Environment, err = fact(tx, t.EnvironmentID, environmentRow.environment); err != nil {
		return facts, err
	}
	if t.Dialect.PublishesStatus {
		if facts.Entry, err = d.nextEntry(tx); err != nil {
			return facts, err
		}
	}
	if in.Exclusive {
		err = readHoldings(tx, t, &facts)
	}
	return facts, err
}

// accountOf may read before any guard is taken, because an environment never changes its account.
func accountOf(tx *gorm.DB, environmentID string) (string, error) {
	env, err := fact(tx, environmentID, environmentRow.environment)
	if env == nil {
		return "", err
	}
	return env.AccountID, err
}

// dependencies are the guards of what the token names. One that is exclusive has its user's alone.
func dependencies(t token.Token, exclusive bool) []guard {
	return []guard{
		{kind: guardedUser, key: t.UserID, alone: exclusive},
		{kind: guardedAccount, key: t.AccountID},
		{kind: guardedEnvironment, key: t.EnvironmentID},
	}
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

// readHoldings counts what the user holds. It comes after the user's guard, and so sees what others committed under it.
func readHoldings(tx *gorm.DB, t token.Token, facts *token.Facts) error {
	held := tx.Model(&tokenRow{}).Where("deleted_at IS NULL AND dialect = ? AND user_id = ?", t.Dialect.Name, t.UserID)
	var total, named int64
	if err := held.Session(&gorm.Session{}).Count(&total).Error; err != nil {
		return err
	}
	if t.Name != "" {
		if err := held.Session(&gorm.Session{}).Where("name = ?", t.Name).Count(&named).Error; err != nil {
			return err
		}
	}
	facts.Held, facts.NameTaken = int(total), named > 0
	return nil
}
