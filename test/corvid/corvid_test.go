package corvid_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/handlers"
	"github.com/tokenwright/tokenwright/internal/server"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/corvid"
	"github.com/tokenwright/tokenwright/test/harness"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// server speaks the three published dialects and the fourth.
func start(t *testing.T, databaseURL string) *harness.Server {
	return harness.Start(t, harness.Options{
		DatabaseURL: databaseURL,
		Configure: func(c *server.Config) {
			c.Dialects = append(token.Dialects{corvid.Dialect}, token.Published...)
			c.Contracts = []handlers.Contract{corvid.Contract}
		},
	})
}

// TestLife takes tokens of the fourth dialect from creation to deletion.
func TestLife(t *testing.T) {
	harness.Databases(t, func(t *testing.T, databaseURL string) {
		s := start(t, databaseURL)
		member := s.Vars["member"]
		want := func(status int, method, path, credential, body string) harness.Answer {
			t.Helper()
			a := s.Do(method, path, credential, body)
			if a.Status != status {
				t.Fatalf("%s %s: %d %s, want %d", method, path, a.Status, a.Body, status)
			}
			return a
		}
		want(401, "POST", "/corvids", "", `{"name":"one"}`)
		want(400, "POST", "/corvids", member, `{"name":" "}`)
		if a := want(400, "POST", "/corvids", member, `{"nome":"x"}`); !strings.Contains(string(a.Body), "did you mean name?") {
			t.Errorf("a misspelt member: %s", a.Body)
		}
		one := want(200, "POST", "/corvids", member, `{"name":"one"}`).JSON()
		id, secret := one["id"].(string), one["token"].(string)
		if token.Published.OfSecret(secret) != nil || !corvid.Dialect.Secrets.Fits(secret) || !corvid.Dialect.IDs.Valid(id) {
			t.Errorf("the id is %s and the secret %s", id, secret)
		}
		if a := want(409, "POST", "/corvids", member, `{"name":"one"}`); !strings.Contains(string(a.Body), "has this name") {
			t.Errorf("a name twice: %s", a.Body)
		}
		want(200, "POST", "/corvids", member, `{"name":"two"}`)
		want(200, "POST", "/corvids", member, `{"name":"three"}`)
		want(403, "POST", "/corvids", member, `{"name":"four"}`)
		want(200, "POST", "/corvids", s.Vars["stranger"], `{"name":"one"}`)

		page := want(200, "GET", "/corvids?limit=2", secret, "").JSON()
		rest := want(200, "GET", "/corvids?limit=2&cursor="+page["next_cursor"].(string), secret, "").JSON()
		if len(page["items"].([]any)) != 2 || len(rest["items"].([]any)) != 1 || rest["next_cursor"] != nil {
			t.Errorf("the pages are %v and %v", page, rest)
		}
		want(404, "GET", "/corvids/"+id, s.Vars["stranger"], "")

		administer(t, s, want, id, secret)
		want(204, "DELETE", "/corvids/"+id, member, "")
		want(404, "GET", "/corvids/"+id, member, "")
		want(401, "GET", "/corvids", secret, "")
		want(200, "POST", "/corvids", member, `{"name":"one"}`)
	})
}

type wanted func(status int, method, path, credential, body string) harness.Answer

// administer goes through what an admin can do to a token of any dialect, and what a check of it says each time.
func administer(t *testing.T, s *harness.Server, want wanted, id, secret string) {
	t.Helper()
	admin, path := s.Vars["admin"], "/service/tokens/corvid/"+id
	active := func(yes bool) {
		t.Helper()
		a := s.Do("POST", "/introspect", admin, "token="+secret, "Content-Type", "application/x-www-form-urlencoded")
		if a.JSON()["active"] != yes || yes && a.JSON()["dialect"] != "corvid" {
			t.Errorf("a check says %s, want active: %t", a.Body, yes)
		}
	}
	active(true)
	want(204, "GET", "/verify", secret, "")
	want(200, "POST", path+"/suspend", admin, "")
	active(false)
	want(401, "GET", "/verify", secret, "")
	want(200, "POST", path+"/activate", admin, "")
	active(true)
	if list := want(200, "GET", "/service/tokens?dialect=corvid", admin, "").JSON()["items"].([]any); len(list) != 4 {
		t.Errorf("an admin sees %d tokens", len(list))
	}
	want(400, "GET", "/service/tokens?dialect=crow", admin, "")
	if !strings.Contains(s.Log.String(), `"object":"token:corvid/`+id+`"`) || strings.Contains(s.Log.String(), secret) {
		t.Error("the log does not name the token, or has its secret")
	}
}

// TestStrangers keeps the dialects apart: their ids, their cursors and the forms of their secrets.
func TestStrangers(t *testing.T) {
	harness.Databases(t, func(t *testing.T, databaseURL string) {
		s := start(t, databaseURL)
		member := s.Vars["member"]
		made := s.Do("POST", "/corvids", member, `{"name":"one"}`).JSON()
		id, secret := made["id"].(string), made["token"].(string)
		muninx := s.Do("POST", "/tokens", member, `{"name":"two"}`).JSON()["id"].(string)
		s.Do("POST", "/corvids", member, `{"name":"two"}`)
		cursor := s.Do("GET", "/corvids?limit=1", member, "").JSON()["next_cursor"].(string)
		for path, status := range map[string]int{
			"/tokens/" + id: 404, "/api/v1/api_token/" + id: 404, "/api/admin/user/tokens/1": 404, "/corvids/" + muninx: 404,
			"/tokens?limit=1&cursor=" + cursor: 400, "/api/v1/api_token?limit=1&cursor=" + cursor: 400,
			"/service/tokens/muninx/" + id: 404, "/service/tokens/corvid/" + id: 200,
		} {
			credential := member
			if strings.HasPrefix(path, "/service") {
				credential = s.Vars["admin"]
			}
			if a := s.Do("GET", path, credential, ""); a.Status != status {
				t.Errorf("GET %s: %d, want %d", path, a.Status, status)
			}
		}
		body := strings.TrimPrefix(secret, "corvid_")
		for _, bad := range []string{"muninx_" + body, "user:" + body, body, "corvid_" + body[1:], secret + "0", strings.ToUpper(secret)} {
			for _, path := range []string{"/tokens", "/corvids", "/api/v1/api_token", "/api/admin/user/tokens", "/verify"} {
				if a := s.Do("GET", path, bad, ""); a.Status != http.StatusUnauthorized {
					t.Errorf("GET %s with a secret of no form: %d", path, a.Status)
				}
			}
		}
		for path, status := range map[string]int{"/tokens": 200, "/corvids": 200, "/api/v1/api_token": 200, "/api/admin/user/tokens": 200} {
			if a := s.Do("GET", path, secret, ""); a.Status != status { // it acts as its user in every dialect
				t.Errorf("GET %s with the secret: %d", path, a.Status)
			}
		}
		unaware(t, s, databaseURL, secret)
	})
}

// unaware starts a server without the fourth dialect on the same database.
func unaware(t *testing.T, s *harness.Server, databaseURL, secret string) {
	t.Helper()
	if databaseURL == "" { // SQLite has one server a file
		return
	}
	other := harness.Start(t, harness.Options{DatabaseURL: databaseURL, Replica: s})
	if a := other.Do("GET", "/tokens", secret, ""); a.Status != http.StatusUnauthorized {
		t.Errorf("a server that does not know the dialect: %d", a.Status)
	}
	if a := other.Do("GET", "/service/tokens", s.Vars["admin"], ""); a.Status != http.StatusInternalServerError {
		t.Errorf("its list of all tokens: %d", a.Status)
	}
}

// TestVeil keeps the secrets of the fourth dialect out of answers and the log, wherever somebody puts them.
func TestVeil(t *testing.T) {
	s := start(t, "")
	secret := s.Do("POST", "/corvids", s.Vars["member"], `{"name":"one"}`).JSON()["token"].(string)
	a := s.Do("POST", "/corvids", s.Vars["member"], fmt.Sprintf(`{"name":"x","%s":1}`, secret))
	b := s.Do("GET", "/corvids", s.Vars["member"], "", "X-Request-Id", secret[:40])
	for _, text := range []string{string(a.Body), b.Header.Get("X-Request-Id"), s.Log.String()} {
		if strings.Contains(text, secret[:20]) {
			t.Errorf("the secret stands in %s", text)
		}
	}
}
