package handlers_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/server"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/harness"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

// most is what an account may hold: so much that not every create counts.
const most = 150

func maxTokens(c *server.Config) {
	c.Policies = map[*token.Dialect]token.Policy{token.APIToken: {DefaultLifetime: time.Hour, MaxTokens: most}}
}

// createMany asks the servers in turn for so many tokens of an account, and returns how often each status came.
func createMany(t *testing.T, servers []*harness.Server, attempts int, body string) map[int]int {
	t.Helper()
	counts := map[int]int{}
	var mu sync.Mutex
	var creators sync.WaitGroup
	for worker := range 10 {
		creators.Go(func() {
			for i := range attempts / 10 {
				s := servers[(worker+i)%len(servers)]
				a, err := s.Try("POST", "/api/v1/api_token", s.Vars["admin"], body)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				counts[a.Status]++
				mu.Unlock()
			}
		})
	}
	creators.Wait()
	return counts
}

// TestAccountHoldsNoMoreThanItMay whichever server is asked, and another account is not limited for it.
func TestAccountHoldsNoMoreThanItMay(t *testing.T) {
	limitAccounts := func(t *testing.T, servers ...*harness.Server) {
		t.Helper()
		first, last := servers[0], servers[len(servers)-1]
		home := `{"token_scope":"account"}`
		other := `{"token_scope":"account","account_id":"` + first.Vars["other_account"] + `"}`
		if counts := createMany(t, servers, 100, other); counts[http.StatusOK] != 100 {
			t.Errorf("another account: %v", counts)
		}
		createMany(t, []*harness.Server{last}, 10, home)
		createMany(t, []*harness.Server{first}, most-10, home) // of which the last server knows nothing
		counts := createMany(t, []*harness.Server{last}, 30, home)
		if counts[http.StatusForbidden] != 30 {
			t.Errorf("%v, want all refused", counts)
		}
		list := first.Do("GET", "/api/v1/api_token?limit=1&account_id="+first.Vars["account"], first.Vars["admin"], "").JSON()
		id := list["details"].([]any)[0].(map[string]any)["id"].(string)
		expect(t, first, "POST", "/api/v1/api_token/"+id+"/revoke", first.Vars["admin"], http.StatusOK)
		if counts = createMany(t, servers, 10, home); counts[http.StatusForbidden] != 10 {
			t.Errorf("after a revoke: %v", counts)
		}
		expect(t, first, "DELETE", "/api/v1/api_token/"+id, first.Vars["admin"], http.StatusNoContent)
		if counts = createMany(t, servers, 10, home); counts[http.StatusOK] != 1 {
			t.Errorf("after a delete: %v", counts)
		}
		if counts = createMany(t, servers, 100, other); counts[http.StatusOK] != most-100 {
			t.Errorf("another account, in the end: %v", counts)
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		limitAccounts(t, harness.Start(t, harness.Options{Configure: maxTokens}))
	})
	t.Run("postgres", func(t *testing.T) {
		first := harness.Start(t, harness.Options{DatabaseURL: pgtest.URL(t), Configure: maxTokens})
		limitAccounts(t, first, harness.Start(t, harness.Options{Replica: first, Configure: maxTokens}))
	})
}
