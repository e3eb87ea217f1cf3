package verify_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/verify"
)

func TestOffline(t *testing.T) {
	i := newIssuer(t)
	i.publishList(i.listClaims())
	v := i.offline(t)
	got := expect(t, "valid", v, i.jwt(0), nil)
	want := verify.Token{
		ID: "id-1", Subject: "env-1", Scope: "environment", Account: "acc-1", Environment: "env-1", Dialect: "apitoken",
		Issuer: i.URL, IssuedAt: start, ExpiresAt: start.Add(time.Hour),
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	rotated := i.sign(i.header(), with(i.payload(0), `"id-1"`, `"id-1.7"`), nil)
	if got := expect(t, "one whose secret was rotated", v, rotated, nil); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	expect(t, "no id", v, i.sign(i.header(), with(i.payload(0), `"id-1"`, `".7"`), nil), verify.ErrInvalid)
	expect(t, "revoked", v, i.jwt(1), verify.ErrInvalid)
	expect(t, "suspended", v, i.jwt(2), verify.ErrInvalid)
	expect(t, "valid, too", v, i.jwt(3), nil)
	if n := i.count(keysPath) + i.count(listPath); n != 2 {
		t.Errorf("%d requests, want one for each document", n)
	}
	expect(t, "nothing asked for", i.offline(t, allowNoStatus), i.sign(i.header(), i.bare(), nil), nil)
	null := i.sign(i.header(), with(i.bare(), `"iss"`, `"status":null,"iss"`), nil)
	expect(t, "allowed none, but null", i.offline(t, allowNoStatus), null, verify.ErrInvalid)
	expect(t, "allowed none, but has one", i.offline(t, allowNoStatus), i.jwt(1), verify.ErrInvalid)
}

func TestLeeway(t *testing.T) {
	i := newIssuer(t)
	i.publishList(i.listClaims())
	v := i.offline(t, func(c *verify.Config) { c.Leeway = 5 * time.Second })
	i.clock.advance(-5 * time.Second)
	expect(t, "within", v, i.jwt(0), nil)
	i.clock.advance(-time.Second)
	expect(t, "beyond", v, i.jwt(0), verify.ErrInvalid)
	i.clock.advance(time.Hour + 6*time.Second)
	expect(t, "does not prolong", v, i.jwt(0), verify.ErrInvalid)
}

// TestRotation: a key that is published later is found, but made-up ids do not make a flood of requests.
func TestRotation(t *testing.T) {
	i := newIssuer(t)
	v := i.offline(t, allowNoStatus)
	old := i.sign(i.header(), i.bare(), nil)
	expect(t, "first key", v, old, nil)
	oldKid, oldKey := i.kid, i.key
	i.kid, i.key = "key-2", newKey(t)
	i.publish(i.kid, i.key, jwk(oldKid, oldKey))
	rotated := i.sign(i.header(), i.bare(), nil)
	expect(t, "within 10 s", v, rotated, verify.ErrInvalid)
	i.clock.advance(10 * time.Second)
	expect(t, "after 10 s", v, rotated, nil)
	expect(t, "the old key", v, old, nil)
	for range 50 {
		expect(t, "made up", v, i.sign(with(i.header(), i.kid, "made-up"), i.bare(), nil), verify.ErrInvalid)
	}
	if n := i.count(keysPath); n != 2 {
		t.Errorf("%d requests for keys, want 2", n)
	}
	// A key that is withdrawn is refused when the set is no longer fresh.
	i.publish(i.kid, i.key)
	i.clock.advance(300 * time.Second)
	expect(t, "withdrawn", v, old, verify.ErrInvalid)
}

func TestKeySetAges(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"public, max-age=300": 300 * time.Second, "max-age=1": 10 * time.Second, "no-store": 10 * time.Second,
		"": 5 * time.Minute, "max-age=99999999": time.Hour, "max-age=x": 5 * time.Minute, `MAX-AGE="60"`: time.Minute,
	} {
		i := newIssuer(t)
		i.answer(keysPath, document("application/json", `{"keys":[`+jwk(i.kid, i.key)+`]}`, "Cache-Control", header))
		v := i.offline(t, allowNoStatus)
		long := with(i.bare(), fmt.Sprint(start.Add(time.Hour).Unix()), fmt.Sprint(start.Add(24*time.Hour).Unix()))
		secret := i.sign(i.header(), long, nil)
		for _, step := range []struct {
			d    time.Duration
			asks int
		}{{0, 1}, {want - time.Millisecond, 1}, {time.Millisecond, 2}} {
			i.clock.advance(step.d)
			expect(t, header, v, secret, nil)
			if got := i.count(keysPath); got != step.asks {
				t.Errorf("%q: %d requests, want %d", header, got, step.asks)
			}
		}
	}
}

// TestKeysOutage: what cannot be asked is no verdict, and what is known goes on to work for as long as it may.
func TestKeysOutage(t *testing.T) {
	i := newIssuer(t)
	v := i.offline(t, allowNoStatus)
	secret := i.sign(i.header(), i.bare(), nil)
	healthy := i.answers[keysPath]
	i.answer(keysPath, down)
	expect(t, "from the start", v, secret, verify.ErrUnavailable)
	asked := i.count(keysPath)
	expect(t, "again", v, secret, verify.ErrUnavailable)
	if i.count(keysPath) != asked {
		t.Error("an outage is asked about at every check")
	}
	i.answer(keysPath, healthy)
	i.clock.advance(time.Second)
	expect(t, "over", v, secret, nil)
	i.answer(keysPath, down)
	i.clock.advance(11 * time.Second)
	expect(t, "an unknown key", v, i.sign(with(i.header(), i.kid, "new"), i.bare(), nil), verify.ErrUnavailable)
	expect(t, "a known key", v, secret, nil)
	i.clock.advance(300 * time.Second)
	expect(t, "keys too old", v, secret, verify.ErrUnavailable)
}

func TestKeySetsThatAreNone(t *testing.T) {
	i := newIssuer(t)
	secret := i.sign(i.header(), i.bare(), nil)
	good := jwk(i.kid, i.key)
	for what, body := range map[string]string{
		"garbage": "garbage", "empty": "", "no keys": "{}", "no key": `{"keys":[]}`, "a list": "[" + good + "]",
		"one kid twice": `{"keys":[` + good + "," + jwk(i.kid, newKey(t)) + `]}`,
		"keys twice":    `{"keys":[],"keys":[` + good + `]}`,
		"for another":   `{"keys":[` + with(good, "ES256", "ES384") + `]}`,
		"encryption":    `{"keys":[` + with(good, `"sig"`, `"enc"`) + `]}`,
		"off the curve": `{"keys":[` + with(good, `"y":"`, `"y":"AAAA`) + `]}`,
		"too large":     `{"keys":[` + good + `]}` + strings.Repeat(" ", 256<<10),
	} {
		i.answer(keysPath, document("application/json", body))
		expect(t, what, i.offline(t, allowNoStatus), secret, verify.ErrUnavailable)
	}
	i.answer(keysPath, document("text/html", `{"keys":[`+good+`]}`))
	expect(t, "a web page", i.offline(t, allowNoStatus), secret, verify.ErrMisconfigured)
	i.answer(keysPath, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) })
	i.answer("/elsewhere", document("application/json", `{"keys":[`+good+`]}`))
	expect(t, "a redirect", i.offline(t, allowNoStatus), secret, verify.ErrMisconfigured)
	i.answer(keysPath, document("application/json", `{"keys":[{"kty":"oct","k":"AAAA"},1,`+good+`]}`))
	expect(t, "among others", i.offline(t, allowNoStatus), secret, nil)
}

func TestStatusBits(t *testing.T) {
	i := newIssuer(t)
	for bits, data := range map[int][]byte{
		1: {0b0000_0010, 0b0000_0001}, 2: {0b00_00_01_00, 0, 0b01}, 4: {0x10, 0, 0, 0, 0x01}, 8: {0, 1, 0, 0, 0, 0, 0, 0, 255},
	} {
		i.publishList(with(with(i.listClaims(), `"bits":2`, fmt.Sprintf(`"bits":%d`, bits)),
			quote(deflate([]byte{0b00_10_01_00})), quote(deflate(data))))
		v := i.offline(t)
		for idx, want := range map[int]error{0: nil, 1: verify.ErrInvalid, 2: nil, 7: nil, 8: verify.ErrInvalid} {
			expect(t, fmt.Sprintf("bits %d, index %d", bits, idx), v, i.jwt(idx), want)
		}
	}
}

// TestStatusTTL: a revoke shows when the list's ttl is over, or its exp if that is sooner.
func TestStatusTTL(t *testing.T) {
	i := newIssuer(t)
	exp := fmt.Sprintf(`"exp":%d`, start.Add(time.Minute).Unix())
	for what, c := range map[string]struct {
		claims string
		want   time.Duration
	}{
		"ttl":              {i.listClaims(), 10 * time.Second},
		"a fraction":       {with(i.listClaims(), `"ttl":10`, `"ttl":0.5`), 500 * time.Millisecond},
		"exp":              {with(i.listClaims(), `"ttl":10`, `"ttl":1000`), time.Minute},
		"neither":          {with(with(i.listClaims(), `"ttl":10,`, ""), exp+",", ""), time.Minute},
		"more than it may": {with(with(i.listClaims(), `"ttl":10`, `"ttl":1e9`), exp+",", ""), time.Hour},
	} {
		i.clock.advance(start.Sub(i.clock.Now()))
		i.publishList(c.claims)
		v := i.offline(t)
		long := with(i.payload(0), fmt.Sprint(start.Add(time.Hour).Unix()), fmt.Sprint(start.Add(24*time.Hour).Unix()))
		secret := i.sign(i.header(), long, nil)
		expect(t, what, v, secret, nil)
		i.publishList(with(with(c.claims, quote(deflate([]byte{0b00_10_01_00})), quote(deflate([]byte{1}))), `"iat"`, `"x":1,"iat"`))
		i.clock.advance(c.want - time.Millisecond)
		expect(t, what+", before", v, secret, nil)
		i.clock.advance(time.Millisecond)
		want := verify.ErrInvalid
		if strings.Contains(c.claims, exp) && c.want == time.Minute {
			want = verify.ErrUnavailable // the list that is served has the same exp
		}
		expect(t, what+", after", v, secret, want)
	}
}

// TestStatusListsThatAreNone: each is the good list with one change, so that a missing check shows. None is a verdict.
func TestStatusListsThatAreNone(t *testing.T) {
	i := newIssuer(t)
	secret, good, lst := i.jwt(0), i.listClaims(), quote(deflate([]byte{0b00_10_01_00}))
	i.publishList(good)
	expect(t, "the base", i.offline(t), secret, nil)
	seconds := func(d time.Duration) string { return fmt.Sprint(start.Add(d).Unix()) }
	for what, claims := range map[string]string{
		"another list":   with(good, listPath, "/statuslists/2"),
		"no sub":         with(good, `"sub"`, `"x"`),
		"expired":        with(good, `"exp":`+seconds(time.Minute), `"exp":`+seconds(0)),
		"exp text":       with(good, `"exp":`+seconds(time.Minute), `"exp":"x"`),
		"no iat":         with(good, `"iat"`, `"x"`),
		"ttl 0":          with(good, `"ttl":10`, `"ttl":0`),
		"ttl negative":   with(good, `"ttl":10`, `"ttl":-1`),
		"bits 3":         with(good, `"bits":2`, `"bits":3`),
		"bits 0":         with(good, `"bits":2`, `"bits":0`),
		"no bits":        with(good, `"bits":2,`, ""),
		"no list":        with(good, `"lst"`, `"x"`),
		"not deflated":   with(good, lst, `"AAAA"`),
		"not base64":     with(good, lst, `"***"`),
		"cut short":      with(good, lst, lst[:len(lst)-5]+`"`),
		"bomb":           with(good, lst, quote(deflate(make([]byte, 64<<20)))),
		"a byte too big": with(good, lst, quote(deflate(make([]byte, 2<<20+1)))),
		"lst twice":      with(good, `"lst"`, `"lst":"","lst"`),
		"garbage":        "garbage",
	} {
		i.publishList(claims)
		expect(t, what, i.offline(t), secret, verify.ErrUnavailable)
	}
	i.publishList(with(good, lst, quote(deflate(make([]byte, 2<<20)))))
	expect(t, "as big as may be", i.offline(t), secret, nil)
	token := i.sign(i.listHeader(), good, nil)
	for what, h := range map[string]http.HandlerFunc{
		"not there":    http.NotFound,
		"down":         down,
		"a web page":   document("text/html", token),
		"typ JWT":      document("application/statuslist+jwt", i.sign(i.header(), good, nil)),
		"another key":  document("application/statuslist+jwt", i.sign(i.listHeader(), good, es256(newKey(t)))),
		"unknown kid":  document("application/statuslist+jwt", i.sign(with(i.listHeader(), i.kid, "x"), good, nil)),
		"alg none":     document("application/statuslist+jwt", i.sign(with(i.listHeader(), "ES256", "none"), good, nil)),
		"high S":       document("application/statuslist+jwt", highS(t, i, token)),
		"a redirect":   func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/2", http.StatusFound) },
		"line feed":    document("application/statuslist+jwt", token[:20]+"\n"+token[20:]),
		"endless":      document("application/statuslist+jwt", strings.Repeat("a", 4<<20+1)),
		"without text": document("application/statuslist+jwt", ""),
	} {
		i.answer(listPath, h)
		expect(t, what, i.offline(t), secret, verify.ErrUnavailable)
	}
}

// TestManyLists: what is remembered of lists is bounded, and a list that was forgotten is fetched again.
func TestManyLists(t *testing.T) {
	i := newIssuer(t)
	v := i.offline(t)
	for round := range 2 {
		for n := range 40 {
			path := fmt.Sprintf("/statuslists/%d", 100+n)
			i.answer(path, document("application/statuslist+jwt", i.sign(i.listHeader(), with(i.listClaims(), listPath, path), nil)))
			expect(t, path, v, i.sign(i.header(), with(i.payload(round), listPath, path), nil), []error{nil, verify.ErrInvalid}[round])
		}
	}
}

// TestOneFetch: many checks at once fetch each document once.
func TestOneFetch(t *testing.T) {
	i := newIssuer(t)
	i.publishList(i.listClaims())
	v := i.offline(t)
	secret := i.jwt(0)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if _, err := v.Check(t.Context(), secret); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if i.count(keysPath) != 1 || i.count(listPath) != 1 {
		t.Errorf("%d and %d requests", i.count(keysPath), i.count(listPath))
	}
}

// TestSlowList: the time that a list may be kept begins when it is asked for, not when it has come.
func TestSlowList(t *testing.T) {
	i := newIssuer(t)
	v := i.offline(t)
	list := i.sign(i.listHeader(), i.listClaims(), nil)
	i.answer(listPath, func(w http.ResponseWriter, r *http.Request) {
		i.clock.advance(5 * time.Second)
		document("application/statuslist+jwt", list)(w, r)
	})
	expect(t, "slow", v, i.jwt(0), nil)
	i.clock.advance(5 * time.Second)
	expect(t, "ten seconds after it was asked for", v, i.jwt(0), nil)
	if n := i.count(listPath); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}
