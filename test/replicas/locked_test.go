package replicas

import (
	"net/http"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tokenwright/tokenwright/test/harness"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

// TestLockedTablesAreNoVerdict has another session lock one table after the other, so that each statement of a request
// waits in its turn until the request's time is over.
func TestLockedTablesAreNoVerdict(t *testing.T) {
	database := pgtest.URL(t)
	s := harness.Start(t, harness.Options{DatabaseURL: database, Configure: harness.Timeout(300 * time.Millisecond)})
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	body := map[string]string{
		"/tokens": `{"name":"x"}`, "/api/v1/api_token": `{"token_scope":"environment","environment_id":"` + s.Vars["environment"] + `"}`,
		"/api/admin/user/tokens": `{}`,
	}
	for _, table := range []string{"tokens", "users", "accounts", "environments", "status_places"} {
		if a := s.Do("GET", "/service/me", s.Vars["member"], ""); a.Status != http.StatusOK { // the credential is in memory
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		tx, err := conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), "LOCK TABLE "+table+" IN ACCESS EXCLUSIVE MODE"); err != nil {
			t.Fatal(err)
		}
		refused := 0
		for path, create := range body {
			a := s.Do("POST", path, s.Vars["member"], create)
			switch {
			case a.Status == http.StatusServiceUnavailable && a.Header.Get("Retry-After") != "":
				refused++
			case a.Status >= http.StatusMultipleChoices:
				t.Errorf("%s locked: %s answers %d %s", table, path, a.Status, a.Body)
			}
		}
		if refused == 0 {
			t.Errorf("%s locked: every create succeeded", table)
		}
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for path, create := range body {
		if a := s.Do("POST", path, s.Vars["member"], create); a.Status >= http.StatusMultipleChoices {
			t.Errorf("afterwards %s answers %d %s", path, a.Status, a.Body)
		}
	}
}
