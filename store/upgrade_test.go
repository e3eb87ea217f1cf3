package store

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

// TestDialectsMoveIntoRows upgrades a database that still names the dialects in its schema: nothing changes for its tokens,
// and no number is given twice.
func TestDialectsMoveIntoRows(t *testing.T) {
	for name, url := range map[string]string{
		"sqlite": "sqlite:" + filepath.Join(t.TempDir(), "old.db"), "postgres": pgtest.URL(t),
	} {
		t.Run(name, func(t *testing.T) {
			before := oldDatabase(t, url)
			d, err := Open(t.Context(), url, Options{AllowUnsafe: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = d.Close() })
			if after := everyColumn(t, d); after != before {
				t.Errorf("the tokens were\n%s\nand are\n%s", before, after)
			}
			unleash := token.Token{Dialect: token.Unleash, UserID: 1, Name: "kept", Hash: token.Hash{9}, Scope: token.ScopeUser, State: token.Active}
			insert := func() (token.Token, error) {
				return d.Create(t.Context(), token.Insert{Token: unleash, Decide: func(*token.Token, token.Facts) error { return nil }})
			}
			if _, err := insert(); token.KindOf(err) != token.NameTaken {
				t.Errorf("a second token with the name: %v", err)
			}
			unleash.Name = "gone"
			next := int64(8)
			if name == "sqlite" {
				next = 5 // the numbers up to 7 were given to nobody
			}
			if made, err := insert(); err != nil || made.Seq < next || made.Seq > next+1 {
				t.Errorf("the next token is %q (%v), want %d, or the one after it where a failure takes one", made.ID, err, next)
			}
			for _, ref := range []token.Ref{{Dialect: token.Muninx, ID: "m"}, {Dialect: token.APIToken, ID: "a"}, {Dialect: token.Unleash, ID: "3"}} {
				if found, err := d.Find(t.Context(), ref); err != nil || found.Ref() != ref {
					t.Errorf("%v: %v", ref, err)
				}
			}
		})
	}
}

// oldDatabase makes one with the schema before, and returns what is in it.
func oldDatabase(t *testing.T, url string) string {
	t.Helper()
	d, err := Open(t.Context(), url, Options{Schema: AnySchema, AllowUnsafe: true})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	pool, err := d.writer.DB()
	if err != nil {
		t.Fatal(err)
	}
	provider, err := d.provider(pool)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	oldTokens(t, d)
	return everyColumn(t, d)
}

// oldTokens are a token of each dialect, one that is deleted, and numbers that were given to nobody.
func oldTokens(t *testing.T, d *DB) {
	t.Helper()
	Exec(t, d, "INSERT INTO accounts VALUES ('acc', 'account', false, 1, 1)")
	Exec(t, d, "INSERT INTO environments VALUES ('env', 'acc', 'environment', false, 1, 1)")
	Exec(t, d, `INSERT INTO users (admin_id, issuer, subject, name, role, account_id, disabled, created_at, updated_at)
		VALUES ('adm', '', 's', 'user', 'admin', 'acc', false, 1, 1)`)
	overriding, sequence := "", "UPDATE sqlite_sequence SET seq = 7 WHERE name = 'tokens'"
	if d.Shared() {
		overriding, sequence = "OVERRIDING SYSTEM VALUE", "ALTER TABLE tokens ALTER seq RESTART WITH 8"
	}
	insert := `INSERT INTO tokens (seq, dialect, public_id, secret_hash, name, scope, user_id, account_id, environment_id, state,
		suspended_by_admin, introspector, role_limit, created_at, updated_at, deleted_at, status_list, status_index, signing_key) ` + overriding
	user, environment, none := 1, "env", (*string)(nil)
	for _, row := range [][]any{
		{1, "muninx", "m", hash(1), "kept", "user", user, none, none, nil, nil, nil, nil},
		{2, "apitoken", "a", hash(2), "", "environment", nil, "acc", environment, nil, 5, 6, "key"},
		{3, "unleash", none, hash(3), "kept", "user", user, none, none, nil, nil, nil, nil},
		{4, "unleash", none, hash(4), "gone", "user", user, none, none, 99, nil, nil, nil},
	} {
		Exec(t, d, insert+" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'active', false, true, 'member', 11, 12, ?, ?, ?, ?)", row...)
	}
	Exec(t, d, sequence)
}

func hash(n byte) []byte { return append(make([]byte, 31), n) }

// newer are the members of a row that the old schema does not have.
var newer = append([]string{"NameUnique", "SelfRotation"}, membersOf[rotationRow]()...)

func membersOf[T any]() (names []string) {
	for field := range reflect.TypeFor[T]().Fields() {
		names = append(names, field.Name)
	}
	return names
}

// everyColumn is all that the old schema has, as text.
func everyColumn(t *testing.T, d *DB) string {
	t.Helper()
	var rows []tokenRow
	if err := d.reader.WithContext(t.Context()).Omit(newer...).Order("seq").Find(&rows).Error; err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(rows, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
