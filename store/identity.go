package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/tokenwright/tokenwright/internal/token"
)

// identityRow is a credential with what it depends on, in one row of one join.
type identityRow struct {
	Token       tokenRow       `gorm:"embedded;embeddedPrefix:t_"`
	User        userRow        `gorm:"embedded;embeddedPrefix:u_"`
	Account     accountRow     `gorm:"embedded;embeddedPrefix:a_"`
	Environment environmentRow `gorm:"embedded;embeddedPrefix:e_"`
}

// The statements are made once: the first of them is asked for every request.
var (
	byToken = fmt.Sprintf(`SELECT %s, %s, %s, %s FROM tokens t
		LEFT JOIN users u ON u.id = t.user_id
		LEFT JOIN accounts a ON a.id = coalesce(t.account_id, u.account_id)
		LEFT JOIN environments e ON e.id = t.environment_id `,
		columns("t", &tokenRow{}), columns("u", &userRow{}), columns("a", &accountRow{}), columns("e", &environmentRow{}))
	byUser = fmt.Sprintf(`SELECT %s, %s FROM users u LEFT JOIN accounts a ON a.id = u.account_id `,
		columns("u", &userRow{}), columns("a", &accountRow{}))

	secretQuery   = byToken + "WHERE t.secret_hash = $1"
	subjectQuery  = byUser + "WHERE u.issuer = $1 AND u.subject = $2 AND u.subject <> ''"
	tokensQuery   = byToken + "WHERE t.seq IN ?"
	callerByToken = byToken + "WHERE t.seq = ?"
	callerByUser  = byUser + "WHERE u.id = ?"
)

// columns lists the columns of a row as "t.seq AS t_seq".
func columns(alias string, row any) string {
	parsed, err := schema.Parse(row, &sync.Map{}, schema.NamingStrategy{})
	if err != nil {
		panic(err) // a row type that GORM cannot read is a bug in rows.go
	}
	names := make([]string, len(parsed.DBNames))
	for i, name := range parsed.DBNames {
		names[i] = fmt.Sprintf("%s.%s AS %s_%s", alias, name, alias, name)
	}
	return strings.Join(names, ", ")
}

// FindSecret implements [token.Store]. A tombstone is found too.
func (d *DB) FindSecret(ctx context.Context, hash token.Hash) (token.Identity, error) {
	return d.identify(ctx, secretQuery, hash[:])
}

// Identities implements [token.Store].
func (d *DB) Identities(ctx context.Context, seqs []int64) (map[int64]token.Identity, error) {
	var rows []identityRow
	err := d.read(ctx, func(tx *gorm.DB) error { return tx.Raw(tokensQuery, seqs).Find(&rows).Error })
	if err != nil {
		return nil, err
	}
	found := make(map[int64]token.Identity, len(rows))
	for _, row := range rows {
		if found[row.Token.Seq], err = row.identity(d.dialects); err != nil {
			return nil, d.translate(ctx, err)
		}
	}
	return found, nil
}

// FindSubject implements [token.Registry].
func (d *DB) FindSubject(ctx context.Context, issuer, subject string) (token.Identity, error) {
	if issuer == "" { // a local user, whom no issuer may claim to be
		return token.Identity{}, d.translate(ctx, gorm.ErrRecordNotFound)
	}
	return d.identify(ctx, subjectQuery, issuer, subject)
}

func (d *DB) identify(ctx context.Context, query string, args ...any) (token.Identity, error) {
	var id token.Identity
	err := d.read(ctx, func(tx *gorm.DB) error {
		row, err := d.queryIdentity(tx, query, args)
		if err == nil {
			id, err = row.identity(d.dialects)
		}
		return err
	})
	return id, err
}

func (d *DB) queryIdentity(tx *gorm.DB, query string, args []any) (row identityRow, err error) {
	ctx := tx.Statement.Context
	query = strings.ReplaceAll(query, "$", d.backend.parameter)
	statement, err := d.statements.get(ctx, tx, query)
	if err != nil {
		return row, err
	}
	answer, err := statement.QueryContext(ctx, args...)
	if err != nil {
		return row, err
	}
	defer answer.Close()
	if !answer.Next() {
		return row, cmp.Or(answer.Err(), gorm.ErrRecordNotFound)
	}
	err = tx.ScanRows(answer, &row)
	return row, cmp.Or(err, answer.Close())
}

// statements are prepared once, since to parse one of these takes SQLite longer than to answer it. GORM's own cache
// would answer a caller with the error of another whose context ended while the two waited for one preparation.
type statements struct{ prepared sync.Map } // of [sql.Stmt], by query

// get returns the prepared query. Callers who come together may each prepare it; one's work is kept.
func (s *statements) get(ctx context.Context, db *gorm.DB, query string) (*sql.Stmt, error) {
	if known, ok := s.prepared.Load(query); ok {
		return known.(*sql.Stmt), nil //nolint:forcetypeassert // nothing else is stored
	}
	pool, err := db.DB()
	if err != nil {
		return nil, err
	}
	statement, err := pool.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	kept, other := s.prepared.LoadOrStore(query, statement)
	if other {
		err = statement.Close()
	}
	return kept.(*sql.Stmt), err //nolint:forcetypeassert // as above
}

func (r identityRow) identity(known token.Dialects) (id token.Identity, err error) {
	if r.Token.Seq != 0 {
		t, err := r.Token.token(known)
		if err != nil {
			return id, err
		}
		id.Token = &t
	}
	if r.User.ID != 0 {
		id.User = new(r.User.user())
	}
	if r.Account.ID != "" {
		id.Account = new(r.Account.account())
	}
	if r.Environment.ID != "" {
		id.Environment = new(r.Environment.environment())
	}
	return id, nil
}
