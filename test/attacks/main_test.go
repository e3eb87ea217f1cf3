//go:build attacks

// Package attacks tries on the shipped program what takes minutes: killing it amid changes, freezing replicas and their
// feeds, clients that never finish. `make attacks` runs it.
package attacks

import (
	"os"
	"testing"

	"github.com/tokenwright/tokenwright/test/pgtest"
	"github.com/tokenwright/tokenwright/test/shipped"
)

func TestMain(m *testing.M) { os.Exit(shipped.Main(mainOf{m})) }

// mainOf runs the tests and then stops PostgreSQL.
type mainOf struct{ m *testing.M }

func (o mainOf) Run() int { return pgtest.Main(o.m) }

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
