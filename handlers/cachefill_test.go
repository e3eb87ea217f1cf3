package handlers_test

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tokenwright/tokenwright/internal/server"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/harness"
)

// oneRow is how many bytes of cache are enough for one row and not for two.
const oneRow = 1800

// TestRevokeAgainstCacheFill has checks read a token's row into the cache while the token is revoked or suspended. No check
// that is begun after the answer may say "active". With a cache for one row every check has to fill it again.
func TestRevokeAgainstCacheFill(t *testing.T) {
	harness.Databases(t, func(t *testing.T, databaseURL string) {
		s := harness.Start(t, harness.Options{DatabaseURL: databaseURL, Unchecked: true})
		raceAgainstFill(t, s, 30)
	})
	t.Run("one row", func(t *testing.T) {
		s := harness.Start(t, harness.Options{Unchecked: true, Configure: func(c *server.Config) { c.CacheSize = oneRow }})
		raceAgainstFill(t, s, 30)
	})
}

func raceAgainstFill(t *testing.T, s *harness.Server, rounds int) {
	t.Helper()
	total := 0
	for round := range rounds {
		secret, id := issue(t, s, token.Muninx, s.Vars["member"], `{"name":"subject"}`)
		action := []string{"revoke", "suspend"}[round%2]
		r := &fillRace{server: s, secret: secret, begun: make(chan struct{}, 1000)}
		var checkers sync.WaitGroup
		for range 6 {
			checkers.Go(func() { r.check(t) })
		}
		for range round % 10 { // so that the change meets the first fill at every point
			<-r.begun
		}
		expect(t, s, "POST", "/service/tokens/muninx/"+id+"/"+action, s.Vars["admin"], http.StatusOK)
		r.answered.Store(true)
		checkers.Wait()
		total += int(r.checks.Load())
	}
	t.Logf("%d rounds, %d checks", rounds, total)
}

// fillRace is one token that is checked while it is changed.
type fillRace struct {
	server   *harness.Server
	secret   string
	answered atomic.Bool // the change
	checks   atomic.Int64
	begun    chan struct{}
}

// check asks until the change was answered, and three times more.
func (r *fillRace) check(t *testing.T) {
	for left := 3; left > 0; {
		after := r.answered.Load()
		select {
		case r.begun <- struct{}{}:
		default:
		}
		credential := r.secret
		if r.checks.Add(1)%3 == 0 {
			credential = r.server.Vars["stranger"] // which takes the place in a cache for one row
		}
		a, err := r.server.Try("GET", "/verify", credential, "")
		if err != nil || a.Status != http.StatusNoContent && a.Status != http.StatusUnauthorized {
			t.Errorf("a check gets %d %v", a.Status, err)
			return
		}
		if after {
			left--
			if credential == r.secret && a.Status != http.StatusUnauthorized {
				t.Errorf("a check begun after the change was answered gets %d", a.Status)
			}
		}
	}
}
