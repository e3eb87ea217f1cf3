package replicas

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tokenwright/tokenwright/test/harness"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

// pair is a primary, a standby that follows it, and one server of ours that is told of both.
type pair struct {
	primary, standby *pgtest.Cluster
	database         string // on the primary alone
	first            *harness.Server
}

func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{primary: pgtest.NewCluster(t)}
	p.database = p.primary.URL(t)
	p.standby = p.primary.Standby(t)
	p.first = p.serve(t, pgtest.Also(t, p.database, p.standby))
	return p
}

func (p *pair) serve(t *testing.T, database string) *harness.Server {
	t.Helper()
	return harness.Start(t, harness.Options{DatabaseURL: database, Replica: p.first, Unchecked: true, Configure: harness.Timeout(2 * time.Second)})
}

// run runs one statement in the servers' database on the primary.
func (p *pair) run(t *testing.T, statement string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), p.database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// caughtUp waits until the standby shows what the primary has.
func (p *pair) caughtUp(t *testing.T, secret string) {
	t.Helper()
	p.run(t, "CREATE TABLE IF NOT EXISTS marks (name text)")
	p.run(t, "INSERT INTO marks VALUES ('"+secret[len(secret)-8:]+"')")
	u, err := url.Parse(p.database)
	if err != nil {
		t.Fatal(err)
	}
	also, err := url.Parse(pgtest.Also(t, "postgres://x@y/z", p.standby))
	if err != nil {
		t.Fatal(err)
	}
	u.Host = also.Host[len("y,"):]
	conn, err := pgx.Connect(t.Context(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for n := 0; n == 0; {
		_ = conn.QueryRow(t.Context(), "SELECT count(*) FROM marks WHERE name = $1", secret[len(secret)-8:]).Scan(&n)
	}
}

func revoke(t *testing.T, s *harness.Server, subject *subject) time.Time {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		a := s.Do("POST", "/service/tokens/muninx/"+subject.id+"/revoke", s.Vars["admin"], "")
		if a.Status == http.StatusOK {
			return time.Now()
		}
		if a.Status != http.StatusServiceUnavailable || time.Now().After(deadline) {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
	}
}

// never watches a server for three times the guarantee: it may say that it cannot answer, but not that a token works that was
// revoked. It returns how often it could not answer.
func never(t *testing.T, s *harness.Server, subject *subject, answered time.Time) (unavailable int) {
	t.Helper()
	for time.Since(answered) < 3*guarantee {
		begun := time.Since(answered)
		a := s.Do("GET", "/verify", subject.secret, "")
		switch {
		case a.Status == http.StatusServiceUnavailable && a.Header.Get("Retry-After") != "":
			unavailable++
		case a.Status != http.StatusUnauthorized && begun > guarantee:
			t.Fatalf("%v after the revoke the answer is %d %s", begun, a.Status, a.Body)
		}
	}
	return unavailable
}

// works waits until the server knows the token, or does not, as is to be expected.
func works(t *testing.T, s *harness.Server, secret string, want int) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		switch status := verify(t, s, secret); {
		case status == want:
			return
		case status != http.StatusServiceUnavailable || time.Now().After(deadline):
			t.Fatalf("the token gets %d, want %d", status, want)
		}
	}
}

// TestPrimaryAndStandby has both in the URL, and lets happen to the primary what may happen.
func TestPrimaryAndStandby(t *testing.T) {
	p := newPair(t)
	t.Run("no place on the primary", p.noPlace)
	t.Run("fenced off", p.fencedOff)
	t.Run("failover", p.failover)
}

// noPlace takes the places on the primary away, so that the standby is the only server that lets in, and pauses that one's replay.
func (p *pair) noPlace(t *testing.T) {
	p.run(t, "CREATE ROLE limited LOGIN")
	p.run(t, "GRANT ALL ON ALL TABLES IN SCHEMA public TO limited")
	p.run(t, "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO limited")
	u, err := url.Parse(pgtest.Also(t, p.database, p.standby))
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User("limited")
	second := p.serve(t, u.String())
	s := create(t, p.first)
	warm(t, []*harness.Server{p.first, second}, []*subject{s})
	p.caughtUp(t, s.secret)
	p.standby.PauseReplay(t)
	p.run(t, "ALTER ROLE limited CONNECTION LIMIT 1") // which the feed has
	p.run(t, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE usename = 'limited' AND query NOT LIKE '%pg_notify%'`)
	answered := revoke(t, p.first, s)
	if never(t, second, s, answered) == 0 {
		t.Error("the server without a connection never said that it cannot answer")
	}
	if a := second.Do("GET", "/readyz", "", ""); a.Status != http.StatusServiceUnavailable {
		t.Errorf("readiness without a connection: %d %s", a.Status, a.Body)
	}
	p.run(t, "ALTER ROLE limited CONNECTION LIMIT 100")
	works(t, second, s.secret, http.StatusUnauthorized)
	p.standby.ResumeReplay(t)
}

// failover restarts the primary, then replaces it by its standby.
func (p *pair) failover(t *testing.T) {
	second := p.serve(t, pgtest.Also(t, p.database, p.standby))
	servers := []*harness.Server{p.first, second}
	s, late := create(t, p.first), create(t, p.first)
	warm(t, servers, []*subject{s, late})
	p.caughtUp(t, late.secret)
	p.standby.PauseReplay(t)
	p.primary.Stop(t)
	for _, server := range servers { // the standby still says that both work
		for begun := time.Now(); time.Since(begun) < guarantee; {
			_ = verify(t, server, s.secret)
		}
		if status := verify(t, server, s.secret); status != http.StatusServiceUnavailable {
			t.Errorf("without a primary a check gets %d", status)
		}
	}
	p.primary.Start(t)
	answered := revoke(t, p.first, s)
	never(t, second, s, answered)
	works(t, second, s.secret, http.StatusUnauthorized)
	works(t, second, late.secret, http.StatusNoContent)
	p.standby.ResumeReplay(t)
	p.caughtUp(t, s.secret)
	p.primary.Stop(t)
	p.standby.Promote(t)
	answered = revoke(t, second, late)
	never(t, p.first, late, answered)
	for _, server := range servers {
		works(t, server, late.secret, http.StatusUnauthorized)
		works(t, server, s.secret, http.StatusUnauthorized)
	}
}

// TestConnectionsToAnOldPrimary: the name of the database leads to the promoted standby, but the old primary is still there
// and keeps its connections. Only the one that listens is cut.
func TestConnectionsToAnOldPrimary(t *testing.T) {
	p := newPair(t)
	u, err := url.Parse(p.database)
	if err != nil {
		t.Fatal(err)
	}
	old := u.Host
	way := newProxy(t, old)
	u.Host = way.listener.Addr().String()
	second := p.serve(t, u.String())
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
	never(t, second, s, answered)
	works(t, second, s.secret, http.StatusUnauthorized)
}

// fencedOff has the primary take no more writes, as is done before another takes its place.
func (p *pair) fencedOff(t *testing.T) {
	s := create(t, p.first)
	warm(t, []*harness.Server{p.first}, []*subject{s})
	p.primary.Exec(t, "ALTER SYSTEM SET default_transaction_read_only = on")
	p.primary.Exec(t, "SELECT pg_reload_conf()")
	deadline := time.Now().Add(30 * time.Second)
	for verify(t, p.first, s.secret) != http.StatusServiceUnavailable {
		if time.Now().After(deadline) {
			t.Fatal("the server goes on answering")
		}
	}
	if a := p.first.Do("GET", "/readyz", "", ""); a.Status != http.StatusServiceUnavailable {
		t.Errorf("readiness without writes: %d %s", a.Status, a.Body)
	}
	p.primary.Exec(t, "ALTER SYSTEM RESET default_transaction_read_only")
	p.primary.Exec(t, "SELECT pg_reload_conf()")
	works(t, p.first, s.secret, http.StatusNoContent)
}

// TestFailoverInEitherOrder names both servers, in either order, and asks for the one that takes writes: it is found at the
// start, and again when the primary is lost.
func TestFailoverInEitherOrder(t *testing.T) {
	for name, reverse := range map[string]bool{"primary first": false, "standby first": true} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t)
			u, err := url.Parse(pgtest.Also(t, p.database, p.standby))
			if err != nil {
				t.Fatal(err)
			}
			if primary, standby, _ := strings.Cut(u.Host, ","); reverse {
				u.Host = standby + "," + primary
			}
			u.RawQuery += "&target_session_attrs=read-write"
			servers := []*harness.Server{p.serve(t, u.String()), p.serve(t, u.String())}
			s, late := create(t, servers[0]), create(t, servers[1])
			warm(t, servers, []*subject{s, late})
			p.caughtUp(t, late.secret)
			p.primary.Stop(t)
			p.standby.Promote(t)
			answered := revoke(t, servers[0], s)
			never(t, servers[1], s, answered)
			for _, server := range servers {
				works(t, server, s.secret, http.StatusUnauthorized)
				works(t, server, late.secret, http.StatusNoContent)
			}
			fresh := create(t, servers[1])
			works(t, servers[0], fresh.secret, http.StatusNoContent)
		})
	}
}
