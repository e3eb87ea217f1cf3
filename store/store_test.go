package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/tokenwright/tokenwright/store"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

// starterURL makes the test binary a program that opens this database and ends, as servers do that start together.
const starterURL = "STORE_TEST_STARTER_URL"

func TestMain(m *testing.M) {
	if url := os.Getenv(starterURL); url != "" {
		os.Exit(starter(url))
	}
	os.Exit(pgtest.Main(m))
}

func starter(url string) int {
	db, err := store.Open(context.Background(), url, store.Options{AllowUnsafe: true})
	if err == nil {
		err = db.Ping(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// onEach runs the test on each kind of database.
func onEach(t *testing.T, run func(t *testing.T, url string)) {
	t.Run("sqlite", func(t *testing.T) { run(t, sqliteURL(t)) })
	t.Run("postgres", func(t *testing.T) { run(t, pgtest.URL(t)) })
}

func sqliteURL(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "test.db") }

// open opens the database and closes it with the test.
func open(t testing.TB, url string) *store.DB { return openWith(t, url, store.Options{}) }

func openWith(t testing.TB, url string, opts store.Options) *store.DB {
	t.Helper()
	opts.AllowUnsafe = true // as the shared server of the tests is
	db, err := store.Open(t.Context(), url, opts)
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

// wantKind fails the test unless the error is of the kind.
func wantKind(t testing.TB, err error, want error) {
	t.Helper()
	if got := fmt.Sprint(err); err == nil || !isKind(err, want) {
		t.Errorf("the error is %s, want one of kind %v", got, want)
	}
}
