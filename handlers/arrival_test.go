package handlers_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/server"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/harness"
)

// lookUps is a store that counts the look-ups of secrets.
type lookUps struct {
	token.Store
	count atomic.Int64
}

func (l *lookUps) FindSecret(ctx context.Context, h token.Hash) (token.Identity, error) {
	l.count.Add(1)
	return l.Store.FindSecret(ctx, h)
}

// TestWhatComesAtOnceIsAuthenticatedOnce: without a cache, a check is one look-up of the caller and the token. Where the
// body comes later than the head, the token is looked up by itself, and the caller once more.
func TestWhatComesAtOnceIsAuthenticatedOnce(t *testing.T) {
	counting := &lookUps{}
	s := harness.Start(t, harness.Options{Configure: func(c *server.Config) {
		c.CacheSize = 0
		c.Wrap = func(s server.Stores) server.Stores {
			counting.Store = s.Tokens
			s.Tokens = counting
			return s
		}
	}})
	form := "token=" + s.Vars["member"]
	head := fmt.Sprintf("POST /introspect HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n", s.Vars["admin"], len(form))
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	for _, c := range []struct {
		parts []string
		want  int64
	}{
		{[]string{head + form}, 1}, {[]string{head, form}, 3}, {[]string{head + form}, 1},
		{[]string{head + form[:5], form[5:]}, 3}, {[]string{head + form + head + form}, 2},
	} {
		before := counting.count.Load()
		for i, part := range c.parts {
			if i > 0 {
				for counting.count.Load() == before { // until the caller has been looked up
					time.Sleep(time.Millisecond)
				}
			}
			fmt.Fprint(conn, part)
		}
		for range strings.Count(strings.Join(c.parts, ""), "POST") {
			a, err := http.ReadResponse(answers, nil)
			if err != nil || a.StatusCode != http.StatusOK {
				t.Fatalf("%v %v", a, err)
			}
			a.Body.Close()
		}
		if got := counting.count.Load() - before; got != c.want {
			t.Errorf("%d parts: %d look-ups, want %d", len(c.parts), got, c.want)
		}
	}
}

// TestVerdictsOfOneLookUp: what is looked up along with the caller is judged like what is looked up by itself, and a caller
// without a right learns nothing of it.
func TestVerdictsOfOneLookUp(t *testing.T) {
	counting := &lookUps{}
	s := harness.Start(t, harness.Options{Configure: func(c *server.Config) {
		c.CacheSize = 0
		c.Wrap = func(s server.Stores) server.Stores {
			counting.Store = s.Tokens
			s.Tokens = counting
			return s
		}
	}})
	create := func(path, body string) map[string]any {
		t.Helper()
		a := s.Do("POST", path, s.Vars["admin"], body)
		if a.Status != http.StatusOK {
			t.Fatal(a.Status, string(a.Body))
		}
		return a.JSON()
	}
	jwt, _ := create("/api/v1/api_token", `{"token_scope":"account"}`)["token"].(string)
	revoked := create("/api/v1/api_token", `{"token_scope":"account"}`)
	gone, _ := revoked["token"].(string)
	details, _ := revoked["details"].(map[string]any)
	if a := s.Do("POST", fmt.Sprintf("/api/v1/api_token/%s/revoke", details["id"]), s.Vars["admin"], ""); a.Status != http.StatusOK {
		t.Fatal(a.Status, string(a.Body))
	}
	unknown := token.Muninx.Secrets.New()
	for _, c := range []struct {
		name, caller, asked string
		status              int
		active              bool
		lookUps             int64
	}{
		{"a token", s.Vars["introspector"], s.Vars["member"], 200, true, 1},
		{"a JWT", s.Vars["introspector"], jwt, 200, true, 1},
		{"a revoked JWT", s.Vars["introspector"], gone, 200, false, 1},
		{"a JWT that was altered", s.Vars["introspector"], jwt[:len(jwt)-4] + "AAAA", 200, false, 1},
		{"an unknown one", s.Vars["introspector"], unknown, 200, false, 1},
		{"no secret at all", s.Vars["introspector"], "nothing", 200, false, 1},
		{"that of another account", s.Vars["introspector"], s.Vars["stranger"], 200, false, 1},
		{"the caller's own", s.Vars["introspector"], s.Vars["introspector"], 200, true, 2},
		{"for a caller without the right", s.Vars["member"], s.Vars["stranger"], 403, false, 1},
		{"for an unknown caller", unknown, s.Vars["member"], 401, false, 1},
		{"for a revoked caller", gone, s.Vars["member"], 401, false, 1},
	} {
		before := counting.count.Load()
		a := s.Do("POST", "/introspect", c.caller, "token="+c.asked, "Content-Type", "application/x-www-form-urlencoded")
		if active := a.Status == 200 && a.JSON()["active"] == true; a.Status != c.status || active != c.active {
			t.Errorf("%s: %d %s", c.name, a.Status, a.Body)
		}
		if got := counting.count.Load() - before; got != c.lookUps {
			t.Errorf("%s: %d look-ups, want %d", c.name, got, c.lookUps)
		}
	}
}
