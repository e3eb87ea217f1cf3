package handlers_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/harness"
)

// TestStatusListRightAfterChanges has many change their tokens at once, all in one list. Each finds its own change in the
// list that it reads next, whoever else is reading.
func TestStatusListRightAfterChanges(t *testing.T) {
	harness.Databases(t, func(t *testing.T, databaseURL string) {
		s := harness.Start(t, harness.Options{DatabaseURL: databaseURL, Unchecked: true})
		for worker := range 4 {
			t.Run(fmt.Sprint(worker), func(t *testing.T) {
				t.Parallel()
				changeAndLook(t, s)
			})
		}
	})
}

func changeAndLook(t *testing.T, s *harness.Server) {
	t.Helper()
	leads := map[byte]map[string]byte{0: {"suspend": 2, "revoke": 1}, 2: {"activate": 0, "revoke": 1}}
	var jwt, id string
	state := byte(1)
	for range 20 {
		if state == 1 {
			jwt, id = issue(t, s, token.APIToken, s.Vars["member"], `{"token_scope":"account"}`)
			state = 0
		}
		action := []string{"suspend", "activate", "suspend", "activate", "revoke"}[rand.IntN(5)]
		next, allowed := leads[state][action]
		if !allowed {
			continue
		}
		expect(t, s, "POST", "/service/tokens/apitoken/"+id+"/"+action, s.Vars["admin"], http.StatusOK)
		if got := statusOf(t, s, jwt); got != next {
			t.Errorf("right after %s the list has %d, want %d", action, got, next)
		}
		state = next
	}
}
