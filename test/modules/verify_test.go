package modules_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/server"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/harness"
	"github.com/tokenwright/tokenwright/verify"
)

// clock is set by the tests of the cache.
type clock struct{ t time.Time }

func newClock() *clock { return &clock{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) Now() time.Time          { return c.t }
func (c *clock) advance(d time.Duration) { c.t = c.t.Add(d) }

func newVerifier(t *testing.T, c verify.Config) *verify.Verifier {
	t.Helper()
	v, err := verify.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func ask(t *testing.T, url, credential string, c *clock, change ...func(*verify.Config)) *verify.Verifier {
	t.Helper()
	config := verify.Online(url, credential)
	config.Now, config.Timeout = c.Now, time.Minute
	for _, f := range change {
		f(&config)
	}
	return newVerifier(t, config)
}

func noCache(c *verify.Config) { c.CacheTTL = 0 }

// expect checks the verdict.
func expect(t *testing.T, what string, v *verify.Verifier, secret string, want error) verify.Token {
	t.Helper()
	got, err := v.Check(t.Context(), secret)
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
	return got
}

// get sends a request through the middleware.
func get(t *testing.T, v *verify.Verifier, authorization string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.Header.Set("Authorization", authorization)
	w := httptest.NewRecorder()
	v.Middleware(http.NotFoundHandler()).ServeHTTP(w, r)
	return w
}

func issue(t *testing.T, s *harness.Server, credential string) (secret, id string) {
	t.Helper()
	a := s.Do("POST", "/api/v1/api_token", credential, `{"token_scope":"environment","environment_id":"`+s.Vars["environment"]+`"}`)
	if a.Status != http.StatusOK {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	return a.JSON()["token"].(string), a.JSON()["details"].(map[string]any)["id"].(string)
}

func change(t *testing.T, s *harness.Server, id, what string) {
	t.Helper()
	if a := s.Do("POST", "/service/tokens/apitoken/"+id+"/"+what, s.Vars["admin"], ""); a.Status != http.StatusOK {
		t.Fatalf("%s: %d %s", what, a.Status, a.Body)
	}
}

// TestOfflineWithTheServer takes what the real server issues and publishes.
func TestOfflineWithTheServer(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	c := verify.Offline(s.URL)
	c.Now, c.Timeout = s.Service.Now, time.Minute
	v := newVerifier(t, c)
	secret, id := issue(t, s, s.Vars["member"])
	got := expect(t, "issued", v, secret, nil)
	if got.ID != id || got.Subject != s.Vars["environment"] || got.Account != s.Vars["account"] || got.Scope != "environment" {
		t.Errorf("got %+v", got)
	}
	s.Advance(366 * 24 * time.Hour)
	expect(t, "expired", v, secret, verify.ErrInvalid)
}

// TestOfflineStatusWithTheServer: what happened to a token shows when the list's `ttl` is over.
func TestOfflineStatusWithTheServer(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	c := verify.Offline(s.URL)
	c.Now, c.Timeout = s.Service.Now, time.Minute
	v := newVerifier(t, c)
	secret, id := issue(t, s, s.Vars["member"])
	other, _ := issue(t, s, s.Vars["member"])
	expect(t, "issued", v, secret, nil)
	for _, step := range []struct {
		action string
		want   error
	}{{"suspend", verify.ErrInvalid}, {"activate", nil}, {"revoke", verify.ErrInvalid}} {
		change(t, s, id, step.action)
		s.Advance(time.Minute)
		expect(t, step.action, v, secret, step.want)
		expect(t, "another after "+step.action, v, other, nil)
	}
}

func TestOnline(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	v := ask(t, s.URL, s.Vars["introspector"], newClock(), noCache)
	got := expect(t, "a user's", v, s.Vars["member"], nil)
	if got.Subject != "member" || got.Username != "member" || got.Scope != "user" || got.Account != s.Vars["account"] ||
		got.Dialect != "muninx" || got.Issuer != s.URL || got.ID == "" || got.IssuedAt.IsZero() || !got.ExpiresAt.IsZero() {
		t.Errorf("a user's: %+v", got)
	}
	secret, id := issue(t, s, s.Vars["member"])
	got = expect(t, "an environment's", v, secret, nil)
	if got.ID != id || got.Environment != s.Vars["environment"] || got.Scope != "environment" || got.ExpiresAt.IsZero() {
		t.Errorf("an environment's: %+v", got)
	}
	for what, bad := range map[string]string{
		"none": "", "unknown": "muninx_000000000000000000000000000000000000", "out of reach": s.Vars["stranger"],
		"spaces": "a b", "over-long": strings.Repeat("a", 16<<10+1), "line feed": "a\n", "NUL": "\x00", "not ASCII": "ü",
		"no signature": secret[:strings.LastIndexByte(secret, '.')+1], "a form": "x&token=" + secret,
	} {
		expect(t, what, v, bad, verify.ErrInvalid)
	}
	for _, step := range []struct {
		change string
		want   error
	}{{"suspend", verify.ErrInvalid}, {"activate", nil}, {"revoke", verify.ErrInvalid}} {
		change(t, s, id, step.change)
		expect(t, step.change+" shows at once", v, secret, step.want)
	}
}

func TestOnlineCache(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	c := newClock()
	v := ask(t, s.URL, s.Vars["introspector"], c)
	secret, id := issue(t, s, s.Vars["member"])
	expect(t, "active", v, secret, nil)
	change(t, s, id, "suspend")
	c.advance(time.Second - 1)
	expect(t, "within the second", v, secret, nil)
	c.advance(1)
	expect(t, "after the second", v, secret, verify.ErrInvalid)
	change(t, s, id, "activate")
	c.advance(time.Second - 1)
	expect(t, "a refusal is kept for a moment", v, secret, verify.ErrInvalid)
	c.advance(1)
	expect(t, "and no longer", v, secret, nil)
}

// planted is a store that fails when told to.
type planted struct {
	token.Store
	away *atomic.Bool
}

func (p planted) FindSecret(ctx context.Context, h token.Hash) (token.Identity, error) {
	if p.away.Load() {
		return token.Identity{}, token.Wrap(token.Unavailable, errors.New("planted"))
	}
	return p.Store.FindSecret(ctx, h)
}

// TestOnlineAsksAboutEverySecret that the service makes, of every dialect, and about nothing that the service would refuse
// by its form.
func TestOnlineAsksAboutEverySecret(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"active":true}`))
	}))
	t.Cleanup(s.Close)
	v := ask(t, s.URL, "own", newClock(), noCache)
	for _, dialect := range token.Published {
		if dialect.Secrets.Signed {
			continue
		}
		for range 50 {
			expect(t, dialect.Name, v, dialect.Secrets.New(), nil)
		}
		secret := dialect.Secrets.New()
		for i := range secret {
			for _, c := range "0aZ-" {
				if changed := secret[:i] + string(c) + secret[i+1:]; token.Published.OfSecret(changed) == dialect {
					expect(t, changed, v, changed, nil)
				} else {
					expect(t, changed, v, changed, verify.ErrInvalid)
				}
			}
		}
	}
}

// TestOnlineWithTheServerInTrouble: no trouble of the real server is a verdict.
func TestOnlineWithTheServerInTrouble(t *testing.T) {
	away := &atomic.Bool{}
	s := harness.Start(t, harness.Options{Configure: func(c *server.Config) {
		c.CacheSize = 0 // a fault must not hide behind memory
		c.Wrap = func(s server.Stores) server.Stores {
			s.Tokens = planted{s.Tokens, away}
			return s
		}
	}})
	v := ask(t, s.URL, s.Vars["introspector"], newClock(), noCache)
	away.Store(true)
	expect(t, "no database", v, s.Vars["member"], verify.ErrUnavailable)
	if a := get(t, v, "Bearer "+s.Vars["member"]); a.Code != 503 || a.Header().Get("Retry-After") == "" {
		t.Errorf("no database: %d %v", a.Code, a.Header())
	}
	away.Store(false)
	expect(t, "over", v, s.Vars["member"], nil)
	for what, credential := range map[string]string{"may not introspect": s.Vars["member"], "unknown": "x"} {
		wrong := ask(t, s.URL, credential, newClock())
		expect(t, what, wrong, s.Vars["member"], verify.ErrMisconfigured)
		if a := get(t, wrong, "Bearer "+s.Vars["member"]); a.Code != 503 {
			t.Errorf("%s: %d", what, a.Code)
		}
	}
	nobody := ask(t, "http://127.0.0.1:1", s.Vars["introspector"], newClock())
	expect(t, "nobody there", nobody, s.Vars["member"], verify.ErrUnavailable)
}
