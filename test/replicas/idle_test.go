package replicas

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/harness"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

// cost is what replicas cost their database in a while: transaction ids, and heartbeats by the name of who sent them.
type cost struct {
	ids        int64
	heartbeats map[string]int
}

// meter is a connection that takes no transaction ids, on a server that has nothing else to do.
type meter struct{ *pgx.Conn }

func newMeter(t *testing.T, database string) meter {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	if _, err := conn.Exec(t.Context(), "LISTEN tokenwright_changes"); err != nil {
		t.Fatal(err)
	}
	return meter{conn}
}

func (m meter) nextID(t *testing.T) (id int64) {
	t.Helper()
	query := "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
	if err := m.QueryRow(t.Context(), query).Scan(&id); err != nil {
		t.Fatal(err)
	}
	return id
}

// measure lets the time pass.
func (m meter) measure(t *testing.T, while time.Duration) cost {
	t.Helper()
	c := cost{ids: -m.nextID(t), heartbeats: map[string]int{}}
	listening, cancel := context.WithTimeout(t.Context(), while)
	defer cancel()
	for {
		n, err := m.WaitForNotification(listening)
		if err != nil {
			break
		}
		if fields := strings.Fields(n.Payload); fields[0] == "beat" {
			c.heartbeats[fields[1]]++
		}
	}
	c.ids += m.nextID(t)
	return c
}

// TestIdleReplicasCostNothing: a replica that nobody asks sends no heartbeats and takes no transaction ids for them, beside
// one that is asked.
func TestIdleReplicasCostNothing(t *testing.T) {
	cluster := pgtest.NewCluster(t)
	cluster.Exec(t, "ALTER SYSTEM SET autovacuum = off") // which takes transaction ids
	cluster.Exec(t, "SELECT pg_reload_conf()")
	database := cluster.URL(t)
	first := harness.Start(t, harness.Options{DatabaseURL: database, Unchecked: true})
	second := harness.Start(t, harness.Options{DatabaseURL: database, Replica: first, Unchecked: true})
	s := create(t, first)
	warm(t, []*harness.Server{first, second}, []*subject{s})
	m := newMeter(t, database)
	m.measure(t, 2*time.Second) // until nobody relies on anything any more
	const proofs = 2            // that the database takes writes, one each five seconds where they are made at all
	if idle := m.measure(t, 3*time.Second); idle.ids > proofs || len(idle.heartbeats) != 0 {
		t.Errorf("two idle replicas took %d transaction ids and sent the heartbeats %v", idle.ids, idle.heartbeats)
	}

	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
				if status := verify(t, second, s.secret); status != http.StatusNoContent {
					t.Errorf("a check gets %d", status)
				}
			}
		}
	}()
	used := m.measure(t, 2*time.Second)
	_, remembered := second.Memory.Row(token.HashSecret(s.secret))
	close(stop)
	<-stopped
	if used.ids <= proofs || len(used.heartbeats) != 1 || !remembered {
		t.Errorf("of two replicas one is used: %d transaction ids, the heartbeats %v, and its memory answers: %t",
			used.ids, used.heartbeats, remembered)
	}
}

// TestRevokeWhileIdle: what happened while a replica had nothing to do is known at the first check, also when its feed was cut
// meanwhile without a word.
func TestRevokeWhileIdle(t *testing.T) {
	database := pgtest.URL(t)
	first := harness.Start(t, harness.Options{DatabaseURL: database, Unchecked: true})
	way, address := through(t, database)
	second := harness.Start(t, harness.Options{
		DatabaseURL: address, Replica: first, Unchecked: true, Configure: harness.Timeout(2 * time.Second),
	})
	s, cut := create(t, first), create(t, first)
	warm(t, []*harness.Server{second}, []*subject{s, cut})
	time.Sleep(2 * guarantee)
	revoke(t, first, s)
	if status := verify(t, second, s.secret); status != http.StatusUnauthorized {
		t.Errorf("the first check after an idle while gets %d", status)
	}
	time.Sleep(2 * guarantee)
	way.set(true)
	answered := revoke(t, first, cut)
	time.Sleep(guarantee)
	if never(t, second, cut, answered) == 0 {
		t.Error("the replica never said that it cannot answer")
	}
	way.set(false)
	works(t, second, cut.secret, http.StatusUnauthorized)
}
