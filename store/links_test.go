//go:build unix

package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/store"
)

// TestSeveralLinks: SQLite's log lies beside one name of a file only, and whoever opens it by another does not see what is in
// the log.
func TestSeveralLinks(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	path, hard := filepath.Join(dir, "test.db"), filepath.Join(elsewhere, "hard.db")
	if db, err := store.Open(t.Context(), "sqlite:"+path, store.Options{}); err != nil || db.Close() != nil {
		t.Fatal(err)
	}
	if err := os.Link(path, hard); err != nil {
		t.Fatal(err)
	}
	soft := filepath.Join(t.TempDir(), "soft.db")
	if err := os.Symlink(hard, soft); err != nil {
		t.Fatal(err)
	}
	const want = "has several hard links"
	for _, name := range []string{path, hard, soft} {
		for _, readOnly := range []bool{true, false} {
			refused(t, "sqlite:"+name, store.Options{Schema: store.AnySchema, ReadOnly: readOnly}, want, "remove the others")
		}
		if err := store.Inspect(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("inspected: %v", err)
		}
		if claim, err := store.ClaimFile(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("claimed: %v, %v", claim, err)
		}
	}
	if left := contents(t, elsewhere); len(left) > 1 {
		t.Errorf("something was made beside it: %d files", len(left))
	}
	if err := os.Remove(hard); err != nil {
		t.Fatal(err)
	}
	open(t, "sqlite:"+path)
}

// TestLookingThroughASymbolicLink sees what is only in the log beside the file yet.
func TestLookingThroughASymbolicLink(t *testing.T) {
	url := sqliteURL(t)
	open(t, url)
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(strings.TrimPrefix(url, "sqlite:"), link); err != nil {
		t.Fatal(err)
	}
	if got := look(t, link); got != 7 {
		t.Errorf("the version is %d, want 7", got)
	}
}
