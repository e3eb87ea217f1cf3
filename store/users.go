package store

import (
	"context"

	"gorm.io/gorm"

	"github.com/tokenwright/tokenwright/internal/token"
)

// enabledAdmins has the condition of the index users_admins.
const enabledAdmins = "role = 'admin' AND NOT disabled"

// CreateUser implements [token.Registry].
func (d *DB) CreateUser(ctx context.Context, p token.Permit, u token.User) (token.User, error) {
	row, err := insert(ctx, d, p, userToRow(u))
	return row.user(), err
}

// FindUser implements [token.Registry].
func (d *DB) FindUser(ctx context.Context, id int64) (token.User, error) {
	return find(ctx, d, id, userRow.user)
}

// ListUsers implements [token.Registry].
func (d *DB) ListUsers(ctx context.Context, after int64, limit int) ([]token.User, error) {
	return pageOf(ctx, d, after, limit, userRow.user)
}

// FirstAdmin implements [token.Registry].
func (d *DB) FirstAdmin(ctx context.Context) (token.User, error) {
	var row userRow
	err := d.read(ctx, func(tx *gorm.DB) error { return tx.Where(enabledAdmins).Order("id").Take(&row).Error })
	return row.user(), err
}

// UpdateUser implements [token.Registry].
func (d *DB) UpdateUser(
	ctx context.Context, p token.Permit, id int64, change func(*token.User, int) error,
) (token.User, error) {
	var row userRow
	err := d.transact(ctx, classOf(ctx, p.Urgent), func(tx *gorm.DB) error {
		if err := d.permit(tx, p, guard{kind: guardedUser, key: id, alone: true}); err != nil {
			return err
		}
		user, otherAdmins, err := lockUserAndAdmins(tx, id)
		if err != nil {
			return err
		}
		before, changed := user, user.user()
		if err := refuse(change(&changed, otherAdmins)); err != nil {
			return err
		}
		user.Role, user.AccountID = string(changed.Role), orNull(changed.AccountID)
		user.Disabled, user.UpdatedAt = changed.Disabled, changed.UpdatedAt.UnixMilli()
		row = user
		if err := d.record(tx, describe(p, token.OriginOf(ctx), before, row, &difference{})); err != nil {
			return err
		}
		return d.storeChange(tx, &row, []string{"role", "account_id", "disabled", "updated_at"}, token.Change{User: row.ID})
	})
	return row.user(), err
}

// lockUserAndAdmins locks all enabled admins in the order of their ids and then the user, so that two callers who would
// disable the last two admins take turns: the second finds the first one's admin disabled and not counted.
func lockUserAndAdmins(tx *gorm.DB, id int64) (user userRow, otherAdmins int, err error) {
	var admins []userRow
	if err := forChange(tx).Where(enabledAdmins).Order("id").Find(&admins).Error; err != nil {
		return user, 0, err
	}
	for _, admin := range admins {
		if admin.ID != id {
			otherAdmins++
		}
	}
	user, err = byKey[userRow](forChange(tx), id)
	return user, otherAdmins, err
}
