package store_test

import (
	"net/url"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/store"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

// at is the URL with the host of another.
func at(t *testing.T, address, other string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	o, err := url.Parse(other)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = o.Host
	return u.String()
}

// ask runs a query that returns one text, beside the store.
func ask(t *testing.T, address, query string) (answer string) {
	t.Helper()
	config, err := pgx.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if err := conn.QueryRow(t.Context(), query).Scan(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// TestPoolersNeedADirectURL, because nothing is heard through one.
func TestPoolersNeedADirectURL(t *testing.T) {
	database := pgtest.URL(t)
	pooler := pgtest.Pooler(t, database)
	for _, schema := range []store.Schema{store.MigrateSchema, store.RequireSchema, store.AnySchema} {
		refused(t, pooler, store.Options{Schema: schema}, "leads to a pooler", "--direct-database-url")
		refused(t, pooler, store.Options{Schema: schema, DirectURL: pooler}, "without the pooler: ", "leads to a pooler")
	}
	refused(t, pooler, store.Options{DirectURL: pgtest.URL(t)}, "leads to a different server or database")
	if n := ask(t, database, "SELECT count(*)::text FROM pg_class WHERE relname = 'tokens'"); n != "0" {
		t.Error("a database was filled that was refused")
	}
}

// TestMigrationsThroughPooler: of servers that start together one migrates, and no lock stays behind in a session of the
// pooler.
func TestMigrationsThroughPooler(t *testing.T) {
	database := pgtest.URL(t)
	pooler := pgtest.Pooler(t, database)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			db, err := store.Open(t.Context(), pooler, store.Options{DirectURL: database, AllowUnsafe: true})
			if err != nil {
				t.Error(err)
				return
			}
			if state, err := db.SchemaState(t.Context()); err != nil || len(state.Pending) > 0 {
				t.Errorf("%+v %v", state, err)
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := ask(t, database, `SELECT count(*)::text FROM pg_locks JOIN pg_database d ON d.oid = database
		WHERE locktype = 'advisory' AND datname = current_database()`); n != "0" {
		t.Errorf("%s advisory locks are left", n)
	}
}

// TestTransactionsOfAPooler wait for the disk, whatever the role says, and leave the sessions as they were, which are not
// ours alone.
func TestTransactionsOfAPooler(t *testing.T) {
	cluster := pgtest.NewCluster(t)
	database := cluster.URL(t)
	pooler := pgtest.Pooler(t, database)
	cluster.Exec(t, "ALTER ROLE postgres SET synchronous_commit = off")
	db := openWith(t, pooler, store.Options{DirectURL: database})
	for range 20 {
		if got := store.Setting(t, db, "synchronous_commit"); got != "on" {
			t.Errorf("a transaction has %s", got)
		}
		if got := ask(t, pooler, "SHOW synchronous_commit"); got != "off" {
			t.Errorf("a session of the pooler was set to %s", got)
		}
	}
	refused(t, pooler, store.Options{}, "leads to a pooler")
	if got := ask(t, pooler, "SHOW synchronous_commit"); got != "off" {
		t.Errorf("a refused start has set a session of the pooler to %s", got)
	}
}

// TestPoolerBeforeAServerThatOnlyReads is refused at the start, and later gets no answer.
func TestPoolerBeforeAServerThatOnlyReads(t *testing.T) {
	primary := pgtest.NewCluster(t)
	database := primary.URL(t)
	standby := primary.Standby(t)
	u, err := url.Parse(pgtest.Also(t, "postgres://x@y/z", standby))
	if err != nil {
		t.Fatal(err)
	}
	u.Host = u.Host[len("y,"):]
	copied := at(t, database, u.String())
	refused(t, pgtest.Pooler(t, copied), store.Options{DirectURL: database}, "cannot be reached", "the server is read-only")
	pooler := pgtest.Pooler(t, database)
	refused(t, pooler, store.Options{DirectURL: copied}, "without the pooler", "the server is read-only")
	db := openWith(t, pooler, store.Options{DirectURL: database})
	if err := db.CreateAccount(t.Context(), token.Permit{}, token.Account{ID: "a"}); err != nil {
		t.Fatal(err)
	}
	primary.Exec(t, "ALTER SYSTEM SET default_transaction_read_only = on")
	primary.Exec(t, "SELECT pg_reload_conf()")
	for ask(t, pooler, "SHOW default_transaction_read_only") != "on" {
		continue
	}
	for err = nil; err == nil; { // each session of the pooler hears of it in its own time
		_, err = db.FindAccount(t.Context(), "a")
	}
	wantKind(t, err, token.Unavailable)
	for _, err = db.FindSecret(t.Context(), token.Hash{}); token.KindOf(err) == token.NotFound; {
		_, err = db.FindSecret(t.Context(), token.Hash{})
	}
	wantKind(t, err, token.Unavailable)
	primary.Exec(t, "ALTER SYSTEM RESET default_transaction_read_only")
	primary.Exec(t, "SELECT pg_reload_conf()")
	for err != nil {
		_, err = db.FindAccount(t.Context(), "a")
	}
}
