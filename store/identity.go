package store

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/tokenwright/tokenwright/internal/token"
)

// The statements are built once: every request runs the first of them.
var (
	byToken = fmt.Sprintf(`SELECT %s, %s, %s, %s FROM tokens t
		LEFT JOIN users u ON u.id = t.user_id
		LEFT JOIN accounts a ON a.id = coalesce(t.account_id, u.account_id)
		LEFT JOIN environments e ON e.id = t.environment_id `,
		columnsOf("t", &tokenRow{}), columnsOf("u", &userRow{}), columnsOf("a", &accountRow{}),
		columnsOf("e", &environmentRow{}))
	byUser = fmt.Sprintf(`SELECT %s, %s FROM users u LEFT JOIN accounts a ON a.id = u.account_id `,
		columnsOf("u", &userRow{}), columnsOf("a", &accountRow{}))

	bySecret = byToken + "WHERE t.secret_hash"
	// byReplaced finds the token of a secret that was not a current one a moment ago, but may be one again.
	byReplaced = byToken + `WHERE t.seq = coalesce((SELECT seq FROM tokens WHERE secret_hash = $1),
		(SELECT seq FROM tokens WHERE previous_hash = $1), (SELECT token FROM former_secrets WHERE hash = $1))`
	bySeq     = byToken + "WHERE t.seq"
	byUserID  = byUser + "WHERE u.id"
	bySubject = byUser + "WHERE u.subject <> '' AND u.issuer = $1 AND u.subject = $2"
)

// columnsOf lists the columns of a row as "t.seq".
func columnsOf(alias string, row any) string {
	return alias + "." + strings.Join(namesOf(row), ", "+alias+".")
}

// namesOf lists the columns of a row in the order in which it has them.
func namesOf(row any) []string {
	parsed, err := schema.Parse(row, &sync.Map{}, schema.NamingStrategy{})
	if err != nil {
		panic(err) // a row type that GORM cannot read is a bug in rows.go
	}
	return parsed.DBNames
}

// keyed are the statements that find rows by key; the text ends before the operator.
func keyed[K any](b backend, text string, keys []K, each func(columns) error) []statement {
	if b.arrays && len(keys) > 1 {
		return []statement{{text + " = ANY($1)", []any{keys}, each}}
	}
	statements := make([]statement, len(keys))
	for i, key := range keys {
		statements[i] = statement{text + " = $1", []any{key}, each}
	}
	return statements
}

// lookup is the search for a secret's row.
type lookup struct {
	hash   token.Hash
	beside *token.Beside // nil: nothing
	found  token.Identity
}

// mostLookups is how many secrets are looked up together.
const mostLookups = 64

// FindSecret implements [token.Store]. A tombstone is found too.
func (d *DB) FindSecret(ctx context.Context, hash token.Hash) (token.Identity, error) {
	l := lookup{hash: hash, beside: token.BesideOf(ctx, hash)}
	if err := d.lookups.run(ctx, classOf(ctx, false), &l); err != nil {
		return token.Identity{}, d.translate(ctx, err)
	}
	return l.found, nil
}

// lookUp finds the rows of all secrets.
func (d *DB) lookUp(ctx context.Context, all []*job[*lookup]) {
	hashes := make([][]byte, 0, 2*len(all))
	for _, j := range all {
		hashes = append(hashes, j.work.hash[:])
		if b := j.work.beside; b != nil {
			hashes = append(hashes, b.Hash[:])
		}
	}
	found := make(map[token.Hash]token.Identity, len(all))
	unknown := map[token.Hash]error{} // rows that cannot be understood, which is nobody else's matter
	keep := func(hash token.Hash, id token.Identity, err error) {
		id.Secret = hash
		found[hash] = id
		if err != nil {
			unknown[hash] = err
		}
	}
	err := d.onConn(ctx, d.reader, func(c conn) error {
		err := c.run(ctx, keyed(d.backend, bySecret, hashes, func(c columns) error {
			id, err := readIdentity(c, d.dialects)
			keep(id.Token.Hash, id, err)
			return nil
		})...)
		replaced := d.lookUpReplaced(hashes, found, keep)
		if err != nil || len(replaced) == 0 {
			return err
		}
		return c.run(ctx, replaced...)
	})
	for _, j := range all {
		id, ok := found[j.work.hash]
		if j.work.found, j.err = id, cmp.Or(err, unknown[j.work.hash]); !ok && err == nil {
			j.err = gorm.ErrRecordNotFound
		}
		if b := j.work.beside; b != nil && err == nil && unknown[b.Hash] == nil {
			b.Found = new(found[b.Hash])
		}
	}
}

// lookUpReplaced looks for the secrets that are no token's current one. Few are, so each look-up stands alone.
func (d *DB) lookUpReplaced(
	hashes [][]byte, found map[token.Hash]token.Identity, keep func(token.Hash, token.Identity, error),
) (statements []statement) {
	for _, hash := range hashes {
		if _, ok := found[token.Hash(hash)]; ok {
			continue
		}
		statements = append(statements, statement{byReplaced, []any{hash}, func(c columns) error {
			id, err := readIdentity(c, d.dialects)
			keep(token.Hash(hash), id, err)
			return nil
		}})
	}
	return statements
}

// Identities implements [token.Store].
func (d *DB) Identities(ctx context.Context, seqs []int64) (map[int64]token.Identity, error) {
	found := make(map[int64]token.Identity, len(seqs))
	err := d.readOnConn(ctx, keyed(d.backend, bySeq, seqs, func(c columns) error {
		id, err := readIdentity(c, d.dialects)
		if err == nil {
			found[id.Token.Seq] = id
		}
		return err
	})...)
	return found, err
}

// FindSubject implements [token.Registry].
func (d *DB) FindSubject(ctx context.Context, issuer, subject string) (token.Identity, error) {
	if issuer == "" { // a local user, whom no issuer may claim to be
		return token.Identity{}, d.translate(ctx, gorm.ErrRecordNotFound)
	}
	var last *one[token.Identity]
	err := d.ask(ctx, func() []statement {
		answer := &one[token.Identity]{err: gorm.ErrRecordNotFound}
		last = answer
		return []statement{{bySubject, []any{issuer, subject}, func(c columns) error {
			answer.value, answer.err = readOwner(c), nil
			return nil
		}}}
	})
	if err != nil {
		return token.Identity{}, err
	}
	return last.value, d.translate(ctx, last.err)
}

// readOnConn runs statements that only read.
func (d *DB) readOnConn(ctx context.Context, statements ...statement) error {
	leave, err := d.reading.enter(ctx, classOf(ctx, false))
	if err != nil {
		return d.translate(ctx, err)
	}
	defer leave()
	return d.translate(ctx, d.onConn(ctx, d.reader, func(c conn) error { return c.run(ctx, statements...) }))
}

// readIdentity reads a row of [byToken].
func readIdentity(c columns, known token.Dialects) (token.Identity, error) {
	row := readToken(c)
	id := readOwner(c)
	t, err := row.token(known)
	id.Token = &t
	if e := readEnvironment(c); e.ID != "" {
		id.Environment = new(e.environment())
	}
	return id, err
}

// readOwner reads a row of [byUser].
func readOwner(c columns) (id token.Identity) {
	if u := readUser(c); u.ID != 0 {
		id.User = new(u.user())
	}
	if a := readAccount(c); a.ID != "" {
		id.Account = new(a.account())
	}
	return id
}
