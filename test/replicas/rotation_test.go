package replicas

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/test/harness"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

// rotations are changes of a token with two secrets, and which of these stop.
var rotations = []struct {
	path, body string
	admin      bool
	stops      func(*rotated) []*subject
}{
	{"/revoke", "", true, (*rotated).both},
	{"/rotation/finish", "", false, func(r *rotated) []*subject { return []*subject{&r.old} }},
	{"/suspend", "", true, (*rotated).both},
	{"/rotation/cancel", "", false, func(r *rotated) []*subject { return []*subject{&r.current} }},
	{"/rotate", `{"overlap":"0"}`, false, (*rotated).both},
}

// rotated is a token with two secrets.
type rotated struct{ old, current subject }

func (r *rotated) both() []*subject { return []*subject{&r.old, &r.current} }

// TestRotationsReachAllReplicas: what stops a secret, or both of a token, stops them on all replicas, which are asked
// about both all the time.
func TestRotationsReachAllReplicas(t *testing.T) {
	const tokens = 200
	replicas := start(t, 3, harness.Options{DatabaseURL: pgtest.URL(t)})
	begin := time.Now()
	all := make([]*rotated, tokens)
	var secrets []*subject
	for i := range all {
		all[i] = createRotated(t, replicas[i%3], replicas[(i+1)%3])
		secrets = append(secrets, all[i].both()...)
	}
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for _, r := range replicas {
		wg.Go(func() { hammer(t, r, secrets, begin, stop) })
	}
	warm(t, replicas, secrets)
	var stopped []*subject
	for i, token := range all {
		c, r := rotations[i%len(rotations)], replicas[i%len(replicas)]
		caller := r.Vars["member"]
		if c.admin {
			caller = r.Vars["admin"]
		}
		a, err := r.Try("POST", "/service/tokens/muninx/"+token.old.id+c.path, caller, c.body)
		if err != nil || a.Status != http.StatusOK {
			t.Errorf("%s: %d %s %v", c.path, a.Status, a.Body, err)
		}
		for _, s := range c.stops(token) {
			s.answered.Store(int64(time.Since(begin)))
			stopped = append(stopped, s)
		}
	}
	settle(t, replicas, stopped)
	close(stop)
	wg.Wait()
	for _, s := range stopped {
		if late := time.Duration(s.lastActive.Load() - s.answered.Load()); late > guarantee {
			t.Errorf("a secret was active %v after its change", late)
		}
	}
	for _, s := range secrets {
		if status := verify(t, replicas[0], s.secret); s.answered.Load() == 0 && status != http.StatusNoContent {
			t.Errorf("a secret that nobody stopped gets %d", status)
		}
	}
}

func createRotated(t *testing.T, s, by *harness.Server) *rotated {
	t.Helper()
	old := create(t, s)
	a := by.Do("POST", "/service/tokens/muninx/"+old.id+"/rotate", by.Vars["member"], `{"overlap":"1h"}`)
	if a.Status != http.StatusOK {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	r := &rotated{}
	r.old.secret, r.old.id = old.secret, old.id
	r.current.secret, r.current.id = a.JSON()["token"].(string), old.id
	return r
}
