// Package replicas proves the guarantee of docs/verification.md with several servers on one PostgreSQL.
package replicas

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/harness"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// guarantee is the time after which no replica calls a token active whose change was answered.
const guarantee = time.Second

// subject is a token that is checked on all replicas while it is changed.
type subject struct {
	secret, id string
	answered   atomic.Int64 // when the change was answered, in nanoseconds since the start; 0 before
	lastActive atomic.Int64 // when the last check that said "active" was begun
}

// TestRevocationReachesAllReplicas changes 1,000 tokens while three replicas are asked about them all the time.
func TestRevocationReachesAllReplicas(t *testing.T) {
	const tokens, perBatch = 1000, 50
	revokeEverywhere(t, start(t, 3, harness.Options{DatabaseURL: pgtest.URL(t)}), tokens, perBatch)
}

// start starts so many servers on one database, which do not check answers against the specs.
func start(t *testing.T, n int, o harness.Options) (all []*harness.Server) {
	t.Helper()
	o.Unchecked = true
	for range n {
		all = append(all, harness.Start(t, o))
		o.Replica = all[0]
	}
	return all
}

// revokeEverywhere changes tokens while all replicas are asked about them, and fails if the guarantee is broken.
func revokeEverywhere(t *testing.T, replicas []*harness.Server, tokens, perBatch int) {
	t.Helper()
	start := time.Now()
	var delays []time.Duration
	for range tokens / perBatch {
		batch := make([]*subject, perBatch)
		for i := range batch {
			batch[i] = create(t, replicas[0])
		}
		delays = append(delays, change(t, replicas, batch, start)...)
	}
	slices.Sort(delays)
	at := func(q float64) time.Duration {
		return delays[int(q*float64(len(delays)-1))].Round(10 * time.Microsecond)
	}
	t.Logf("%d tokens; from the answered change to the last check begun that said active: median %v, 90%% %v, 99%% %v, max %v",
		len(delays), at(0.5), at(0.9), at(0.99), at(1))
	if worst := at(1); worst > guarantee {
		t.Errorf("a token was active %v after its change", worst)
	}
}

func create(t *testing.T, s *harness.Server) *subject {
	t.Helper()
	a := s.Do("POST", "/tokens", s.Vars["member"], `{"name":"subject"}`)
	if a.Status != http.StatusOK {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	made := a.JSON()
	return &subject{secret: made["token"].(string), id: made["id"].(string)}
}

// change revokes or suspends the batch on changing replicas while checkers hammer all of them, and returns for each
// token how long after the answer a check was begun that still said active (0 if none was).
func change(t *testing.T, replicas []*harness.Server, batch []*subject, start time.Time) []time.Duration {
	t.Helper()
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for _, r := range replicas {
		for part := range 2 {
			wg.Go(func() { hammer(t, r, batch[part*len(batch)/2:(part+1)*len(batch)/2], start, stop) })
		}
	}
	warm(t, replicas, batch)
	for i, s := range batch {
		action := []string{"revoke", "suspend"}[i%2]
		r := replicas[i%len(replicas)]
		a, err := r.Try("POST", "/service/tokens/muninx/"+s.id+"/"+action, r.Vars["admin"], "")
		if err != nil || a.Status != http.StatusOK {
			t.Errorf("%s: %d %v", action, a.Status, err)
		}
		s.answered.Store(int64(time.Since(start)))
	}
	settle(t, replicas, batch)
	close(stop)
	wg.Wait()
	var delays []time.Duration
	for _, s := range batch {
		delays = append(delays, max(0, time.Duration(s.lastActive.Load()-s.answered.Load())))
	}
	return delays
}

// warm puts the whole batch into the caches.
func warm(t *testing.T, replicas []*harness.Server, batch []*subject) {
	t.Helper()
	for _, r := range replicas {
		for _, s := range batch {
			if status := verify(t, r, s.secret); status != http.StatusNoContent {
				t.Errorf("a fresh token gets %d", status)
			}
		}
	}
}

// settle waits until every replica refuses the whole batch, as long as a second and a half.
func settle(t *testing.T, replicas []*harness.Server, batch []*subject) {
	t.Helper()
	deadline := time.Now().Add(guarantee + guarantee/2)
	for _, r := range replicas {
		for _, s := range batch {
			for verify(t, r, s.secret) != http.StatusUnauthorized {
				if time.Now().After(deadline) {
					t.Error("a replica does not refuse a changed token")
					return
				}
			}
		}
	}
}

func verify(t *testing.T, s *harness.Server, secret string) int {
	a, err := s.Try("GET", "/verify", secret, "")
	if err != nil {
		t.Errorf("verify: %v", err)
	}
	return a.Status
}

func hammer(t *testing.T, r *harness.Server, batch []*subject, start time.Time, stop chan struct{}) {
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		default:
		}
		s := batch[i%len(batch)]
		begun := int64(time.Since(start))
		switch status := verify(t, r, s.secret); {
		case status == http.StatusNoContent && begun > s.lastActive.Load():
			s.lastActive.Store(begun)
		case status != http.StatusNoContent && status != http.StatusUnauthorized:
			t.Errorf("a check is answered with %d", status)
		}
	}
}

// TestReplicaThatIsCutOff holds back all that goes between one replica and the database, then resets its connections.
func TestReplicaThatIsCutOff(t *testing.T) {
	for name, cut := range map[string]func(*proxy){
		"held back": func(*proxy) {},
		"reset":     (*proxy).closeAll,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			database := pgtest.URL(t)
			first := harness.Start(t, harness.Options{DatabaseURL: database, Unchecked: true})
			p, address := through(t, database)
			second := harness.Start(t, harness.Options{DatabaseURL: address, Replica: first, Configure: harness.Timeout(time.Second)})
			s := create(t, first)
			warm(t, []*harness.Server{first, second}, []*subject{s})
			p.set(true)
			cut(p)
			if a := first.Do("POST", "/service/tokens/muninx/"+s.id+"/revoke", first.Vars["admin"], ""); a.Status != 200 {
				t.Fatalf("%d %s", a.Status, a.Body)
			}
			answered := time.Now()
			unavailable := 0
			for time.Since(answered) < 3*guarantee || unavailable == 0 && time.Since(answered) < 20*guarantee {
				begun := time.Since(answered)
				a := second.Do("GET", "/verify", s.secret, "")
				switch {
				case a.Status == http.StatusNoContent && begun <= guarantee:
				case a.Status == http.StatusServiceUnavailable && a.Header.Get("Retry-After") != "":
					unavailable++
				default:
					t.Errorf("after %v the answer is %d %s", begun, a.Status, a.Body)
				}
				if introspection := check(second, s.secret); strings.Contains(introspection, "false") {
					t.Errorf("after %v introspection says %s", begun, introspection)
				}
				for _, path := range []string{"/tokens", "/api/v1/api_token", "/api/admin/user/tokens"} {
					if a := second.Do("GET", path, second.Vars["member"], ""); a.Status != 200 && a.Status != 503 {
						t.Errorf("after %v %s answers %d", begun, path, a.Status)
					}
				}
			}
			if unavailable == 0 {
				t.Error("the replica never said that it cannot answer")
			}
			p.set(false)
			recovered(t, second, s.secret)
		})
	}
}

func check(s *harness.Server, secret string) string {
	a := s.Do("POST", "/introspect", s.Vars["admin"], "token="+secret, "Content-Type", "application/x-www-form-urlencoded")
	return fmt.Sprintf("%d %s", a.Status, a.Body)
}

// recovered waits until the replica answers from the database again, and then from its cache.
func recovered(t *testing.T, s *harness.Server, revoked string) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		if s.Do("GET", "/verify", revoked, "").Status == http.StatusUnauthorized &&
			s.Do("GET", "/verify", s.Vars["member"], "").Status == http.StatusNoContent {
			if _, remembered := s.Memory.Row(token.HashSecret(s.Vars["member"])); remembered {
				return
			}
		}
	}
	t.Error("the replica does not recover")
}

// TestFreshTokensWorkEverywhere creates tokens on one replica and uses each on another at once, after that one has been
// asked about it in vain.
func TestFreshTokensWorkEverywhere(t *testing.T) {
	database := pgtest.URL(t)
	first := harness.Start(t, harness.Options{DatabaseURL: database})
	second := harness.Start(t, harness.Options{DatabaseURL: database, Replica: first})
	for range 20 {
		s := create(t, first)
		if status := verify(t, second, s.secret); status != http.StatusNoContent {
			t.Errorf("a fresh token gets %d on the other replica", status)
		}
	}
	// An unknown secret that becomes known: the row is written behind the server's back.
	secret := token.Muninx.Secrets.New()
	if status := verify(t, second, secret); status != http.StatusUnauthorized {
		t.Fatalf("an unknown token gets %d", status)
	}
	now := first.Service.Now()
	_, err := first.DB.Create(t.Context(), token.Insert{
		Token: token.Token{Dialect: token.Muninx, UserID: 1, Scope: token.ScopeUser, State: token.Active, Name: "x", CreatedAt: now, UpdatedAt: now},
		Decide: func(tk *token.Token, _ token.Facts) error {
			tk.ID, tk.Hash = token.Muninx.IDs.New(now), token.HashSecret(secret)
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if status := verify(t, second, secret); status != http.StatusNoContent {
		t.Errorf("a token that was asked for too early gets %d", status)
	}
}
