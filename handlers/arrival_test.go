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

// TestWhatComesAtOnceIsAuthenticatedOnce: without a cache, a check is a look-up of the caller and one of the token. Where
// the body comes later than the head, the caller is looked up once more.
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
		{[]string{head + form}, 2}, {[]string{head, form}, 3}, {[]string{head + form}, 2},
		{[]string{head + form[:5], form[5:]}, 3}, {[]string{head + form + head + form}, 4},
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
