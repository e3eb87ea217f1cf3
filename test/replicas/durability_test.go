package replicas

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/test/harness"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

// TestAnsweredRevokesSurviveACrash kills PostgreSQL right after the answers. Server, role and database say that a commit need not
// wait for the disk.
func TestAnsweredRevokesSurviveACrash(t *testing.T) {
	cluster := pgtest.NewCluster(t)
	cluster.Stop(t)
	cluster.Setting(t, "wal_writer_delay", "10s") // so that nothing gets there by chance
	cluster.Setting(t, "synchronous_commit", "off")
	cluster.Start(t)
	database := cluster.URL(t)
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	cluster.Exec(t, "ALTER DATABASE "+strings.TrimPrefix(u.Path, "/")+" SET synchronous_commit = off")
	cluster.Exec(t, "ALTER ROLE postgres SET synchronous_commit = off")
	s := harness.Start(t, harness.Options{DatabaseURL: database, Unchecked: true})
	for range 3 {
		var subjects []*subject
		for range 4 {
			subjects = append(subjects, create(t, s))
		}
		for _, subject := range subjects {
			revoke(t, s, subject)
		}
		cluster.Kill(t)
		cluster.Start(t)
		for _, subject := range subjects {
			works(t, s, subject.secret, http.StatusUnauthorized)
			a := s.Do("GET", "/service/tokens/muninx/"+subject.id, s.Vars["admin"], "")
			if a.Status != http.StatusOK || a.JSON()["status"] != "revoked" {
				t.Errorf("after the crash the token is %d %s", a.Status, a.Body)
			}
		}
	}
}
