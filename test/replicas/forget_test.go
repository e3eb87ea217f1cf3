package replicas

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/harness"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

// TestAChangeForgetsOnlyWhatItConcerns, on the server that makes it and on another: what depends on the changed thing is
// refused, and the rest is still answered from memory without having been read again.
func TestAChangeForgetsOnlyWhatItConcerns(t *testing.T) {
	servers := start(t, 2, harness.Options{DatabaseURL: pgtest.URL(t)})
	first, v := servers[0], servers[0].Vars
	ofAccount := func(body string) string {
		a := first.Do("POST", "/api/v1/api_token", v["admin"], body)
		if a.Status != http.StatusOK {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		return a.JSON()["token"].(string)
	}
	environment := ofAccount(`{"token_scope":"environment","environment_id":"` + v["environment"] + `"}`)
	sibling := ofAccount(`{"token_scope":"environment","environment_id":"` + v["environment2"] + `"}`)
	other := ofAccount(`{"token_scope":"account","account_id":"` + v["other_account"] + `"}`)
	all := []string{v["member"], v["introspector"], environment, sibling, other}
	cases := []struct{ path, gone string }{
		{"/service/users/" + v["introspector_id"], v["introspector"]},
		{"/service/environments/" + v["environment"], environment},
		{"/service/accounts/" + v["other_account"], other},
	}
	for _, c := range cases {
		for forgotten := true; forgotten; {
			for _, s := range servers {
				remembers(t, s, all)
			}
			losses := feedLosses(servers)
			post(t, first, c.path+"/disable")
			forgotten = false
			for _, s := range servers {
				becomes(t, s, c.gone, http.StatusUnauthorized)
				for _, secret := range all {
					forgotten = forgotten || secret != c.gone && !kept(s, secret)
				}
			}
			if forgotten && losses == feedLosses(servers) {
				t.Fatalf("%s: a row is forgotten that does not depend on it", c.path)
			}
			post(t, first, c.path+"/enable")
			for _, s := range servers {
				becomes(t, s, c.gone, http.StatusNoContent)
			}
		}
	}
}

// feedLosses is how often the servers have lost the feed, on which they forget everything. A busy machine can make that
// happen.
func feedLosses(servers []*harness.Server) (n int) {
	for _, s := range servers {
		n += strings.Count(s.Log.String(), "not receiving changes by other servers")
	}
	return n
}

func post(t *testing.T, s *harness.Server, path string) {
	t.Helper()
	if a := s.Do("POST", path, s.Vars["admin"], ""); a.Status != http.StatusOK {
		t.Fatalf("%s: %d %s", path, a.Status, a.Body)
	}
}

// remembers has the server answer for all these from memory.
func remembers(t *testing.T, s *harness.Server, secrets []string) {
	t.Helper()
	for _, secret := range secrets {
		becomes(t, s, secret, http.StatusNoContent)
		for !kept(s, secret) { // it was read before the feed was there
			becomes(t, s, secret, http.StatusNoContent)
		}
	}
}

// becomes waits until checks of the secret get this status.
func becomes(t *testing.T, s *harness.Server, secret string, want int) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for status := 0; status != want; status = verify(t, s, secret) {
		if time.Now().After(deadline) {
			t.Fatalf("the token gets %d, want %d", status, want)
		}
	}
}

// kept asks the memory alone, which answers once a heartbeat was heard.
func kept(s *harness.Server, secret string) bool {
	deadline := time.Now().Add(2 * time.Second)
	for time.Now().Before(deadline) {
		if _, ok := s.Memory.Row(token.HashSecret(secret)); ok {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}
