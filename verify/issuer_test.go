package verify_test

import (
	"bytes"
	"compress/zlib"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/verify"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// clock is set by tests, so that nothing here depends on how fast a machine is.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: start} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// issuer publishes what Tokenwright publishes, and whatever else a test wants.
type issuer struct {
	*httptest.Server
	clock *clock
	key   *ecdsa.PrivateKey
	kid   string

	mu      sync.Mutex
	answers map[string]http.HandlerFunc
	asked   map[string]int
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{clock: newClock(), kid: "key-1", answers: map[string]http.HandlerFunc{}, asked: map[string]int{}}
	i.key = newKey(t)
	i.Server = httptest.NewServer(http.HandlerFunc(i.serve))
	t.Cleanup(i.Close)
	i.publish(i.kid, i.key)
	return i
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (i *issuer) serve(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	i.asked[r.URL.Path]++
	answer := i.answers[r.URL.Path]
	i.mu.Unlock()
	if answer == nil {
		http.NotFound(w, r)
		return
	}
	answer(w, r)
}

func (i *issuer) answer(path string, h http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.answers[path] = h
}

func (i *issuer) count(path string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.asked[path]
}

const keysPath, listPath = "/.well-known/jwks.json", "/statuslists/1"

func document(media, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", media)
		for n := 0; n < len(header); n += 2 {
			w.Header().Set(header[n], header[n+1])
		}
		fmt.Fprint(w, body)
	}
}

func down(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }

func jwk(kid string, key *ecdsa.PrivateKey) string {
	point, err := key.PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf(`{"kty":"EC","crv":"P-256","alg":"ES256","use":"sig","kid":%q,"x":%q,"y":%q}`,
		kid, b64(string(point[1:33])), b64(string(point[33:])))
}

func (i *issuer) publish(kid string, key *ecdsa.PrivateKey, more ...string) {
	keys := strings.Join(append([]string{jwk(kid, key)}, more...), ",")
	i.answer(keysPath, document("application/jwk-set+json", `{"keys":[`+keys+`]}`, "Cache-Control", "public, max-age=300"))
}

func b64(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// with replaces the first occurrence of old, which must be there.
func with(text, old, replacement string) string {
	if !strings.Contains(text, old) {
		panic(old + " is not in " + text)
	}
	return strings.Replace(text, old, replacement, 1)
}

func (i *issuer) header() string { return `{"alg":"ES256","kid":"` + i.kid + `","typ":"JWT"}` }

// payload has the claims of a token whose status is at index idx.
func (i *issuer) payload(idx int) string {
	return with(i.bare(), `"iss"`, fmt.Sprintf(`"status":{"status_list":{"idx":%d,"uri":"%s%s"}},"iss"`, idx, i.URL, listPath))
}

// bare has no status.
func (i *issuer) bare() string {
	return fmt.Sprintf(`{"iss":%q,"sub":"env-1","jti":"id-1","iat":%d,"nbf":%d,"exp":%d,"token_scope":"environment","account_id":"acc-1","environment_id":"env-1"}`,
		i.URL, start.Unix(), start.Unix(), start.Add(time.Hour).Unix())
}

// sign returns the JWS; a nil signature is ES256 with the key of the issuer.
func (i *issuer) sign(header, payload string, signature func(input string) []byte) string {
	if signature == nil {
		signature = es256(i.key)
	}
	input := b64(header) + "." + b64(payload)
	return input + "." + b64(string(signature(input)))
}

func (i *issuer) jwt(idx int) string { return i.sign(i.header(), i.payload(idx), nil) }

func es256(key *ecdsa.PrivateKey) func(string) []byte {
	return func(input string) []byte {
		digest := sha256.Sum256([]byte(input))
		r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
		if err != nil {
			panic(err)
		}
		if n := elliptic.P256().Params().N; new(big.Int).Lsh(s, 1).Cmp(n) > 0 {
			s.Sub(n, s)
		}
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	}
}

func deflate(data []byte) string {
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	_, _ = w.Write(data)
	_ = w.Close()
	return b64(packed.String())
}

// listClaims has the states of the tokens 0 to 3 in two bits each: valid, invalid, suspended, valid.
func (i *issuer) listClaims() string {
	return fmt.Sprintf(`{"sub":"%s%s","iat":%d,"exp":%d,"ttl":10,"status_list":{"bits":2,"lst":%q}}`,
		i.URL, listPath, start.Unix(), start.Add(time.Minute).Unix(), deflate([]byte{0b00_10_01_00}))
}

func (i *issuer) listHeader() string { return with(i.header(), `"JWT"`, `"statuslist+jwt"`) }

func (i *issuer) publishList(claims string) {
	i.answer(listPath, document("application/statuslist+jwt", i.sign(i.listHeader(), claims, nil)))
}

func (i *issuer) offline(t *testing.T, change ...func(*verify.Config)) *verify.Verifier {
	t.Helper()
	c := verify.Offline(i.URL)
	c.Now, c.Timeout = i.clock.Now, time.Minute
	return newVerifier(t, c, change...)
}

func newVerifier(t *testing.T, c verify.Config, change ...func(*verify.Config)) *verify.Verifier {
	t.Helper()
	for _, f := range change {
		f(&c)
	}
	v, err := verify.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func allowNoStatus(c *verify.Config) { c.AllowNoStatus = true }

// expect checks the verdict, and that an error says nothing that opens a door.
func expect(t *testing.T, what string, v *verify.Verifier, secret string, want error) verify.Token {
	t.Helper()
	got, err := v.Check(t.Context(), secret)
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
	if want == nil {
		return got
	}
	if got != (verify.Token{}) {
		t.Errorf("%s: an error with the token %+v", what, got)
	}
	for _, other := range []error{verify.ErrInvalid, verify.ErrForbidden, verify.ErrUnavailable} {
		if errors.Is(err, other) != (errors.Is(want, other) || want == verify.ErrMisconfigured && other == verify.ErrUnavailable) {
			t.Errorf("%s: %v is also %v", what, err, other)
		}
	}
	if err != nil && len(secret) > 8 && strings.Contains(err.Error(), secret[len(secret)/2:]) {
		t.Errorf("%s: the error repeats the token", what)
	}
	return got
}

func quote(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(b)
}
