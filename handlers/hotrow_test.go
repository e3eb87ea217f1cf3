package handlers_test

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/server"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/harness"
)

// rowWrites is a store that counts the statements that write a token's row.
type rowWrites struct {
	token.Store
	mu     sync.Mutex
	counts map[int64]int
}

// Touch counts a write of each row of the batch.
func (w *rowWrites) Touch(ctx context.Context, uses map[int64]time.Time) error {
	w.mu.Lock()
	for seq := range uses {
		w.counts[seq]++
	}
	w.mu.Unlock()
	return w.Store.Touch(ctx, uses)
}

// Update counts a write of the row.
func (w *rowWrites) Update(ctx context.Context, p token.Permit, ref token.Ref, change func(*token.Token) error) (token.Token, error) {
	t, err := w.Store.Update(ctx, p, ref, change)
	w.mu.Lock()
	w.counts[t.Seq]++
	w.mu.Unlock()
	return t, err
}

// TestBusyTokenIsNoHotRow has 256 clients check one token at once, both ways. Its row, and that of the token with which
// introspection is asked, may be written once each time that uses are flushed, however many checks there were.
func TestBusyTokenIsNoHotRow(t *testing.T) {
	harness.Databases(t, func(t *testing.T, databaseURL string) {
		start := time.Now()
		writes := &rowWrites{counts: map[int64]int{}}
		s := harness.Start(t, harness.Options{DatabaseURL: databaseURL, Unchecked: true, Configure: func(c *server.Config) {
			c.RequestTimeout = time.Minute
			c.Wrap = func(s server.Stores) server.Stores { // beneath what is kept in memory
				writes.Store = s.Tokens
				s.Tokens = writes
				return s
			}
		}})
		secret, id := issue(t, s, token.Muninx, s.Vars["member"], `{"name":"busy"}`)

		checkFromAll(t, s, secret)
		s.Stop()
		took := time.Since(start)
		limit := int(took/token.FlushInterval) + 1 // one each interval, and one at the end
		busy, err := harness.Start(t, harness.Options{Replica: s}).DB.Find(t.Context(), token.Ref{Dialect: token.Muninx, ID: id})
		if err != nil || busy.LastUsedAt.IsZero() {
			t.Errorf("the use is not stored: %v %v", busy.LastUsedAt, err)
		}
		if writes.counts[busy.Seq] == 0 {
			t.Error("no write of the row was counted")
		}
		for seq, n := range writes.counts {
			if n > limit {
				t.Errorf("row %d was written %d times in %v, want at most %d", seq, n, took, limit)
			}
		}
	})
}

// checkFromAll checks a token from 256 clients with a connection each.
func checkFromAll(t *testing.T, s *harness.Server, secret string) {
	t.Helper()
	const clients, rounds = 256, 4
	s.Client.Transport.(*http.Transport).MaxIdleConnsPerHost = clients
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for range rounds {
				a, err := s.Try("GET", "/verify", secret, "")
				if err != nil || a.Status != http.StatusNoContent {
					t.Errorf("verify: %d %s %v", a.Status, a.Body, err)
				}
				a, err = s.Try("POST", "/introspect", s.Vars["introspector"], "token="+url.QueryEscape(secret), form...)
				if err != nil || a.Status != http.StatusOK || a.JSON()["active"] != true {
					t.Errorf("introspect: %d %s %v", a.Status, a.Body, err)
				}
			}
		})
	}
	wg.Wait()
}
