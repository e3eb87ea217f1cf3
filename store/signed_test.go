package store_test

import (
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/store"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

func wantSigned(t *testing.T, db *store.DB, want bool, what string) {
	t.Helper()
	if got, err := db.HasSigned(t.Context(), noon); err != nil || got != want {
		t.Errorf("%s: %v (%v), want %v", what, got, err, want)
	}
}

func TestHasSigned(t *testing.T) {
	for name, url := range map[string]string{"SQLite": sqliteURL(t), "PostgreSQL": pgtest.URL(t)} {
		t.Run(name, func(t *testing.T) {
			wantSigned(t, openWith(t, url, store.Options{Schema: store.AnySchema}), false, "no schema")
			db := open(t, url)
			if _, err := makeToken(t, db); err != nil {
				t.Fatal(err)
			}
			wantSigned(t, db, false, "no JWT")
			jwt := signedToken(t, db, noon.Add(time.Hour))
			for _, statement := range []string{"DROP INDEX tokens_live_key", "ALTER TABLE tokens DROP COLUMN signing_key"} {
				store.Exec(t, db, statement) // as in the first schema
			}
			wantSigned(t, db, true, "active")
			for _, change := range []struct {
				column string
				value  any
				want   bool
			}{
				{"state", "suspended", true}, {"state", "revoked", false}, {"state", "active", true},
				{"expires_at", noon.UnixMilli(), false}, {"expires_at", noon.UnixMilli() + 1, true},
				{"deleted_at", noon.UnixMilli(), false},
			} {
				store.Exec(t, db, "UPDATE tokens SET "+change.column+" = ? WHERE public_id = ?", change.value, jwt.ID)
				wantSigned(t, db, change.want, change.column)
			}
		})
	}
}

func signedToken(t *testing.T, db *store.DB, expires time.Time) token.Ref {
	t.Helper()
	ref := token.Ref{Dialect: token.APIToken, ID: token.NewKey(noon)}
	_, err := db.Create(t.Context(), token.Insert{
		Token: token.Token{Dialect: token.APIToken, State: token.Active, CreatedAt: noon, UpdatedAt: noon, ExpiresAt: expires},
		Decide: func(made *token.Token, _ token.Facts) error {
			made.ID, made.Hash, made.KeyID = ref.ID, token.HashSecret(ref.ID), "key"
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return ref
}
