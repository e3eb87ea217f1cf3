package store

import (
	"context"

	"gorm.io/gorm"

	"github.com/tokenwright/tokenwright/internal/token"
)

// Initialize implements [token.Registry]. Once the transaction has begun it no longer listens to the context's
// cancellation except between statements, because after an interrupted commit nobody knows whether it happened.
func (d *DB) Initialize(ctx context.Context, seed token.Seed, deliver func() error) (bool, error) {
	if used, err := hasUsers(d.reader.WithContext(ctx)); used || err != nil {
		return false, d.translate(ctx, err) // without taking the lock, which would stall a running server
	}
	stored := false
	err := d.writer.WithContext(context.WithoutCancel(ctx)).Transaction(func(outer *gorm.DB) error {
		tx := outer.WithContext(ctx)
		if err := d.backend.lockUsers(tx); err != nil {
			return err
		}
		if used, err := hasUsers(tx); used || err != nil {
			return err
		}
		if err := insertSeed(tx, seed); err != nil {
			return err
		}
		stored = true
		return refuse(deliver())
	})
	if err != nil {
		return false, d.translate(ctx, err)
	}
	return stored, nil
}

func hasUsers(tx *gorm.DB) (bool, error) {
	var rows []userRow
	err := tx.Select("id").Limit(1).Find(&rows).Error
	return len(rows) > 0, err
}

func insertSeed(tx *gorm.DB, seed token.Seed) error {
	account := accountToRow(seed.Account)
	if err := tx.Create(&account).Error; err != nil {
		return err
	}
	for _, e := range seed.Environments {
		row := environmentToRow(e)
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
	}
	user := userToRow(seed.User)
	if err := tx.Create(&user).Error; err != nil {
		return err
	}
	seed.Token.UserID = user.ID
	row := tokenToRow(seed.Token)
	if err := tx.Create(&row).Error; err != nil {
		return err
	}
	return insertMaxima(tx, seed.Maxima)
}
