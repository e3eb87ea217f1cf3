//go:build attacks

// Package attacks tries on the shipped program what takes minutes: killing it amid changes, freezing replicas and their
// feeds, clients that never finish. `make attacks` runs it, and `make flood` the thousands of connections.
package attacks

import (
	"os"
	"testing"

	"github.com/tokenwright/tokenwright/test/pgtest"
)

func TestMain(m *testing.M) {
	if order := os.Getenv(flooderVariable); order != "" {
		flood(order)
		return
	}
	os.Exit(pgtest.Main(m))
}

// databases runs the test on SQLite and on PostgreSQL.
func databases(t *testing.T, test func(t *testing.T, databaseURL string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, "") })
	t.Run("postgres", func(t *testing.T) { test(t, pgtest.URL(t)) })
}

func need(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
