//go:build attacks

package attacks

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/test/child"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

// TestDatabaseGoes stops PostgreSQL under a server that is asked all the time. A credential that works gets 503 as long as
// the server cannot know, never 401, and works again when the database is back.
func TestDatabaseGoes(t *testing.T) {
	cluster := pgtest.NewCluster(t)
	s := child.NewServer(t, cluster.URL(t))
	secret, _, err := s.Create("muninx", s.Secret, "subject")
	need(t, err)
	counts := map[int]int{}
	ask := func() (status int) {
		for _, path := range []string{"/verify", "/service/me", "/tokens", "/api/admin/user/tokens"} {
			status = s.Get(path, secret)
			counts[status]++
			if status != http.StatusOK && status != http.StatusNoContent && status != http.StatusServiceUnavailable {
				t.Errorf("%s gets %d", path, status)
			}
		}
		return status
	}
	for range 3 {
		cluster.Stop(t)
		for begun := time.Now(); time.Since(begun) < 3*guarantee; {
			if status := ask(); status != http.StatusServiceUnavailable {
				t.Errorf("a list without a database gets %d", status)
			}
		}
		cluster.Start(t)
		for begun := time.Now(); ask() != http.StatusOK; time.Sleep(20 * time.Millisecond) {
			if time.Since(begun) > 30*time.Second {
				t.Fatal("the database is back, and the server does not notice")
			}
		}
	}
	fmt.Printf("%s: answers by status: %v\n", t.Name(), counts)
}
