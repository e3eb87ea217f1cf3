package store

import (
	"context"
	"time"

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
		if err := d.insertSeed(tx, seed); err != nil {
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

// insertSeed stores each thing with its event.
func (d *DB) insertSeed(tx *gorm.DB, seed token.Seed) error {
	p := token.Permit{
		By:    token.By{Credential: token.ByDatabase},
		Clock: func() time.Time { return seed.User.CreatedAt },
	}
	if _, err := insertOne(d, tx, p, accountToRow(seed.Account)); err != nil {
		return err
	}
	for _, e := range seed.Environments {
		if _, err := insertOne(d, tx, p, environmentToRow(e)); err != nil {
			return err
		}
	}
	user, err := insertOne(d, tx, p, userToRow(seed.User))
	if err != nil {
		return err
	}
	seed.Token.UserID = user.ID
	row := tokenToRow(seed.Token)
	if err := tx.Create(&row).Error; err != nil {
		return err
	}
	e := eventOf(p, token.Origin{}, "token", "create")
	e.about(&tokenRow{}, &row)
	if err := d.record(tx, e); err != nil {
		return err
	}
	return insertMaxima(tx, seed.Maxima)
}
