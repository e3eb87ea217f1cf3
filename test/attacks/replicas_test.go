//go:build attacks

package attacks

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tokenwright/tokenwright/test/child"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

// guarantee is the time after which no replica calls a token active whose change was answered.
const guarantee = time.Second

const rounds = 10

// pair is two replicas on one database, and a way to ask the database itself.
type pair struct {
	first, second *child.Server
	database      *pgx.Conn
}

func newPair(t *testing.T) pair {
	t.Helper()
	first := pgtest.URL(t)
	u, err := url.Parse(first)
	need(t, err)
	query := u.Query()
	query.Set("application_name", "second")
	u.RawQuery = query.Encode()
	p := pair{first: child.NewServer(t, first)}
	p.second = p.first.Replica(t, u.String())
	p.database, err = pgx.Connect(context.Background(), first)
	need(t, err)
	t.Cleanup(func() { p.database.Close(context.Background()) })
	return p
}

// feed is the process of PostgreSQL that serves the second replica's feed.
func (p pair) feed(t *testing.T) (process int) {
	t.Helper()
	const query = `SELECT pid FROM pg_stat_activity WHERE application_name = 'second' AND
		(query LIKE 'LISTEN %' OR query LIKE 'SELECT current_setting(%pg_notify(%') AND datname = current_database()`
	for begun := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		err := p.database.QueryRow(context.Background(), query).Scan(&process)
		if err == nil {
			return process
		}
		if time.Since(begun) > 30*time.Second {
			t.Fatalf("the feed of the second replica: %v", err)
		}
	}
}

// fresh is a token that both replicas have in their caches.
func (p pair) fresh(t *testing.T) (secret, id string) {
	t.Helper()
	secret, id, err := p.first.Create("muninx", p.first.Secret, "subject")
	need(t, err)
	for range 3 {
		if status := p.second.Get("/verify", secret); status != http.StatusNoContent {
			t.Fatalf("a fresh token gets %d", status)
		}
	}
	return secret, id
}

func (p pair) revoke(t *testing.T, id string) {
	t.Helper()
	if status, answer, err := p.first.Call(http.MethodPost, "/service/tokens/muninx/"+id+"/revoke", p.first.Secret, ""); status != http.StatusOK {
		t.Fatalf("%d %v %v", status, answer, err)
	}
}

// lastActive asks the second replica until the guarantee is long over, and returns when the last check was begun that said
// "active", counted from the answer to the revoke. In the end the replica has to refuse.
func (p pair) lastActive(t *testing.T, secret string) (last time.Duration) {
	t.Helper()
	refused := 0
	for answered := time.Now(); time.Since(answered) < 2*guarantee; {
		begun := time.Since(answered)
		switch status := p.second.Get("/verify", secret); status {
		case http.StatusNoContent:
			last = begun
		case http.StatusUnauthorized:
			refused++
		default:
			t.Errorf("after %v a check gets %d", begun, status)
		}
	}
	if refused == 0 || last > guarantee {
		t.Errorf("active after %v, refused %d times", last, refused)
	}
	return last
}

// TestFrozenReplica stops a replica's process, revokes a token on the other, and lets the first go on later than the
// guarantee allows, with a check that is waiting for it already.
func TestFrozenReplica(t *testing.T) {
	p := newPair(t)
	for range rounds {
		secret, id := p.fresh(t)
		p.second.Signal(syscall.SIGSTOP)
		p.revoke(t, id)
		waiting := make(chan int)
		go func() { waiting <- p.second.Get("/verify", secret) }()
		time.Sleep(guarantee + guarantee/5)
		p.second.Signal(syscall.SIGCONT)
		if status := <-waiting; status != http.StatusUnauthorized && status != http.StatusServiceUnavailable {
			t.Errorf("a check that waited for the replica gets %d", status)
		}
		if status := p.second.Get("/verify", secret); status != http.StatusUnauthorized {
			t.Errorf("the next check gets %d", status)
		}
	}
}

// TestFeedKilled ends the second replica's feed while a token is revoked.
func TestFeedKilled(t *testing.T) {
	p, longest := newPair(t), time.Duration(0)
	for range rounds {
		secret, id := p.fresh(t)
		feed := p.feed(t)
		_, err := p.database.Exec(context.Background(), "SELECT pg_terminate_backend($1)", feed)
		need(t, err)
		p.revoke(t, id)
		longest = max(longest, p.lastActive(t, secret))
	}
	fmt.Printf("%s: %d rounds, last active %v after the revoke\n", t.Name(), rounds, longest)
}

// TestFeedFrozen stops the process that serves the second replica's feed, so that the connection is there and silent.
func TestFeedFrozen(t *testing.T) {
	p, longest := newPair(t), time.Duration(0)
	for range rounds {
		longest = max(longest, p.freezeFeed(t))
	}
	fmt.Printf("%s: %d rounds, last active %v after the revoke\n", t.Name(), rounds, longest)
}

func (p pair) freezeFeed(t *testing.T) time.Duration {
	t.Helper()
	secret, id := p.fresh(t)
	feed := p.feed(t)
	need(t, syscall.Kill(feed, syscall.SIGSTOP))
	defer func() { need(t, syscall.Kill(feed, syscall.SIGCONT)) }()
	p.revoke(t, id)
	return p.lastActive(t, secret)
}
