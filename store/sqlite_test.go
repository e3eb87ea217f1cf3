package store_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/internal/token/storetest"
	"github.com/tokenwright/tokenwright/store"
)

func TestContractOnSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store { return open(t, sqliteURL(t)) })
}

func TestPathsWithSpecialCharacters(t *testing.T) {
	for _, name := range []string{"plain.db", "a b.db", "what?.db", "50%.db", "%41.db", "#1.db", "a&b=c;d+e.db",
		"é 名.db", `back\slash'"quote.db`, "?_pragma=query_only(1)", "file:x.db"} {
		dir := t.TempDir()
		path := filepath.Join(dir, "inner "+name, name)
		db := open(t, "sqlite:"+path)
		if err := db.CreateAccount(t.Context(), token.Permit{}, token.Account{ID: "a"}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%s: there is no database: %v", name, err)
		}
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 1 {
			t.Errorf("%s: something else was made: %v, %v", name, entries, err)
		}
	}
}

func TestRelativePath(t *testing.T) {
	t.Chdir(t.TempDir())
	open(t, "sqlite:data/test.db")
	if _, err := os.Stat("data/test.db"); err != nil {
		t.Error(err)
	}
}

func TestFilesAreTheOwners(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	path := filepath.Join(dir, "test.db")
	db := open(t, "sqlite:"+path)
	if err := db.CreateAccount(t.Context(), token.Permit{}, token.Account{ID: "a"}); err != nil {
		t.Fatal(err)
	}
	wantMode(t, dir, 0o700)
	for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
		wantMode(t, path+suffix, 0o600)
	}
}

func wantMode(t *testing.T, path string, want os.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != want {
		t.Errorf("%s has mode %o, want %o", path, got, want)
	}
}

func TestReadersCannotWrite(t *testing.T) {
	db := open(t, sqliteURL(t))
	if err := store.ExecReader(t, db, "DELETE FROM users"); err == nil {
		t.Error("a reading connection has written")
	}
}

// TestTwoProcessesShareAFile uses two handles, which know nothing of each other: they meet at SQLite's own lock.
func TestTwoProcessesShareAFile(t *testing.T) {
	url := sqliteURL(t)
	first, second := open(t, url), open(t, url)
	noon := time.UnixMilli(1_700_000_000_000).UTC()
	if err := first.CreateAccount(t.Context(), token.Permit{}, token.Account{ID: "a", UpdatedAt: noon}); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	for i := range 40 {
		db := []*store.DB{first, second}[i%2]
		go func() {
			_, err := db.UpdateAccount(t.Context(), token.Permit{}, "a", func(a *token.Account) error {
				a.UpdatedAt = a.UpdatedAt.Add(time.Millisecond)
				return nil
			})
			done <- err
		}()
	}
	for range 40 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	got, err := second.FindAccount(t.Context(), "a")
	if err != nil || !got.UpdatedAt.Equal(noon.Add(40*time.Millisecond)) {
		t.Errorf("the account was updated at %v (%v), want 40 ms after %v", got.UpdatedAt, err, noon)
	}
}

// TestLockOfAnotherProcess: the caller who gives up is told so at once, and the one whose time is up likewise.
func TestLockOfAnotherProcess(t *testing.T) {
	url := sqliteURL(t)
	first, second := open(t, url), open(t, url)
	if err := first.CreateAccount(t.Context(), token.Permit{}, token.Account{ID: "a"}); err != nil {
		t.Fatal(err)
	}
	nothing := func(*token.Account) error { return nil }
	_, err := first.UpdateAccount(t.Context(), token.Permit{}, "a", func(*token.Account) error {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		_, err := second.UpdateAccount(ctx, token.Permit{}, "a", nothing)
		wantKind(t, err, token.Canceled)

		ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err = second.UpdateAccount(ctx, token.Permit{}, "a", nothing)
		wantKind(t, err, token.Unavailable)

		if _, err = second.FindAccount(t.Context(), "a"); err != nil {
			t.Error(err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
