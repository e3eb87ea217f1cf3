package handlers_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/harness"
)

// hold keeps busy every transaction that creates could have, until release is called.
func hold(t *testing.T, s *harness.Server) (release func()) {
	t.Helper()
	transactions := 1
	if s.DB.Shared() {
		transactions = 2 // at the same time make changes that go together
	}
	let := make(chan struct{})
	var held, done sync.WaitGroup
	held.Add(transactions)
	for i := range transactions {
		_, id := issue(t, s, token.Muninx, s.Vars["stranger"], fmt.Sprintf(`{"name":"held %d"}`, i))
		done.Go(func() {
			_, err := s.DB.Update(t.Context(), token.Permit{}, token.Ref{Dialect: token.Muninx, ID: id}, func(*token.Token) error {
				held.Done()
				<-let
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	held.Wait()
	return func() {
		close(let)
		done.Wait()
	}
}

// TestRevokesGoBeforeCreates has one caller ask for more creates than it may, while nothing goes on. A revoke that comes
// last is done first, and another caller still gets in.
func TestRevokesGoBeforeCreates(t *testing.T) {
	harness.Databases(t, func(t *testing.T, databaseURL string) {
		s := harness.Start(t, harness.Options{DatabaseURL: databaseURL, Configure: harness.Timeout(20 * time.Second)})
		const creates, admitted = 200, 128
		stolen, id := issue(t, s, token.Muninx, s.Vars["member"], `{"name":"stolen"}`)
		release := hold(t, s)
		var mu sync.Mutex
		counts := map[int]int{}
		var flood sync.WaitGroup
		for range creates {
			flood.Go(func() {
				a, err := s.Try("POST", "/tokens", stolen, `{"name":"flood"}`)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				counts[a.Status]++
				if a.Status == http.StatusServiceUnavailable && a.Header.Get("Retry-After") == "" {
					t.Error("no Retry-After")
				}
			})
		}
		refused := func() int {
			mu.Lock()
			defer mu.Unlock()
			return counts[http.StatusServiceUnavailable]
		}
		for refused() < creates-admitted {
			time.Sleep(10 * time.Millisecond)
		}
		var others sync.WaitGroup
		others.Go(func() {
			a, err := s.Try("POST", "/tokens", s.Vars["admin"], `{"name":"another caller"}`)
			if err != nil || a.Status != http.StatusOK {
				t.Errorf("another caller: %v %v", a, err)
			}
		})
		revoke := func() {
			a, err := s.Try("POST", "/service/tokens/muninx/"+id+"/revoke", s.Vars["admin"], "")
			if err != nil || a.Status != http.StatusOK {
				t.Errorf("the revoke: %v %v", a, err)
			}
		}
		if s.DB.Shared() {
			revoke() // while all others wait
			release()
		} else {
			others.Go(revoke)
			time.Sleep(100 * time.Millisecond) // most likely enough to be waiting
			release()
		}
		flood.Wait()
		others.Wait()
		if counts[http.StatusUnauthorized] != admitted || counts[http.StatusServiceUnavailable] != creates-admitted {
			t.Errorf("of %d creates with the revoked token: %v, want none done", creates, counts)
		}
	})
}
