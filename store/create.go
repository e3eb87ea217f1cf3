package store

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"github.com/tokenwright/tokenwright/internal/token"
)

// Create implements [token.Store].
func (d *DB) Create(ctx context.Context, in token.Insert) (token.Token, error) {
	var row tokenRow
	err := d.transact(ctx, func(tx *gorm.DB) error {
		facts, err := readFacts(tx, in)
		if err != nil {
			return err
		}
		t := in.Token
		if err := refuse(in.Decide(&t, facts)); err != nil {
			return err
		}
		row = tokenToRow(t)
		return tx.Create(&row).Error
	})
	if err != nil {
		return token.Token{}, err
	}
	return row.token(), nil
}

// readFacts locks rows in one order for all creates (minter, user, account, environment), so that two never wait for
// each other.
func readFacts(tx *gorm.DB, in token.Insert) (facts token.Facts, err error) {
	t := in.Token
	if facts.Minter, err = fact(tx, forShare, t.MintedBy, tokenRow.token); err != nil {
		return facts, err
	}
	userLock := forShare
	if in.Exclusive {
		userLock = forUpdate
	}
	if facts.User, err = fact(tx, userLock, t.UserID, userRow.user); err != nil {
		return facts, err
	}
	if facts.Account, err = readAccount(tx, t); err != nil {
		return facts, err
	}
	if facts.Environment, err = fact(tx, forShare, t.EnvironmentID, environmentRow.environment); err != nil {
		return facts, err
	}
	if in.Exclusive {
		err = readHoldings(tx, t, &facts)
	}
	return facts, err
}

// fact reads and locks one row, nil if the key is zero or names none.
func fact[R, D any, K comparable](tx *gorm.DB, strength string, key K, convert func(R) D) (*D, error) {
	var zero K
	if key == zero {
		return nil, nil
	}
	row, err := locked[R](tx, strength, key)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, nil
	}
	return new(convert(row)), err
}

// readAccount may read the environment before the account is locked, because an environment never changes its account.
func readAccount(tx *gorm.DB, t token.Token) (*token.Account, error) {
	id := t.AccountID
	if id == "" && t.EnvironmentID != "" {
		var rows []environmentRow
		if err := tx.Where("id = ?", t.EnvironmentID).Find(&rows).Error; err != nil {
			return nil, err
		}
		for _, row := range rows {
			id = row.AccountID
		}
	}
	return fact(tx, forShare, id, accountRow.account)
}

// readHoldings counts what the user holds. It comes after the lock of the user, and so sees what others committed
// under that lock.
func readHoldings(tx *gorm.DB, t token.Token, facts *token.Facts) error {
	held := tx.Model(&tokenRow{}).Where("deleted_at IS NULL AND dialect = ? AND user_id = ?", string(t.Dialect), t.UserID)
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
