package verify_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/verify"
)

func ask(t *testing.T, url, credential string, c *clock, change ...func(*verify.Config)) *verify.Verifier {
	t.Helper()
	config := verify.Online(url, credential)
	config.Now, config.Timeout = c.Now, time.Minute
	return newVerifier(t, config, change...)
}

// newMuninx makes a secret that has the form of a token: random characters, and six of a checksum.
func newMuninx() string {
	const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	text := []byte("muninx_" + rand.Text() + "Test000000")
	for sum, n := crc32.ChecksumIEEE(text[:37]), 42; n >= 37; sum, n = sum/62, n-1 {
		text[n] = base62[sum%62]
	}
	return string(text)
}

// newUnleash makes a secret of the other form.
func newUnleash() string {
	random := make([]byte, 28)
	_, _ = rand.Read(random)
	return "user:" + hex.EncodeToString(random)
}

// someSecret has a form of a token.
var someSecret = newMuninx()

func noCache(c *verify.Config) { c.CacheTTL = 0 }

// TestOnlineSparesQuestions about what no token can be, and repeats a refusal for a moment, within the bounds.
func TestOnlineSparesQuestions(t *testing.T) {
	i := server(t, document("application/json", `{"active":false}`))
	v := ask(t, i.URL, "own", i.clock, func(c *verify.Config) { c.CacheSize, c.CacheTTL = 3, time.Hour })
	muninx, pat, jwt := newMuninx(), newUnleash(), i.jwt(0)
	for what, bad := range map[string]string{
		"no form": "secret", "a prefix": "muninx_", "a wrong checksum": muninx[:42] + flipped(muninx[42:]), "too long": muninx + "0",
		"too short": muninx[:42], "alphabet": muninx[:20] + "-" + muninx[21:], "upper-case prefix": strings.ToUpper(muninx[:7]) + muninx[7:],
		"upper-case digits": "user:" + strings.Repeat("A", 56), "few digits": pat[:60], "many digits": pat + "0", "no digits": "user:",
		"two parts": jwt[:strings.LastIndexByte(jwt, '.')], "four parts": jwt + ".x", "an empty part": jwt[:strings.LastIndexByte(jwt, '.')+1],
		"no JSON": "YQ.YQ.YQ", "padding": jwt + "=",
	} {
		expect(t, what, v, bad, verify.ErrInvalid)
		if asked := i.count("/introspect"); asked != 0 {
			t.Fatalf("%s: asked", what)
		}
	}
	secrets := []string{muninx, pat, jwt, newMuninx()}
	asked := func(what string, secret string, want int) {
		t.Helper()
		expect(t, what, v, secret, verify.ErrInvalid)
		if got := i.count("/introspect"); got != want {
			t.Fatalf("%s: asked %d times, want %d", what, got, want)
		}
	}
	for n, secret := range secrets[:3] {
		asked("asked", secret, n+1)
		asked("known", secret, n+1)
	}
	asked("one more than is kept", secrets[3], 4)
	asked("the oldest, which is not kept", secrets[0], 5)
	i.clock.advance(time.Second - 1)
	asked("for a second", secrets[0], 5)
	i.clock.advance(1)
	asked("not for the hour of the verdicts", secrets[0], 6)
	v = ask(t, i.URL, "own", i.clock, noCache)
	asked("no cache", secrets[0], 7)
	asked("no cache", secrets[0], 8)
	v = ask(t, i.URL, "own", i.clock, func(c *verify.Config) { c.CacheTTL = time.Millisecond })
	asked("a short cache", secrets[0], 9)
	i.clock.advance(time.Millisecond)
	asked("never longer than it", secrets[0], 10)
}

// TestRefusalsPushNothingOut: who sends what does not work must not cost others their places.
func TestRefusalsPushNothingOut(t *testing.T) {
	i := server(t, func(w http.ResponseWriter, r *http.Request) {
		document("application/json", fmt.Sprintf(`{"active":%t}`, r.FormValue("token") == someSecret))(w, r)
	})
	v := ask(t, i.URL, "own", i.clock, func(c *verify.Config) { c.CacheSize = 2 })
	expect(t, "good", v, someSecret, nil)
	for range 10 {
		expect(t, "bad", v, newMuninx(), verify.ErrInvalid)
	}
	expect(t, "good", v, someSecret, nil)
	if got := i.count("/introspect"); got != 11 {
		t.Errorf("asked %d times, want 11", got)
	}
}

// TestOnlineKeepsConnections: what many callers ask goes over a few connections.
func TestOnlineKeepsConnections(t *testing.T) {
	const callers, checks = 32, 200
	var opened atomic.Int64
	s := httptest.NewUnstartedServer(active(""))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	v := ask(t, s.URL, "own", newClock(), noCache)
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range checks {
				if _, err := v.Check(t.Context(), someSecret); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := opened.Load(); got > 2*callers {
		t.Errorf("%d callers opened %d connections", callers, got)
	}
}

// flipped is another text of the same length and alphabet.
func flipped(text string) string {
	if text[0] == '0' {
		return "1" + text[1:]
	}
	return "0" + text[1:]
}

// server answers introspection as a test wants.
func server(t *testing.T, h http.HandlerFunc) *issuer {
	t.Helper()
	i := newIssuer(t)
	i.answer("/introspect", h)
	return i
}

func active(extra string) http.HandlerFunc {
	return document("application/json", `{"active":true,"sub":"a"`+extra+`}`)
}

func TestOnlineCacheEndsWithTheToken(t *testing.T) {
	i := server(t, active(fmt.Sprintf(`,"exp":%d`, start.Add(time.Second).Unix())))
	v := ask(t, i.URL, "own", i.clock, func(c *verify.Config) { c.CacheTTL = time.Hour })
	expect(t, "fresh", v, someSecret, nil)
	i.answer("/introspect", document("application/json", `{"active":false}`))
	i.clock.advance(time.Second - 1)
	expect(t, "before its end", v, someSecret, nil)
	i.clock.advance(1)
	expect(t, "at its end", v, someSecret, verify.ErrInvalid)
}

func TestOnlineCacheIsBounded(t *testing.T) {
	i := server(t, active(""))
	v := ask(t, i.URL, "own", i.clock, func(c *verify.Config) { c.CacheSize = 3 })
	secrets := map[string]string{}
	for _, name := range []string{"a", "b", "c", "d"} {
		secrets[name] = newMuninx()
	}
	for _, step := range []struct {
		secret string
		asked  int
	}{{"a", 1}, {"b", 2}, {"c", 3}, {"a", 3}, {"b", 3}, {"d", 4}, {"b", 4}, {"c", 4}, {"d", 4}, {"a", 5}, {"b", 6}} {
		expect(t, step.secret, v, secrets[step.secret], nil)
		if got := i.count("/introspect"); got != step.asked {
			t.Fatalf("%s: asked %d times, want %d", step.secret, got, step.asked)
		}
	}
}

// TestOnlineAsksOnce: checks of one token at the same time are one question, unless the cache is off: a check that
// begins after a revoke must not get the answer to a question from before it.
func TestOnlineAsksOnce(t *testing.T) {
	for what, c := range map[string]struct {
		ttl   time.Duration
		asked int
	}{"cache": {time.Second, 1}, "no cache": {0, 20}} {
		release := make(chan struct{})
		i := server(t, func(w http.ResponseWriter, r *http.Request) { <-release; active("")(w, r) })
		v := ask(t, i.URL, "own", i.clock, func(config *verify.Config) { config.CacheTTL = c.ttl })
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if _, err := v.Check(t.Context(), someSecret); err != nil {
					t.Errorf("%s: %v", what, err)
				}
			})
		}
		if c.ttl == 0 { // each comes through by itself
			for i.count("/introspect") < c.asked {
				time.Sleep(time.Millisecond)
			}
		}
		close(release)
		all.Wait()
		if got := i.count("/introspect"); got != c.asked {
			t.Errorf("%s: asked %d times, want %d", what, got, c.asked)
		}
	}
}

// TestOnlineDoesNotJoinTheOld: a question that has been under way for longer than the cache may lie is not joined.
func TestOnlineDoesNotJoinTheOld(t *testing.T) {
	release, first := make(chan struct{}), atomic.Bool{}
	i := server(t, func(w http.ResponseWriter, r *http.Request) {
		if first.CompareAndSwap(false, true) {
			<-release
			active("")(w, r)
			return
		}
		document("application/json", `{"active":false}`)(w, r)
	})
	v := ask(t, i.URL, "own", i.clock)
	done := make(chan error)
	go func() { _, err := v.Check(t.Context(), someSecret); done <- err }()
	for i.count("/introspect") == 0 {
		time.Sleep(time.Millisecond)
	}
	i.clock.advance(time.Second)
	expect(t, "a second later", v, someSecret, verify.ErrInvalid)
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
	expect(t, "the old answer is not kept", v, someSecret, verify.ErrInvalid)
}

// TestOnlineJoinsPastTheEnd: who joined a question after the token's end does not get the answer from before it.
func TestOnlineJoinsPastTheEnd(t *testing.T) {
	release := make(chan struct{})
	end := start.Add(time.Minute)
	i := server(t, func(w http.ResponseWriter, r *http.Request) {
		<-release
		active(fmt.Sprintf(`,"exp":%d`, end.Unix()))(w, r)
	})
	v := ask(t, i.URL, "own", i.clock, func(c *verify.Config) { c.CacheTTL = time.Hour })
	check := func() chan error {
		done := make(chan error)
		go func() { _, err := v.Check(t.Context(), someSecret); done <- err }()
		return done
	}
	first := check()
	for i.count("/introspect") == 0 {
		time.Sleep(time.Millisecond)
	}
	i.clock.advance(time.Minute)
	second := check()
	time.Sleep(10 * time.Millisecond) // if it comes later, it finds no verdict and asks, which the count shows
	close(release)
	if err := <-first; err != nil {
		t.Error(err)
	}
	if err := <-second; i.count("/introspect") == 1 && !errors.Is(err, verify.ErrInvalid) {
		t.Errorf("joined: %v", err)
	}
}

// TestOwnClient: a client's habits do not lead a question elsewhere.
func TestOwnClient(t *testing.T) {
	i := server(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/2", http.StatusTemporaryRedirect) })
	i.answer("/2", active(""))
	own := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return nil }}
	v := ask(t, i.URL, "own", i.clock, func(c *verify.Config) { c.Client = own })
	expect(t, "a client that follows", v, someSecret, verify.ErrMisconfigured)
	if own.CheckRedirect == nil || i.count("/2") != 0 {
		t.Error("the redirect was followed, or the client changed")
	}
}

// TestOnlineCallerGivesUp: one caller's end is not the others'.
func TestOnlineCallerGivesUp(t *testing.T) {
	release := make(chan struct{})
	i := server(t, func(w http.ResponseWriter, r *http.Request) { <-release; active("")(w, r) })
	v := ask(t, i.URL, "own", i.clock)
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() { _, err := v.Check(ctx, someSecret); gone <- err }()
	for i.count("/introspect") == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-gone; !errors.Is(err, verify.ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("the caller that gave up: %v", err)
	}
	close(release)
	expect(t, "another", v, someSecret, nil)
	if got := i.count("/introspect"); got != 1 {
		t.Errorf("asked %d times", got)
	}
}

func TestOnlineOutages(t *testing.T) {
	for what, c := range map[string]struct {
		answer        http.HandlerFunc
		misconfigured bool
	}{
		"503":           {down, false},
		"500":           {bare(500), false},
		"429":           {bare(429), false},
		"cut":           {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, false},
		"not JSON":      {document("application/json", "active"), false},
		"no verdict":    {document("application/json", `{}`), false},
		"null":          {document("application/json", `{"active":null}`), false},
		"text":          {document("application/json", `{"active":"true"}`), false},
		"cut JSON":      {document("application/json", `{"active":true`), false},
		"endless":       {document("application/json", `{"active":true}`+strings.Repeat(" ", 64<<10)), false},
		"401":           {bare(401), true},
		"403":           {bare(403), true},
		"404":           {http.NotFound, true},
		"204":           {bare(204), true},
		"a web page":    {document("text/html", `{"active":true}`), true},
		"a redirect":    {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/2", http.StatusTemporaryRedirect) }, true},
		"hung":          {hung, false},
		"hung, halfway": {hungHalfway, false},
	} {
		for mode, option := range map[string]func(*verify.Config){"cache": func(*verify.Config) {}, "no cache": noCache} {
			i := server(t, c.answer)
			i.answer("/2", active(""))
			v := ask(t, i.URL, "own", i.clock, option, func(c *verify.Config) {
				if strings.HasPrefix(what, "hung") {
					c.Timeout = 50 * time.Millisecond
				}
			})
			expect(t, what+", "+mode, v, someSecret, verify.ErrUnavailable)
			if _, err := v.Check(t.Context(), someSecret); errors.Is(err, verify.ErrMisconfigured) != c.misconfigured {
				t.Errorf("%s: %v", what, err)
			}
			i.answer("/introspect", active(""))
			if !strings.HasPrefix(what, "hung") { // a busy machine may need longer than that for anything
				expect(t, what+", over", v, someSecret, nil)
			}
		}
	}
}

func bare(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

func hung(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // the server notices a hang-up only after the body
	<-r.Context().Done()
}

func hungHalfway(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprint(w, `{"active":`)
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

func TestConfig(t *testing.T) {
	for what, change := range map[string]func(*verify.Config){
		"no mode":          func(c *verify.Config) { *c = verify.Config{URL: c.URL, Now: c.Now, Timeout: 1} },
		"no URL":           func(c *verify.Config) { c.URL = "" },
		"a path":           func(c *verify.Config) { c.URL = "/x" },
		"another scheme":   func(c *verify.Config) { c.URL = "ftp://x" },
		"a query":          func(c *verify.Config) { c.URL += "?x" },
		"a password":       func(c *verify.Config) { c.URL = "https://a:b@x" },
		"http":             func(c *verify.Config) { c.URL = "http://tokens.example" },
		"bad URL":          func(c *verify.Config) { c.URL = "https://x\n" },
		"no credential":    func(c *verify.Config) { c.Credential = "" },
		"a line in it":     func(c *verify.Config) { c.Credential = "x\n" },
		"no time-out":      func(c *verify.Config) { c.Timeout = 0 },
		"negative cache":   func(c *verify.Config) { c.CacheTTL = -1 },
		"cache of nothing": func(c *verify.Config) { c.CacheSize = 0 },
	} {
		c := verify.Online("https://tokens.example", "own-credential")
		c.Now = newClock().Now
		if _, err := verify.New(c); err != nil {
			t.Fatal(err)
		}
		change(&c)
		if _, err := verify.New(c); err == nil || strings.Contains(err.Error(), "own-credential") {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, url := range []string{"http://127.0.0.1:8080", "http://localhost", "http://[::1]:1/path/"} {
		c := verify.Offline(url)
		c.Now = newClock().Now
		newVerifier(t, c)
	}
	c := verify.Offline("http://tokens.example")
	c.Now = newClock().Now
	newVerifier(t, c, func(c *verify.Config) { c.AllowHTTP = true })
}
