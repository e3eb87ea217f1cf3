package store_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/store"
)

// look opens the file to look at it, and returns the version of its schema.
func look(t *testing.T, path string) int64 {
	t.Helper()
	db, err := store.Open(t.Context(), "sqlite:"+path, store.Options{Schema: store.AnySchema, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	status, err := db.SchemaState(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := db.CreateAccount(t.Context(), token.Permit{}, token.Account{ID: "looked"}); err == nil {
		t.Error("a database that was to be looked at was written")
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	return status.Current
}

// contents are the files of a directory.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[entry.Name()] = string(text)
	}
	return all
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestLookingChangesNothing(t *testing.T) {
	atWork := sqliteURL(t)
	open(t, atWork)
	source := filepath.Dir(strings.TrimPrefix(atWork, "sqlite:"))
	killed := t.TempDir() // the files as they are when the power fails
	for name, text := range contents(t, source) {
		if !strings.HasSuffix(name, ".lock") {
			write(t, filepath.Join(killed, name), text)
		}
	}
	closed := sqliteURL(t)
	if db, err := store.Open(t.Context(), closed, store.Options{}); err != nil || db.Close() != nil {
		t.Fatal(err)
	}
	empty := t.TempDir()
	write(t, filepath.Join(empty, "test.db"), "")
	const latest = 7
	for name, c := range map[string]struct {
		dir  string
		want int64
	}{
		"at work": {source, latest}, "killed": {killed, latest}, "closed": {filepath.Dir(strings.TrimPrefix(closed, "sqlite:")), latest}, "empty": {empty, 0},
	} {
		before := contents(t, c.dir)
		if got := look(t, filepath.Join(c.dir, "test.db")); got != c.want {
			t.Errorf("%s: the version is %d, want %d", name, got, c.want)
		}
		after := contents(t, c.dir)
		delete(before, "test.db-shm") // locks and an index, no data
		delete(after, "test.db-shm")
		if !maps.Equal(before, after) {
			t.Errorf("%s: looking has changed the files", name)
		}
	}
}

func TestLookingMakesNothing(t *testing.T) {
	dir := t.TempDir()
	opts := store.Options{Schema: store.AnySchema, ReadOnly: true}
	refused(t, "sqlite:"+filepath.Join(dir, "data", "test.db"), opts, "there is no file", "test.db")
	refused(t, "sqlite:"+filepath.Join(dir, "test.db"), opts, "there is no file", "test.db")
	if left := contents(t, dir); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
}

func TestOtherFilesAreLeftAlone(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "notes")
	for _, text := range []string{"x", "no database at all\n", "SQLite format 3\x00" + strings.Repeat("x", 5000)} {
		write(t, path, text)
		for _, readOnly := range []bool{true, false} {
			refused(t, "sqlite:"+path, store.Options{ReadOnly: readOnly}, "notes is not a SQLite database")
			after := contents(t, dir)
			if after["notes"] != text {
				t.Errorf("the file became %q", after["notes"])
			}
			if len(after) > 1 && (readOnly || !strings.HasPrefix(text, "SQLite")) {
				t.Errorf("%q: something was made beside it: %d files", text[:1], len(after))
			}
		}
	}
}

func TestCheckURL(t *testing.T) {
	for _, address := range []string{"sqlite:a.db", "postgres://u:s3cret@h:5432/d?sslmode=require", "postgresql://h/d"} {
		if err := store.CheckURL(address); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{"", "sqlite:", "sqlite:a\x00b", "mysql://u:s3cret@h/d", "postgres://u:s3cret@h/d?sslmode=bogus",
		"postgres://u:s3cret@h:99999/d", "postgres://u:s3cret%zz@h/d"} {
		if err := store.CheckURL(address); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", address, err)
		}
	}
}
