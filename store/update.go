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
	change func(*token.Token) error
	row    tokenRow // of which Seq is 0 where there is none
	stored token.Token
	after  tokenRow
}

// Update implements [token.Store].
func (d *DB) Update(
	ctx context.Context, p token.Permit, ref token.Ref, change func(*token.Token) error,
) (token.Token, error) {
	fresh := func() work {
		return &tokenUpdate{ref: ref, judged: p, origin: token.OriginOf(ctx), change: change}
	}
	w, err := d.change(ctx, p.Urgent, fresh, false)
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
func (u *tokenUpdate) read(*DB) []statement {
	if u.row.Seq == 0 {
		return nil
	}
	return []statement{{tokenBySeq, []any{u.row.Seq}, u.keep}}
}

// number is that of the row which is written, 0 if it is a new one.
func (u *tokenUpdate) number() int64 { return u.row.Seq }

const storeUpdate = `UPDATE tokens SET state = $1, suspended_by_admin = $2, introspector = $3, updated_at = $4,
	deleted_at = $5 WHERE seq = $6`

// decide comes after the caller was authorized, so that one without permission does not learn whether the token exists.
func (u *tokenUpdate) decide(r *reading) ([]statement, error) {
	if u.row.Seq == 0 {
		return nil, gorm.ErrRecordNotFound
	}
	row := u.row
	changed, err := row.token(r.db.dialects)
	if err != nil {
		return nil, err
	}
	if err := refuse(u.change(&changed)); err != nil {
		return nil, err
	}
	row.State = string(changed.State)
	row.SuspendedByAdmin, row.Introspector = changed.SuspendedByAdmin, changed.Introspector
	row.UpdatedAt = changed.UpdatedAt.UnixMilli()
	row.DeletedAt = millisOrNull(changed.DeletedAt)
	if u.stored, err = row.token(r.db.dialects); err != nil {
		return nil, err
	}
	u.after = row
	args := []any{row.State, row.SuspendedByAdmin, row.Introspector, row.UpdatedAt, orNil(row.DeletedAt), row.Seq}
	announced := token.Change{Token: row.Seq, List: orZero(row.StatusList)}
	return append([]statement{{text: storeUpdate, args: args}}, r.db.backend.announce(announced)...), nil
}

func (u *tokenUpdate) event() *eventRow {
	e := eventOf(u.judged, u.origin, "token", "update")
	e.about(&u.row, &u.after)
	return &e
}
