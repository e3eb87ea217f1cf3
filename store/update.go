package store

import (
	"context"

	"gorm.io/gorm"

	"github.com/tokenwright/tokenwright/internal/token"
)

// tokenUpdate is a change of one token.
type tokenUpdate struct {
	ref    token.Ref
	judged token.Permit
	origin token.Origin
	change func(*token.Token, token.StatusEntry) error
	enters bool // whether the change needs an entry
	entry  token.StatusEntry

	claiming claiming
	row      tokenRow // of which Seq is 0 where there is none
	stored   token.Token
	after    tokenRow
}

// Update implements [token.Store].
func (d *DB) Update(
	ctx context.Context, p token.Permit, ref token.Ref, change func(*token.Token) error,
) (token.Token, error) {
	withoutEntry := func(t *token.Token, _ token.StatusEntry) error { return change(t) }
	return d.update(ctx, tokenUpdate{ref: ref, judged: p, change: withoutEntry})
}

// Rotate implements [token.Store].
func (d *DB) Rotate(
	ctx context.Context, p token.Permit, ref token.Ref, claim *token.Claim,
	change func(*token.Token, token.StatusEntry) error,
) (token.Token, error) {
	return d.update(ctx, tokenUpdate{
		ref: ref, judged: p, change: change, enters: ref.Dialect.PublishesStatus, claiming: claiming{Claim: claim},
	})
}

func (d *DB) update(ctx context.Context, u tokenUpdate) (token.Token, error) {
	u.origin = token.OriginOf(ctx)
	w, err := d.change(ctx, u.judged.Urgent, func() work { return new(u) }, false)
	if err != nil {
		return token.Token{}, err
	}
	return w.(*tokenUpdate).stored, nil //nolint:forcetypeassert // as made above
}

func (u *tokenUpdate) permit() token.Permit { return u.judged }

// prepare finds the number of the token, on which its guard depends.
func (u *tokenUpdate) prepare(*DB) []statement {
	return []statement{byRef(u.ref, u.keep)}
}

func (u *tokenUpdate) keep(c columns) error {
	u.row = readToken(c)
	return nil
}

// guards keep changes that are made with the token itself from overlapping with this one.
func (u *tokenUpdate) guards() []guard {
	return []guard{{kind: guardedToken, key: u.row.Seq, alone: true}}
}

func (u *tokenUpdate) facts() factKeys { return factKeys{} }

// read reads the row again, as others may have left it. The guard keeps them from changing what this change stores. The
// row is not locked: who stores times of use would be waited for in another order than rows are written in.
func (u *tokenUpdate) read(d *DB) []statement {
	if u.row.Seq == 0 {
		return nil
	}
	statements := append(u.claiming.read(d), statement{tokenBySeq, []any{u.row.Seq}, u.keep})
	if u.enters {
		statements = append(statements, d.takeEntry(func(_ int64, entry token.StatusEntry) { u.entry = entry }))
	}
	return statements
}

// number is that of the row which is written, 0 if it is a new one.
func (u *tokenUpdate) number() int64 { return u.row.Seq }

const (
	storeUpdate = `UPDATE tokens SET state = $1, suspended_by_admin = $2, introspector = $3, updated_at = $4,
		deleted_at = $5 WHERE seq = $6`
	// storeTerms comes after it where one of these has changed, and storeSecrets likewise.
	storeTerms = `UPDATE tokens SET name = $1, name_unique = $2, expires_at = $3, self_rotation = $4 WHERE seq = $5`

	storeSecrets = `UPDATE tokens SET secret_hash = $1, signing_key = $2, status_list = $3, status_index = $4,
		rotations = $5, rotated_at = $6, previous_hash = $7, previous_key = $8, previous_list = $9, previous_index = $10,
		previous_rotated_at = $11, previous_ends_at = $12, previous_used_at = $13 WHERE seq = $14`
	storeFormer = "INSERT INTO former_secrets (hash, token, status_list, status_index) VALUES ($1, $2, $3, $4)"
)

// decide comes after the caller was authorized, so that one without permission does not learn whether the token exists.
func (u *tokenUpdate) decide(r *reading) ([]statement, error) {
	if u.row.Seq == 0 {
		return nil, gorm.ErrRecordNotFound
	}
	if err := refuse(u.claiming.refusal()); err != nil {
		return nil, err
	}
	before, err := u.row.token(r.db.dialects)
	if err != nil {
		return nil, err
	}
	after := before
	if err := refuse(u.change(&after, u.entry)); err != nil {
		return nil, err
	}
	row := updated(u.row, after)
	if u.stored, err = row.token(r.db.dialects); err != nil {
		return nil, err
	}
	u.after = row
	statements, err := u.claiming.write(after)
	if err != nil {
		return nil, err
	}
	statements = append(statements, row.store(before, after)...)
	for _, announced := range before.Changes() {
		statements = append(statements, r.db.backend.announce(announced)...)
	}
	return statements, nil
}

// updated is the row with what may change of it.
func updated(row tokenRow, after token.Token) tokenRow {
	to := tokenToRow(after)
	row.State, row.UpdatedAt, row.DeletedAt = to.State, to.UpdatedAt, to.DeletedAt
	row.SuspendedByAdmin, row.Introspector, row.SelfRotation = to.SuspendedByAdmin, to.Introspector, to.SelfRotation
	row.Name, row.NameUnique, row.ExpiresAt = to.Name, to.NameUnique, to.ExpiresAt
	row.SecretHash, row.SigningKey, row.Rotation = to.SecretHash, to.SigningKey, to.Rotation
	row.StatusList, row.StatusIndex = to.StatusList, to.StatusIndex
	return row
}

// store writes the row, and of what seldom changes only what did.
func (r *tokenRow) store(before, after token.Token) []statement {
	statements := make([]statement, 0, 2) // with what announces the change
	statements = append(statements, statement{text: storeUpdate, args: []any{
		r.State, r.SuspendedByAdmin, r.Introspector, r.UpdatedAt, orNil(r.DeletedAt), r.Seq,
	}})
	if before.Name != after.Name || !before.ExpiresAt.Equal(after.ExpiresAt) || before.SelfRotation != after.SelfRotation {
		statements = append(statements, statement{text: storeTerms, args: []any{
			r.Name, r.NameUnique, orNil(r.ExpiresAt), r.SelfRotation, r.Seq,
		}})
	}
	if before.Hash == after.Hash && before.Previous.Hash == after.Previous.Hash {
		return statements
	}
	statements = append(statements, r.storeSecrets())
	for _, s := range []token.Previous{{Hash: before.Hash, Entry: before.Entry}, before.Previous} {
		if s.Hash != (token.Hash{}) && s.Hash != after.Hash && s.Hash != after.Previous.Hash {
			list, index := entryToRow(s.Entry)
			args := []any{s.Hash[:], r.Seq, orNil(list), orNil(index)}
			statements = append(statements, statement{text: storeFormer, args: args})
		}
	}
	return statements
}

func (r *tokenRow) storeSecrets() statement {
	s := r.Rotation
	return statement{text: storeSecrets, args: []any{
		r.SecretHash, orNil(r.SigningKey), orNil(r.StatusList), orNil(r.StatusIndex), s.Rotations, orNil(s.RotatedAt),
		orNil(s.PreviousHash), orNil(s.PreviousKey), orNil(s.PreviousList), orNil(s.PreviousIndex),
		orNil(s.PreviousRotatedAt), orNil(s.PreviousEndsAt), orNil(s.PreviousUsedAt), r.Seq,
	}}
}

func (u *tokenUpdate) event() *eventRow {
	e := eventOf(u.judged, u.origin, "token", "update")
	e.about(&u.row, &u.after)
	return &e
}
