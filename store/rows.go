package store

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
)

// tokenRow is a row of tokens.
type tokenRow struct {
	Seq              int64 `gorm:"primaryKey;autoIncrement"`
	Dialect          string
	PublicID         *string
	SecretHash       []byte
	Name             string
	NameUnique       bool
	Scope            string
	UserID           *int64
	AccountID        *string
	EnvironmentID    *string
	State            string
	SuspendedByAdmin bool
	Introspector     bool
	RoleLimit        string
	CreatedBy        *int64
	CreatedByAdminID *string
	MintedBy         *int64
	SigningKey       *string
	CreatedAt        int64 `gorm:"autoCreateTime:false"`
	UpdatedAt        int64 `gorm:"autoUpdateTime:false"`
	ExpiresAt        *int64
	LastUsedAt       *int64
	DeletedAt        *int64
	StatusList       *int64
	StatusIndex      *int64
	SelfRotation     bool
	Rotation         rotationRow `gorm:"embedded"` // last, since no new token has any of it
}

func (tokenRow) TableName() string { return "tokens" }

// rotationRow is what a row of tokens has of its previous secret.
type rotationRow struct {
	Rotations         int64
	RotatedAt         *int64
	PreviousHash      *[]byte // and not a list of no bytes, which is not NULL
	PreviousKey       *string
	PreviousList      *int64
	PreviousIndex     *int64
	PreviousRotatedAt *int64
	PreviousEndsAt    *int64
	PreviousUsedAt    *int64
}

// formerRow is a row of former_secrets.
type formerRow struct {
	Hash        []byte `gorm:"primaryKey"`
	Token       int64
	StatusList  *int64
	StatusIndex *int64
}

func (formerRow) TableName() string { return "former_secrets" }

// tokenToRow leaves the number, and the id of a dialect whose ids are numbers, to the database.
func tokenToRow(t token.Token) tokenRow {
	row := tokenRow{
		Dialect: t.Dialect.Name, PublicID: orNull(t.ID), SecretHash: t.Hash[:], Name: t.Name, Scope: string(t.Scope),
		UserID: orNull(t.UserID), AccountID: orNull(t.AccountID), EnvironmentID: orNull(t.EnvironmentID),
		State: string(t.State), SuspendedByAdmin: t.SuspendedByAdmin, Introspector: t.Introspector,
		RoleLimit: string(t.RoleLimit), CreatedBy: orNull(t.CreatedBy), CreatedByAdminID: orNull(t.CreatedByAdminID),
		MintedBy: orNull(t.MintedBy), SigningKey: orNull(t.KeyID), CreatedAt: t.CreatedAt.UnixMilli(),
		UpdatedAt: t.UpdatedAt.UnixMilli(), ExpiresAt: millisOrNull(t.ExpiresAt), LastUsedAt: millisOrNull(t.LastUsedAt),
		DeletedAt: millisOrNull(t.DeletedAt), SelfRotation: t.SelfRotation, Rotation: rotationToRow(t),
	}
	if t.Dialect.IDs.New == nil {
		row.PublicID = nil
	}
	row.NameUnique = t.Dialect.UniqueNames && t.Name != ""
	row.StatusList, row.StatusIndex = entryToRow(t.Entry)
	return row
}

func rotationToRow(t token.Token) rotationRow {
	row := rotationRow{Rotations: t.Rotations, RotatedAt: millisOrNull(t.RotatedAt)}
	p := t.Previous
	if p.Hash == (token.Hash{}) {
		return row
	}
	row.PreviousHash, row.PreviousKey, row.PreviousRotatedAt = new(p.Hash[:]), orNull(p.KeyID), millisOrNull(p.RotatedAt)
	row.PreviousEndsAt, row.PreviousUsedAt = new(p.EndsAt.UnixMilli()), millisOrNull(p.LastUsedAt)
	row.PreviousList, row.PreviousIndex = entryToRow(p.Entry)
	return row
}

func entryToRow(e token.StatusEntry) (list, index *int64) {
	if e.List == 0 {
		return nil, nil
	}
	return &e.List, &e.Index
}

// readToken reads the columns of a token in the order of [tokenRow].
func readToken(c columns) tokenRow {
	return tokenRow{
		Seq: c.int(), Dialect: c.text(), PublicID: nullable(c, columns.text), SecretHash: slices.Clone(c.bytes()),
		Name: c.text(), NameUnique: c.bool(), Scope: c.text(), UserID: nullable(c, columns.int),
		AccountID: nullable(c, columns.text), EnvironmentID: nullable(c, columns.text), State: c.text(),
		SuspendedByAdmin: c.bool(), Introspector: c.bool(), RoleLimit: c.text(), CreatedBy: nullable(c, columns.int),
		CreatedByAdminID: nullable(c, columns.text), MintedBy: nullable(c, columns.int),
		SigningKey: nullable(c, columns.text), CreatedAt: c.int(), UpdatedAt: c.int(), ExpiresAt: nullable(c, columns.int),
		LastUsedAt: nullable(c, columns.int), DeletedAt: nullable(c, columns.int), StatusList: nullable(c, columns.int),
		StatusIndex: nullable(c, columns.int), SelfRotation: c.bool(), Rotation: readRotation(c),
	}
}

func readRotation(c columns) rotationRow {
	row := rotationRow{Rotations: c.int(), RotatedAt: nullable(c, columns.int)}
	if c.null() {
		c.skip(7)
		return row
	}
	row.PreviousHash = new(slices.Clone(c.bytes()))
	row.PreviousKey, row.PreviousList = nullable(c, columns.text), nullable(c, columns.int)
	row.PreviousIndex, row.PreviousRotatedAt = nullable(c, columns.int), nullable(c, columns.int)
	row.PreviousEndsAt, row.PreviousUsedAt = nullable(c, columns.int), nullable(c, columns.int)
	return row
}

// values are those of all columns that a new token has but seq, in the order of [tokenRow].
func (r *tokenRow) values() []any {
	return []any{
		r.Dialect, orNil(r.PublicID), r.SecretHash, r.Name, r.NameUnique, r.Scope, orNil(r.UserID), orNil(r.AccountID),
		orNil(r.EnvironmentID), r.State, r.SuspendedByAdmin, r.Introspector, r.RoleLimit, orNil(r.CreatedBy),
		orNil(r.CreatedByAdminID), orNil(r.MintedBy), orNil(r.SigningKey), r.CreatedAt, r.UpdatedAt, orNil(r.ExpiresAt),
		orNil(r.LastUsedAt), orNil(r.DeletedAt), orNil(r.StatusList), orNil(r.StatusIndex), r.SelfRotation,
	}
}

// token fails if a newer release issued the token under a dialect that this one does not know.
func (r *tokenRow) token(known token.Dialects) (token.Token, error) {
	dialect := known.Named(r.Dialect)
	if dialect == nil {
		err := fmt.Errorf("token %d has the unknown dialect %q", r.Seq, r.Dialect)
		return token.Token{Hash: token.Hash(r.SecretHash)}, err
	}
	id := orZero(r.PublicID)
	if id == "" {
		id = strconv.FormatInt(r.Seq, 10)
	}
	return token.Token{
		Seq: r.Seq, Dialect: dialect, ID: id, Hash: token.Hash(r.SecretHash), Name: r.Name, Scope: token.Scope(r.Scope),
		UserID: orZero(r.UserID), AccountID: orZero(r.AccountID), EnvironmentID: orZero(r.EnvironmentID),
		State: token.State(r.State), SuspendedByAdmin: r.SuspendedByAdmin, Introspector: r.Introspector,
		RoleLimit: token.Role(r.RoleLimit), CreatedBy: orZero(r.CreatedBy), CreatedByAdminID: orZero(r.CreatedByAdminID),
		MintedBy: orZero(r.MintedBy), KeyID: orZero(r.SigningKey), CreatedAt: fromMillis(r.CreatedAt),
		UpdatedAt: fromMillis(r.UpdatedAt), ExpiresAt: fromMillisOrNull(r.ExpiresAt),
		LastUsedAt: fromMillisOrNull(r.LastUsedAt), DeletedAt: fromMillisOrNull(r.DeletedAt),
		Entry:        token.StatusEntry{List: orZero(r.StatusList), Index: orZero(r.StatusIndex)},
		SelfRotation: r.SelfRotation, Rotations: r.Rotation.Rotations,
		RotatedAt: fromMillisOrNull(r.Rotation.RotatedAt), Previous: r.Rotation.previous(),
	}, nil
}

func (r *rotationRow) previous() token.Previous {
	if r.PreviousHash == nil {
		return token.Previous{}
	}
	return token.Previous{
		Hash: token.Hash(*r.PreviousHash), KeyID: orZero(r.PreviousKey),
		Entry:     token.StatusEntry{List: orZero(r.PreviousList), Index: orZero(r.PreviousIndex)},
		RotatedAt: fromMillisOrNull(r.PreviousRotatedAt), EndsAt: fromMillisOrNull(r.PreviousEndsAt),
		LastUsedAt: fromMillisOrNull(r.PreviousUsedAt),
	}
}

// userRow is a row of users.
type userRow struct {
	ID        int64 `gorm:"primaryKey;autoIncrement"`
	AdminID   string
	Issuer    string
	Subject   string
	Name      string
	Role      string
	AccountID *string
	Disabled  bool
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	UpdatedAt int64 `gorm:"autoUpdateTime:false"`
}

func (userRow) TableName() string { return "users" }

// readUser reads the columns of a user in the order of [userRow].
func readUser(c columns) userRow {
	return userRow{
		ID: c.int(), AdminID: c.text(), Issuer: c.text(), Subject: c.text(), Name: c.text(), Role: c.text(),
		AccountID: nullable(c, columns.text), Disabled: c.bool(), CreatedAt: c.int(), UpdatedAt: c.int(),
	}
}

// userToRow leaves the number to the database.
func userToRow(u token.User) userRow {
	return userRow{
		AdminID: u.AdminID, Issuer: u.Issuer, Subject: u.Subject, Name: u.Name, Role: string(u.Role),
		AccountID: orNull(u.AccountID), Disabled: u.Disabled, CreatedAt: u.CreatedAt.UnixMilli(),
		UpdatedAt: u.UpdatedAt.UnixMilli(),
	}
}

func (r userRow) user() token.User {
	return token.User{
		ID: r.ID, AdminID: r.AdminID, Issuer: r.Issuer, Subject: r.Subject, Name: r.Name, Role: token.Role(r.Role),
		AccountID: orZero(r.AccountID), Disabled: r.Disabled, CreatedAt: fromMillis(r.CreatedAt),
		UpdatedAt: fromMillis(r.UpdatedAt),
	}
}

// accountRow is a row of accounts.
type accountRow struct {
	ID        string `gorm:"primaryKey"`
	Name      string
	Disabled  bool
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	UpdatedAt int64 `gorm:"autoUpdateTime:false"`
}

func (accountRow) TableName() string { return "accounts" }

// readAccount reads the columns of an account in the order of [accountRow].
func readAccount(c columns) accountRow {
	return accountRow{ID: c.text(), Name: c.text(), Disabled: c.bool(), CreatedAt: c.int(), UpdatedAt: c.int()}
}

func accountToRow(a token.Account) accountRow {
	return accountRow{a.ID, a.Name, a.Disabled, a.CreatedAt.UnixMilli(), a.UpdatedAt.UnixMilli()}
}

func (r accountRow) account() token.Account {
	return token.Account{
		ID: r.ID, Name: r.Name, Disabled: r.Disabled,
		CreatedAt: fromMillis(r.CreatedAt), UpdatedAt: fromMillis(r.UpdatedAt),
	}
}

// environmentRow is a row of environments.
type environmentRow struct {
	ID        string `gorm:"primaryKey"`
	AccountID string
	Name      string
	Disabled  bool
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	UpdatedAt int64 `gorm:"autoUpdateTime:false"`
}

func (environmentRow) TableName() string { return "environments" }

// readEnvironment reads the columns of an environment in the order of [environmentRow].
func readEnvironment(c columns) environmentRow {
	return environmentRow{
		ID: c.text(), AccountID: c.text(), Name: c.text(), Disabled: c.bool(), CreatedAt: c.int(), UpdatedAt: c.int(),
	}
}

func environmentToRow(e token.Environment) environmentRow {
	return environmentRow{e.ID, e.AccountID, e.Name, e.Disabled, e.CreatedAt.UnixMilli(), e.UpdatedAt.UnixMilli()}
}

func (r environmentRow) environment() token.Environment {
	return token.Environment{
		ID: r.ID, AccountID: r.AccountID, Name: r.Name, Disabled: r.Disabled,
		CreatedAt: fromMillis(r.CreatedAt), UpdatedAt: fromMillis(r.UpdatedAt),
	}
}

// orNull is NULL for the zero value, which in the domain means that there is none.
func orNull[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// orNil is the value of a parameter, NULL if there is none.
func orNil[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

func orZero[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

func millisOrNull(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	return new(t.UnixMilli())
}

func fromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func fromMillisOrNull(ms *int64) time.Time {
	if ms == nil {
		return time.Time{}
	}
	return fromMillis(*ms)
}
