package handlers_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/server"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/harness"
)

// planted is a store that fails when told to.
type planted struct {
	token.Store
	lists token.StatusStore
	fault *atomic.Pointer[func(context.Context) error]
}

// plant has a server work on such a store.
func plant(fault *atomic.Pointer[func(context.Context) error]) func(*server.Config) {
	return func(c *server.Config) {
		c.Wrap = func(s server.Stores) server.Stores {
			p := planted{s.Tokens, s.Statuses, fault}
			return server.Stores{Tokens: p, Registry: s.Registry, Statuses: p}
		}
	}
}

func (p planted) fail(ctx context.Context) error {
	if f := p.fault.Load(); f != nil {
		return (*f)(ctx)
	}
	return nil
}

func (p planted) FindSecret(ctx context.Context, h token.Hash) (token.Identity, error) {
	if err := p.fail(ctx); err != nil {
		return token.Identity{}, err
	}
	return p.Store.FindSecret(ctx, h)
}

func (p planted) StatusList(ctx context.Context, list int64, each func(token.Standing)) error {
	if err := p.fail(ctx); err != nil {
		return err
	}
	return p.lists.StatusList(ctx, list, each)
}

func (p planted) FindStatusList(ctx context.Context, list int64) error {
	if err := p.fail(ctx); err != nil {
		return err
	}
	return p.lists.FindStatusList(ctx, list)
}

func (p planted) Standings(ctx context.Context, seqs []int64) ([]token.Standing, error) {
	if err := p.fail(ctx); err != nil {
		return nil, err
	}
	return p.lists.Standings(ctx, seqs)
}

// TestStatusListsInAnOutage: what was changed while the database was away is not lost, and an old list is not shown.
func TestStatusListsInAnOutage(t *testing.T) {
	var fault atomic.Pointer[func(context.Context) error]
	away := func(context.Context) error { return token.Wrap(token.Unavailable, errors.New("away")) }
	s := harness.Start(t, harness.Options{Configure: plant(&fault)})
	jwt, id := issue(t, s, token.APIToken, s.Vars["member"], `{"token_scope":"account"}`)
	if got := statusOf(t, s, jwt); got != 0 {
		t.Fatalf("fresh: %d", got)
	}
	expect(t, s, "POST", "/service/tokens/apitoken/"+id+"/revoke", s.Vars["admin"], 200)
	fault.Store(&away)
	for range 2 {
		if a := expect(t, s, "GET", "/statuslists/1", "", 503); a.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	expect(t, s, "GET", "/statuslists/2", "", 503)
	fault.Store(nil)
	if got := statusOf(t, s, jwt); got != 1 {
		t.Errorf("revoked before the outage: %d", got)
	}
}

// TestKeyDirectoryGone: without it nothing is signed, since nobody else could verify it, which may pass, as when a mount is away.
func TestKeyDirectoryGone(t *testing.T) {
	first := harness.Start(t, harness.Options{})
	issue(t, first, token.APIToken, first.Vars["member"], `{"token_scope":"account"}`) // so that there is a status list
	first.Stop()
	s := harness.Start(t, harness.Options{Replica: first})
	away := s.KeyDir + ".away"
	if err := os.Rename(s.KeyDir, away); err != nil {
		t.Fatal(err)
	}
	try := func(what string, want int) {
		t.Helper()
		for _, a := range []harness.Answer{
			s.Do("GET", "/statuslists/1", "", ""),
			s.Do("POST", "/api/v1/api_token", s.Vars["member"], `{"token_scope":"account"}`),
		} {
			if a.Status != want || want == http.StatusServiceUnavailable && a.Header.Get("Retry-After") == "" {
				t.Errorf("%s: %d %s, Retry-After %q", what, a.Status, a.Body, a.Header.Get("Retry-After"))
			}
		}
	}
	try("gone", http.StatusServiceUnavailable)
	if err := os.WriteFile(s.KeyDir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	try("a file in its place", http.StatusServiceUnavailable)
	if err := errors.Join(os.Remove(s.KeyDir), os.Mkdir(s.KeyDir, 0o700)); err != nil {
		t.Fatal(err)
	}
	try("an empty one in its place", http.StatusServiceUnavailable)
	if err := errors.Join(os.Remove(s.KeyDir), os.Rename(away, s.KeyDir)); err != nil {
		t.Fatal(err)
	}
	try("back", http.StatusOK)
}

func TestFaultsOfOursAreNoVerdict(t *testing.T) {
	secretCause := errors.New("dial tcp 10.1.2.3:5432: password of admin is hunter2")
	faults := map[string]struct {
		status int
		fail   func(context.Context) error
	}{
		"database away": {503, func(context.Context) error { return token.Wrap(token.Unavailable, secretCause) }},
		"unknown error": {500, func(context.Context) error { return secretCause }},
		"internal":      {500, func(context.Context) error { return token.Wrap(token.Internal, secretCause) }},
		"panic":         {500, func(context.Context) error { panic(secretCause) }},
		"time-out": {503, func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}},
	}
	each2 := func(t *testing.T, test func(t *testing.T, s *harness.Server, c creator, set func(func(context.Context) error))) {
		for _, c := range creators {
			t.Run(c.dialect, func(t *testing.T) {
				t.Parallel()
				var fault atomic.Pointer[func(context.Context) error]
				s := harness.Start(t, harness.Options{Configure: func(c *server.Config) {
					plant(&fault)(c)
					c.CacheSize = 0 // a fault must not hide behind memory
					c.RequestTimeout = 500 * time.Millisecond
				}})
				test(t, s, c, func(f func(context.Context) error) { fault.Store(&f) })
			})
		}
	}
	each2(t, func(t *testing.T, s *harness.Server, c creator, set func(func(context.Context) error)) {
		for what, f := range faults {
			set(f.fail)
			a := s.Do("POST", c.path, s.Vars["admin"], c.unique(""))
			want(t, c, what, a, f.status)
			if f.status == http.StatusServiceUnavailable && a.Header.Get("Retry-After") == "" {
				t.Errorf("%s: no Retry-After", what)
			}
			if strings.Contains(string(a.Body), "hunter2") || strings.Contains(string(a.Body), "10.1.2.3") {
				t.Errorf("%s: the answer leaks the cause: %s", what, a.Body)
			}
		}
		set(func(context.Context) error { return nil })
		want(t, c, "afterwards", s.Do("POST", c.path, s.Vars["admin"], c.unique("")), c.created)
		if !strings.Contains(s.Log.String(), "hunter2") {
			t.Error("the log does not have the cause")
		}
	})
}
