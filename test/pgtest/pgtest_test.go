package pgtest_test

import (
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tokenwright/tokenwright/test/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// tables counts the tables that someone has made in the database.
func tables(t *testing.T, url string) (n int, err error) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		return 0, err
	}
	defer conn.Close(t.Context())
	err = conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").Scan(&n)
	return n, err
}

func execute(t *testing.T, url, statement string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func TestEveryURLIsAnEmptyDatabase(t *testing.T) {
	first, second := pgtest.URL(t), pgtest.URL(t)
	execute(t, first, "CREATE TABLE here (n int)")
	if n, err := tables(t, second); n != 0 || err != nil {
		t.Errorf("the second database has %d tables (%v), want none", n, err)
	}
}

func TestDatabaseGoesWithTheTest(t *testing.T) {
	var url string
	t.Run("inner", func(t *testing.T) { url = pgtest.URL(t) })
	if _, err := tables(t, url); err == nil {
		t.Error("the database of a finished test still answers")
	}
}

func TestStopAndStart(t *testing.T) {
	cluster := pgtest.NewCluster(t)
	url := cluster.URL(t)
	execute(t, url, "CREATE TABLE kept (n int)")
	cluster.Stop(t)
	if _, err := tables(t, url); err == nil {
		t.Error("a stopped server answers")
	}
	cluster.Start(t)
	if n, err := tables(t, url); n != 1 || err != nil {
		t.Errorf("after the restart there are %d tables (%v), want 1", n, err)
	}
}
