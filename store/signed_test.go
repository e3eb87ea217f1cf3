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

func TestLastExpiry(t *testing.T) {
	for name, url := range map[string]string{"SQLite": sqliteURL(t), "PostgreSQL": pgtest.URL(t)} {
		t.Run(name, func(t *testing.T) {
			db := open(t, url)
			if _, err := makeToken(t, db); err != nil {
				t.Fatal(err)
			}
			wants := func(what, key string, since, want time.Time) {
				t.Helper()
				if got, err := db.LastExpiry(t.Context(), key, since); err != nil || !got.Equal(want) {
					t.Errorf("%s: %v (%v), want %v", what, got, err, want)
				}
			}
			wants("nothing signed", "key", time.Time{}, time.Time{})
			signedToken(t, db, noon.Add(time.Hour))
			last := signedToken(t, db, noon.Add(3*time.Hour))
			signedToken(t, db, noon.Add(2*time.Hour))
			wants("the last of three", "key", noon, noon.Add(3*time.Hour))
			wants("another key", "other", time.Time{}, time.Time{})
			set := func(ref token.Ref, column string, value any) {
				t.Helper()
				store.Exec(t, db, "UPDATE tokens SET "+column+" = ? WHERE public_id = ?", value, ref.ID)
			}
			set(last, "state", "suspended")
			wants("suspended", "key", noon, noon.Add(3*time.Hour))
			set(last, "state", "revoked")
			wants("revoked", "key", noon, noon.Add(2*time.Hour))
			set(last, "state", "active")
			set(last, "deleted_at", noon.UnixMilli())
			wants("deleted", "key", noon, noon.Add(2*time.Hour))
			unnoted := signedToken(t, db, noon.Add(9*time.Hour))
			set(unnoted, "signing_key", nil)
			for _, key := range []string{"key", "other"} {
				wants("by a key that was not noted", key, noon, noon.Add(9*time.Hour))
			}
			wants("before the key was made", "key", noon.Add(time.Millisecond), noon.Add(2*time.Hour))
			wants("before the other key was made", "other", noon.Add(time.Millisecond), time.Time{})
			store.Exec(t, db, "UPDATE tokens SET previous_hash = secret_hash, previous_key = 'former', previous_ends_at = ? WHERE public_id = ?",
				noon.Add(time.Minute).UnixMilli(), last.ID)
			wants("the previous secret of one that is deleted", "former", noon.Add(time.Hour), time.Time{})
			set(last, "deleted_at", nil)
			wants("a previous secret", "former", noon.Add(time.Hour), noon.Add(time.Minute))
			set(last, "previous_ends_at", noon.Add(99*time.Hour).UnixMilli())
			wants("a previous secret that ends with its token", "former", noon.Add(time.Hour), noon.Add(3*time.Hour))
			set(last, "deleted_at", noon.UnixMilli())
			wants("a key of which it is not known when it was made", "other", time.Time{}, noon.Add(9*time.Hour))
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
