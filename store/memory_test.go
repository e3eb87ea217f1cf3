package store_test

import (
	"os"
	"testing"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/internal/token/storetest"
	"github.com/tokenwright/tokenwright/store"
)

func openMemory(t *testing.T) *store.DB {
	t.Helper()
	db, err := store.OpenMemory(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestContractInMemory(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store { return openMemory(t) })
}

// TestMemoryLeavesNothing: two databases know nothing of each other, and no file is made.
func TestMemoryLeavesNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	a, b := openMemory(t), openMemory(t)
	if err := a.CreateAccount(t.Context(), token.Permit{}, token.Account{ID: "a"}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.FindAccount(t.Context(), "a"); token.KindOf(err) != token.NotFound {
		t.Errorf("the other database: %v", err)
	}
	if entries, err := os.ReadDir("."); err != nil || len(entries) > 0 {
		t.Errorf("files: %v %v", entries, err)
	}
}
