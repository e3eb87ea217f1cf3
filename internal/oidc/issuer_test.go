package oidc

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/tokenwright/tokenwright/internal/token"
)

const (
	audience      = "tokenwright"
	discoveryPath = "/.well-known/openid-configuration"
)

// clock stands still until it is told otherwise.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// pair is a key of the issuer.
type pair struct {
	kid     string
	alg     jose.SignatureAlgorithm
	private crypto.Signer
}

func (p pair) jwk() jose.JSONWebKey {
	return jose.JSONWebKey{Key: p.private.Public(), KeyID: p.kid, Algorithm: string(p.alg), Use: "sig"}
}

// The keys are made once: RSA takes its time.
var (
	rsaPair  = sync.OnceValue(func() pair { return pair{"rsa", jose.RS256, must(rsa.GenerateKey(rand.Reader, 2048))} })
	p256Pair = sync.OnceValue(func() pair { return ecPair("p256", jose.ES256, elliptic.P256()) })
	p384Pair = sync.OnceValue(func() pair { return ecPair("p384", jose.ES384, elliptic.P384()) })
	edPair   = sync.OnceValue(func() pair {
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return pair{"ed", jose.EdDSA, must(private, err)}
	})
)

func ecPair(kid string, alg jose.SignatureAlgorithm, curve elliptic.Curve) pair {
	return pair{kid, alg, must(ecdsa.GenerateKey(curve, rand.Reader))}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// world is an OIDC issuer over TLS, a clock and the Issuer under test.
type world struct {
	*Issuer
	clock   *clock
	url     string
	fetches atomic.Int64 // of keys

	mu     sync.Mutex
	keys   []jose.JSONWebKey
	answer http.HandlerFunc // instead of the issuer's own answers, if set
	header http.Header      // of the answer with the keys
}

func newWorld(t testing.TB, change func(*Config), keys ...pair) *world {
	t.Helper()
	w := &world{clock: &clock{now: time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)}}
	w.publish(keys...)
	server := httptest.NewTLSServer(http.HandlerFunc(w.serve))
	t.Cleanup(server.Close)
	w.url = server.URL + "/realm"
	cfg := Config{IssuerURL: w.url, Audience: audience, OurIssuer: "https://tokens.example", HTTPClient: server.Client(),
		Now: w.clock.Now}
	if change != nil {
		change(&cfg)
	}
	issuer, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.Issuer = issuer
	return w
}

func (w *world) publish(keys ...pair) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keys = nil
	for _, k := range keys {
		w.keys = append(w.keys, k.jwk())
	}
}

// behave replaces the issuer's answers; nil restores them.
func (w *world) behave(h http.HandlerFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer = h
}

func (w *world) serve(res http.ResponseWriter, req *http.Request) {
	w.mu.Lock()
	answer := w.answer
	w.mu.Unlock()
	if req.URL.Path == "/realm/keys" {
		w.fetches.Add(1)
	}
	if answer == nil {
		answer = w.ownAnswer
	}
	answer(res, req)
}

// ownAnswer is what a good issuer answers.
func (w *world) ownAnswer(res http.ResponseWriter, req *http.Request) {
	w.mu.Lock()
	keys, header := w.keys, w.header
	w.mu.Unlock()
	switch req.URL.Path {
	case "/realm" + discoveryPath:
		_ = json.NewEncoder(res).Encode(map[string]any{"issuer": w.url, "jwks_uri": w.url + "/keys", "x": 1})
	case "/realm/keys":
		maps.Copy(res.Header(), header)
		_ = json.NewEncoder(res).Encode(jose.JSONWebKeySet{Keys: keys})
	default:
		http.NotFound(res, req)
	}
}

type set map[string]any

// claims are those of a good JWT with changes; a nil value takes a claim out.
func (w *world) claims(changes set) string {
	now := w.clock.Now()
	c := set{"iss": w.url, "aud": audience, "sub": "alice", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
	maps.Copy(c, changes)
	for k, v := range c {
		if v == nil {
			delete(c, k)
		}
	}
	return string(must(json.Marshal(c)))
}

// jwt signs a payload. The header has the pair's kid and no typ, unless it is changed.
func (p pair) jwt(payload string, header set) string {
	opts := &jose.SignerOptions{}
	for k, v := range header {
		opts.WithHeader(jose.HeaderKey(k), v)
	}
	signer := must(jose.NewSigner(jose.SigningKey{Algorithm: p.alg, Key: jose.JSONWebKey{Key: p.private, KeyID: p.kid}}, opts))
	return must(must(signer.Sign([]byte(payload))).CompactSerialize())
}

// good is a JWT that Identify accepts.
func (w *world) good(p pair) string { return p.jwt(w.claims(nil), nil) }

func (w *world) accepts(t *testing.T, jwt string) token.Vouched {
	t.Helper()
	v, err := w.Identify(t.Context(), jwt)
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	return v
}

func (w *world) refuses(t *testing.T, jwt string, kind token.Kind) {
	t.Helper()
	w.refusesCtx(t.Context(), t, jwt, kind)
}

func (w *world) refusesCtx(ctx context.Context, t *testing.T, jwt string, kind token.Kind) {
	t.Helper()
	v, err := w.Identify(ctx, jwt)
	if err == nil {
		t.Fatal("accepted")
	}
	if got := token.KindOf(err); got != kind {
		t.Fatalf("kind %q (%v), want %q", got, err, kind)
	}
	if v != (token.Vouched{}) {
		t.Fatalf("vouched for %+v together with an error", v)
	}
}
