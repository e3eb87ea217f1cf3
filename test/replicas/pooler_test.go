package replicas

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/server"
	"github.com/tokenwright/tokenwright/internal/token/storetest"
	"github.com/tokenwright/tokenwright/store"
	"github.com/tokenwright/tokenwright/test/harness"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

// behind are the options of a server that reaches its database through a pooler.
func behind(pooler, direct string) harness.Options {
	return harness.Options{DatabaseURL: pooler, Configure: func(c *server.Config) {
		c.Database.DirectURL, c.RequestTimeout = direct, 5*time.Second
	}}
}

// TestContractThroughPooler has the store keep all that it promises through a pooler in transaction mode.
func TestContractThroughPooler(t *testing.T) {
	pooler, err := url.Parse(pgtest.Pooler(t, pgtest.URL(t)))
	if err != nil {
		t.Fatal(err)
	}
	storetest.Run(t, func(t *testing.T) storetest.Store {
		direct := pgtest.URL(t)
		u, err := url.Parse(direct)
		if err != nil {
			t.Fatal(err)
		}
		u.Host = pooler.Host
		db, err := store.Open(t.Context(), u.String(), store.Options{DirectURL: direct, AllowUnsafe: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return db
	})
}

// TestRevocationThroughPooler: the guarantee holds for replicas whose statements go through a pooler in transaction mode.
func TestRevocationThroughPooler(t *testing.T) {
	database := pgtest.URL(t)
	replicas := start(t, 3, behind(pgtest.Pooler(t, database), database))
	revokeEverywhere(t, replicas, 200, 50)
	s := create(t, replicas[0])
	warm(t, replicas, []*subject{s})
	for _, r := range replicas {
		recovered(t, r, revokedOn(t, replicas[0]))
	}
}

// revokedOn is the secret of a token that was revoked.
func revokedOn(t *testing.T, r *harness.Server) string {
	t.Helper()
	s := create(t, r)
	revoke(t, r, s)
	return s.secret
}

// TestPoolerThatKeepsAnOldPrimary: after a failover the feed has moved, but some sessions of the pooler still lead to the old
// primary, which goes on. Nothing that it says is believed.
func TestPoolerThatKeepsAnOldPrimary(t *testing.T) {
	p := newPair(t)
	u, err := url.Parse(p.database)
	if err != nil {
		t.Fatal(err)
	}
	way := newProxy(t, u.Host)
	u.Host = way.listener.Addr().String()
	o := behind(pgtest.Pooler(t, u.String()), u.String())
	o.Replica, o.Unchecked = p.first, true
	second := harness.Start(t, o)
	s := create(t, p.first)
	warm(t, []*harness.Server{second}, []*subject{s})
	p.caughtUp(t, s.secret)
	p.standby.Promote(t)
	also, err := url.Parse(pgtest.Also(t, "postgres://x@y/z", p.standby))
	if err != nil {
		t.Fatal(err)
	}
	way.lead(also.Host[len("y,"):])
	u.Host = also.Host[len("y,"):]
	third := p.serve(t, u.String())
	p.run(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_notify%' AND pid <> pg_backend_pid()")
	answered := revoke(t, third, s)
	if never(t, second, s, answered) == 0 {
		t.Error("the server behind the pooler never said that it cannot answer")
	}
	p.run(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
	works(t, second, s.secret, http.StatusUnauthorized)
}
