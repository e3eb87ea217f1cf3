package oidc

import (
	"context"
	"crypto/elliptic"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"

	"github.com/tokenwright/tokenwright/internal/token"
)

func TestNewRefuses(t *testing.T) {
	good := Config{IssuerURL: "https://id.example", Audience: "a", OurIssuer: "https://tokens.example",
		Now: (&clock{}).Now}
	if _, err := New(good); err != nil {
		t.Fatalf("the base of all cases: %v", err)
	}
	for name, change := range map[string]func(*Config){
		"no URL":              func(c *Config) { c.IssuerURL = "" },
		"no absolute URL":     func(c *Config) { c.IssuerURL = "id.example" },
		"no host":             func(c *Config) { c.IssuerURL = "https:///x" },
		"http":                func(c *Config) { c.IssuerURL = "http://id.example" },
		"http like loopback":  func(c *Config) { c.IssuerURL = "http://localhost.example" },
		"file":                func(c *Config) { c.IssuerURL = "file://localhost/etc" },
		"user":                func(c *Config) { c.IssuerURL = "https://u:p@id.example" },
		"fragment":            func(c *Config) { c.IssuerURL = "https://id.example#x" },
		"no audience":         func(c *Config) { c.Audience = "" },
		"no clock":            func(c *Config) { c.Now = nil },
		"ourselves":           func(c *Config) { c.OurIssuer = c.IssuerURL },
		"ourselves and slash": func(c *Config) { c.OurIssuer = c.IssuerURL + "/" },
		"ourselves in case":   func(c *Config) { c.OurIssuer = "HTTPS://ID.example" },
		"ourselves with port": func(c *Config) { c.OurIssuer = "https://id.example:443" },
		"unknown role": func(c *Config) {
			c.RoleClaim, c.Roles = "r", map[string]token.Role{"x": "root"}
		},
		"roles without a claim": func(c *Config) { c.Roles = map[string]token.Role{"x": token.RoleAdmin} },
	} {
		c := good
		change(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for _, url := range []string{"http://localhost:8080", "http://127.0.0.1:1/x", "http://[::1]:1"} {
		c := good
		c.IssuerURL = url
		if _, err := New(c); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestRotation(t *testing.T) {
	w := newWorld(t, nil, p256Pair())
	fresh := ecPair("fresh", jose.ES256, elliptic.P256())
	w.accepts(t, w.good(p256Pair()))
	w.publish(p256Pair(), fresh)
	w.refuses(t, w.good(fresh), token.CredentialInvalid) // asked for only just now
	w.clock.advance(refreshGap)
	w.accepts(t, w.good(fresh))
	w.accepts(t, w.good(p256Pair()))
	w.publish(fresh)
	w.clock.advance(defaultLifetime)
	w.refuses(t, w.good(p256Pair()), token.CredentialInvalid)
	w.accepts(t, w.good(fresh))
}

// TestRotationWithoutKid: a new key under no name is found too.
func TestRotationWithoutKid(t *testing.T) {
	old, fresh := ecPair("", jose.ES256, elliptic.P256()), ecPair("", jose.ES256, elliptic.P256())
	w := newWorld(t, nil, old)
	w.accepts(t, w.good(old))
	w.publish(fresh)
	w.clock.advance(refreshGap)
	w.accepts(t, w.good(fresh))
	w.refuses(t, w.good(old), token.CredentialInvalid)
}

// TestWrongSignatureAsksNothing: the key is known, so that newer keys change nothing.
func TestWrongSignatureAsksNothing(t *testing.T) {
	w := newWorld(t, nil, p256Pair())
	w.accepts(t, w.good(p256Pair()))
	mallory := ecPair("p256", jose.ES256, elliptic.P256())
	for range 5 {
		w.clock.advance(refreshGap)
		w.refuses(t, w.good(mallory), token.CredentialInvalid)
	}
	if n := w.fetches.Load(); n != 1 {
		t.Errorf("%d fetches, want 1", n)
	}
}

func TestUnknownKidFlood(t *testing.T) {
	w := newWorld(t, nil, p256Pair())
	w.accepts(t, w.good(p256Pair()))
	mallory := ecPair("p256", jose.ES256, elliptic.P256())
	for range 5 {
		w.clock.advance(refreshGap)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for i := range 25 {
					mallory := pair{strings.Repeat("x", i+1), mallory.alg, mallory.private}
					if _, err := w.Identify(t.Context(), w.good(mallory)); !errors.Is(err, token.CredentialInvalid) {
						t.Errorf("got %v, want credential invalid", err)
					}
				}
			})
		}
		wg.Wait()
	}
	if n := w.fetches.Load(); n != 6 {
		t.Errorf("%d fetches for 500 unknown keys in 5 gaps, want 6", n)
	}
}

// TestHopelessAsksNothing: a JWT that its claims refuse is not worth a fetch.
func TestHopelessAsksNothing(t *testing.T) {
	w := newWorld(t, nil, p256Pair())
	w.refuses(t, p256Pair().jwt(w.claims(set{"iss": "https://other.example"}), nil), token.CredentialInvalid)
	w.refuses(t, p256Pair().jwt(w.claims(set{"exp": 1}), nil), token.CredentialInvalid)
	if n := w.fetches.Load(); n != 0 {
		t.Errorf("%d fetches, want none", n)
	}
}

func status(code int) http.HandlerFunc {
	return func(res http.ResponseWriter, _ *http.Request) { res.WriteHeader(code) }
}

func text(body string) http.HandlerFunc {
	return func(res http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(res, body) }
}

// keysAre answers discovery rightly and the keys with the handler.
func (w *world) keysAre(h http.HandlerFunc) http.HandlerFunc {
	return func(res http.ResponseWriter, req *http.Request) {
		if strings.HasSuffix(req.URL.Path, discoveryPath) {
			w.ownAnswer(res, req)
			return
		}
		h(res, req)
	}
}

// documentIs answers discovery with the handler and the keys rightly.
func (w *world) documentIs(h http.HandlerFunc) http.HandlerFunc {
	return func(res http.ResponseWriter, req *http.Request) {
		if strings.HasSuffix(req.URL.Path, discoveryPath) {
			h(res, req)
			return
		}
		w.ownAnswer(res, req)
	}
}

// TestFaultyIssuer spoils one thing of answers that are right otherwise.
func TestFaultyIssuer(t *testing.T) {
	w := newWorld(t, nil, p256Pair())
	elsewhere := httptest.NewServer(http.HandlerFunc(w.ownAnswer))
	defer elsewhere.Close()
	doc := func(issuer, keys string) http.HandlerFunc {
		return w.documentIs(text(`{"issuer":"` + issuer + `","jwks_uri":"` + keys + `"}`))
	}
	redirect := func(res http.ResponseWriter, req *http.Request) {
		http.Redirect(res, req, elsewhere.URL+req.URL.Path, http.StatusFound)
	}
	padded := func(res http.ResponseWriter, req *http.Request) {
		w.ownAnswer(res, req)
		_, _ = io.WriteString(res, strings.Repeat(" ", maxBody))
	}
	created := func(res http.ResponseWriter, req *http.Request) {
		res.WriteHeader(http.StatusCreated)
		w.ownAnswer(res, req)
	}
	for name, h := range map[string]http.HandlerFunc{
		"500":                       status(500),
		"404":                       status(404),
		"not 200":                   w.documentIs(created),
		"garbage":                   text("<html>"),
		"empty":                     text(""),
		"over-long":                 w.documentIs(padded),
		"issuer twice":              w.documentIs(text(`{"issuer":"x","issuer":"` + w.url + `","jwks_uri":"` + w.url + `/keys"}`)),
		"document of another":       doc("https://other.example", w.url+"/keys"),
		"document with a slash":     doc(w.url+"/", w.url+"/keys"),
		"no address of keys":        doc(w.url, ""),
		"keys with a password":      doc(w.url, strings.Replace(w.url, "//", "//user:password@", 1)+"/keys"),
		"keys over http":            doc(w.url, "http://id.example/keys"),
		"keys over loopback http":   doc(w.url, elsewhere.URL+"/realm/keys"),
		"keys in a file":            doc(w.url, "file:///etc/passwd"),
		"redirect elsewhere":        w.documentIs(redirect),
		"keys: 500":                 w.keysAre(status(500)),
		"keys: not 200":             w.keysAre(created),
		"keys: garbage":             w.keysAre(text("no")),
		"keys: empty object":        w.keysAre(text("{}")),
		"keys: null":                w.keysAre(text(`{"keys":null}`)),
		"keys: list":                w.keysAre(text(`[]`)),
		"keys: too many":            w.keysAre(text(`{"keys":[` + strings.Repeat("{},", maxKeys) + `{}]}`)),
		"keys: over-long":           w.keysAre(padded),
		"keys: redirect elsewhere":  w.keysAre(redirect),
		"keys: cut off":             w.keysAre(cutOff),
		"connection closed at once": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			w.clock.advance(refreshGap)
			w.behave(h)
			w.refuses(t, w.good(p256Pair()), token.Unavailable)
		})
	}
	w.behave(nil)
	w.refuses(t, w.good(p256Pair()), token.Unavailable) // asked for only just now
	w.clock.advance(refreshGap)
	w.accepts(t, w.good(p256Pair()))
}

// TestFaultyIssuerIsNotQuoted: what an issuer says with an error does not come into our log.
func TestFaultyIssuerIsNotQuoted(t *testing.T) {
	w := newWorld(t, nil, p256Pair())
	failure := func(res http.ResponseWriter, _ *http.Request) {
		res.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(res, "hunter2")
	}
	for name, h := range map[string]http.HandlerFunc{"discovery": failure, "keys": w.keysAre(failure)} {
		w.clock.advance(refreshGap)
		w.behave(h)
		_, err := w.Identify(t.Context(), w.good(p256Pair()))
		if err == nil || !strings.Contains(err.Error(), "502") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want 502 and nothing of the answer", name, err)
		}
	}
}

// roundTrip answers without a network.
type roundTrip func(*http.Request) *http.Response

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req), nil }

func TestRedirects(t *testing.T) {
	for to, want := range map[string]bool{
		"https://id.example/b":      true,
		"https://id.example:8443/b": false,
		"https://evil.example/b":    false,
		"http://id.example/b":       false,
		"https://id.example/a":      false, // without an end
	} {
		asked := 0
		c := client(&http.Client{Transport: roundTrip(func(req *http.Request) *http.Response {
			asked++
			if req.URL.Path == "/a" && asked < 10 {
				return &http.Response{StatusCode: http.StatusFound, Body: http.NoBody, Header: http.Header{"Location": {to}}}
			}
			return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}
		})})
		res, err := c.Get("https://id.example/a")
		if err == nil {
			res.Body.Close()
		}
		if (err == nil) != want || asked > 1+maxRedirects {
			t.Errorf("%s: %v after %d requests", to, err, asked)
		}
	}
}

func cutOff(res http.ResponseWriter, _ *http.Request) {
	res.Header().Set("Content-Length", "1000")
	_, _ = io.WriteString(res, `{"keys":[`)
}

// breaker fails every request while it is open, as a network does.
type breaker struct {
	open  atomic.Bool
	inner http.RoundTripper
}

func (b *breaker) RoundTrip(req *http.Request) (*http.Response, error) {
	if b.open.Load() {
		return nil, errors.New("no route to host")
	}
	return b.inner.RoundTrip(req)
}

// TestDownAtFirst: the server starts without its issuer and finds it later.
func TestDownAtFirst(t *testing.T) {
	network := &breaker{}
	network.open.Store(true)
	w := newWorld(t, func(c *Config) {
		network.inner = c.HTTPClient.Transport
		c.HTTPClient = &http.Client{Transport: network}
	}, p256Pair())
	w.refuses(t, w.good(p256Pair()), token.Unavailable)
	network.open.Store(false)
	w.refuses(t, w.good(p256Pair()), token.Unavailable) // asked for only just now
	w.clock.advance(refreshGap)
	w.accepts(t, w.good(p256Pair()))
	network.open.Store(true)
	w.accepts(t, w.good(p256Pair()))
}

// TestUnusableKeys are left out without harm to the others.
func TestUnusableKeys(t *testing.T) {
	w := newWorld(t, nil, p256Pair())
	good := must(p256Pair().jwk().MarshalJSON())
	enc := p256Pair().jwk()
	enc.KeyID, enc.Use = "enc", "enc"
	private := pair{"private", jose.ES256, p256Pair().private}
	leaked := jose.JSONWebKey{Key: private.private, KeyID: "private"}
	w.behave(w.keysAre(text(`{"keys":[
		{"kty":"OKP","crv":"X448","x":"AA"}, {"kty":"new","kid":"p256"}, {"kid":"p256"}, 7, "x", null,
		{"kty":"oct","kid":"oct","k":"c2VjcmV0"}, {"kty":"EC","crv":"P-256","x":"AA","y":"AA","kid":"p256"},
		` + string(must(enc.MarshalJSON())) + `, ` + string(must(leaked.MarshalJSON())) + `, ` + string(good) + `]}`)))
	w.accepts(t, w.good(p256Pair()))
	w.refuses(t, w.good(pair{"enc", jose.ES256, p256Pair().private}), token.CredentialInvalid)
	w.refuses(t, w.good(private), token.CredentialInvalid)
	w.refuses(t, hmacJWT(`{"alg":"HS256","kid":"oct"}`, w.claims(nil), []byte("secret")), token.CredentialInvalid)
}

// TestNoKeysIsAnAnswer: an issuer that takes all its keys back is believed at once.
func TestNoKeysIsAnAnswer(t *testing.T) {
	w := newWorld(t, nil, p256Pair())
	w.accepts(t, w.good(p256Pair()))
	w.behave(w.keysAre(text(`{"keys":[]}`)))
	w.clock.advance(defaultLifetime)
	w.refuses(t, w.good(p256Pair()), token.CredentialInvalid)
}

func TestStaleKeys(t *testing.T) {
	w := newWorld(t, nil, p256Pair())
	fresh := ecPair("fresh", jose.ES256, elliptic.P256())
	w.accepts(t, w.good(p256Pair()))
	w.behave(status(503))
	w.clock.advance(defaultLifetime)
	w.accepts(t, w.good(p256Pair()))
	w.refuses(t, w.good(fresh), token.Unavailable) // nobody can tell
	w.clock.advance(staleFor - time.Second)
	w.accepts(t, w.good(p256Pair()))
	w.settle()
	w.clock.advance(time.Second)
	w.refuses(t, w.good(p256Pair()), token.Unavailable)
	w.behave(nil)
	w.clock.advance(refreshGap)
	w.accepts(t, w.good(p256Pair()))
}

// settle waits for a fetch in the background.
func (w *world) settle() { <-w.join(new(bool)) }

// join waits for a fetch that is under way; alone tells in the end that there was none.
func (w *world) join(alone *bool) <-chan singleflight.Result {
	return w.Issuer.keys.flight.DoChan("", func() (any, error) {
		*alone = true
		return nil, nil
	})
}

// hang returns a handler that answers nothing until the test ends or release is called, and a channel that receives at
// each request.
func hang(t *testing.T) (h http.HandlerFunc, reached chan struct{}, release func()) {
	done := make(chan struct{})
	release = sync.OnceFunc(func() { close(done) })
	t.Cleanup(release)
	reached = make(chan struct{}, 100)
	return func(_ http.ResponseWriter, req *http.Request) {
		reached <- struct{}{}
		select {
		case <-done:
		case <-req.Context().Done():
		}
	}, reached, release
}

// TestHangingIssuer: callers may leave, the fetch is shared, and its time-out is Unavailable.
func TestHangingIssuer(t *testing.T) {
	h, reached, release := hang(t)
	w := newWorld(t, nil, p256Pair())
	w.behave(h)
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	for range 10 {
		wg.Go(func() {
			if _, err := w.Identify(ctx, w.good(p256Pair())); !errors.Is(err, token.Canceled) {
				t.Errorf("got %v, want canceled", err)
			}
		})
	}
	<-reached
	cancel()
	wg.Wait() // hangs if anybody waits for the issuer
	expired, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancel()
	w.refusesCtx(expired, t, w.good(p256Pair()), token.Unavailable)
	if n := len(reached); n != 0 {
		t.Errorf("%d requests too many", n)
	}
	release()
	w.settle()
	w.behave(nil)
	w.clock.advance(refreshGap)
	w.accepts(t, w.good(p256Pair()))
}

// TestHangingIssuerTimesOut with the client's own time-out.
func TestHangingIssuerTimesOut(t *testing.T) {
	h, _, _ := hang(t)
	w := newWorld(t, func(c *Config) {
		short := *c.HTTPClient
		short.Timeout = 50 * time.Millisecond
		c.HTTPClient = &short
	}, p256Pair())
	w.behave(h)
	w.refuses(t, w.good(p256Pair()), token.Unavailable)
}

// TestStaleKeysDoNotWait: while the issuer hangs, those who hold good JWTs do not.
func TestStaleKeysDoNotWait(t *testing.T) {
	w := newWorld(t, nil, p256Pair())
	w.accepts(t, w.good(p256Pair()))
	w.behave(status(500))
	w.clock.advance(defaultLifetime)
	w.accepts(t, w.good(p256Pair()))
	h, reached, release := hang(t)
	w.behave(h)
	w.clock.advance(refreshGap)
	for range 5 {
		w.accepts(t, w.good(p256Pair()))
	}
	<-reached
	alone := false
	fetched := w.join(&alone)
	release()
	<-fetched
	if alone {
		t.Error("somebody waited until the fetch was over")
	}
}

// TestFirstUseIsShared: many callers at once make one fetch.
func TestFirstUseIsShared(t *testing.T) {
	w := newWorld(t, nil, p256Pair())
	jwt := w.good(p256Pair())
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if _, err := w.Identify(t.Context(), jwt); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := w.fetches.Load(); n != 1 {
		t.Errorf("%d fetches, want 1", n)
	}
}

// TestClockSetBack must neither stop the fetches nor keep old keys for long.
func TestClockSetBack(t *testing.T) {
	w := newWorld(t, nil, p256Pair())
	fresh := ecPair("fresh", jose.ES256, elliptic.P256())
	w.accepts(t, w.good(p256Pair()))
	w.publish(fresh)
	w.clock.advance(-48 * time.Hour)
	w.refuses(t, w.good(p256Pair()), token.CredentialInvalid)
	w.accepts(t, w.good(fresh))
}

func TestLifetime(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"":                                defaultLifetime,
		"public":                          defaultLifetime,
		"max-age=600":                     10 * time.Minute,
		"public, Max-Age=600, must-reval": 10 * time.Minute,
		`max-age="600"`:                   10 * time.Minute,
		"max-age=1":                       minLifetime,
		"max-age=0":                       minLifetime,
		"max-age=99999999":                maxLifetime,
		"max-age=-5":                      defaultLifetime,
		"max-age=999999999999999999999":   defaultLifetime,
		"no-store":                        minLifetime,
		"max-age=600, no-cache":           minLifetime,
		"s-maxage=600":                    defaultLifetime,
	} {
		h := http.Header{}
		if value != "" {
			h.Set("Cache-Control", value)
		}
		if got := lifetime(h); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
}

// TestLifetimeIsHonoured counts fetches.
func TestLifetimeIsHonoured(t *testing.T) {
	w := newWorld(t, nil, p256Pair())
	w.header = http.Header{"Cache-Control": {"max-age=600"}}
	for _, c := range []struct {
		after time.Duration
		want  int64
	}{{0, 1}, {599 * time.Second, 1}, {time.Second, 2}, {9 * time.Minute, 2}, {time.Minute, 3}} {
		w.clock.advance(c.after)
		w.accepts(t, w.good(p256Pair()))
		if n := w.fetches.Load(); n != c.want {
			t.Errorf("after %v more: %d fetches, want %d", c.after, n, c.want)
		}
	}
}
