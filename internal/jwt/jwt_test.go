package jwt

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
)

const testIssuer = "https://tokens.example:8443/base"

var (
	testIssued = time.Date(2026, 3, 4, 5, 6, 7, 891e6, time.UTC)
	testClaims = token.Claims{
		ID: "01jtk", Subject: "env1", Scope: token.ScopeEnvironment, AccountID: "acc1", EnvironmentID: "env1",
		IssuedAt: testIssued, ExpiresAt: time.Date(2027, 3, 4, 5, 6, 7, 0, time.UTC),
	}
)

func testKeys(t testing.TB) *Keys {
	t.Helper()
	keys, err := OpenOrCreate(t.TempDir()+"/keys", testIssuer)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// as are the same keys under another issuer.
func (k *Keys) as(issuer string) *Keys {
	other := &Keys{issuer: issuer, dir: k.dir}
	other.current.Store(k.ring())
	return other
}

func sign(t testing.TB, keys *Keys) string {
	t.Helper()
	jwt, _, err := keys.Sign(testClaims)
	if err != nil {
		t.Fatal(err)
	}
	return jwt
}

// decode reads a segment without any check.
func decode(t *testing.T, segment string) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(segment)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSign(t *testing.T) {
	keys := testKeys(t)
	account := testClaims
	account.Subject, account.Scope, account.EnvironmentID = "acc1", token.ScopeAccount, ""
	for name, c := range map[string]struct {
		claims token.Claims
		want   map[string]any
	}{
		"environment": {testClaims, map[string]any{"sub": "env1", "token_scope": "environment", "environment_id": "env1"}},
		"account":     {account, map[string]any{"sub": "acc1", "token_scope": "account", "environment_id": nil}},
	} {
		t.Run(name, func(t *testing.T) {
			jwt, _, err := keys.Sign(c.claims)
			if err != nil {
				t.Fatal(err)
			}
			segments := strings.Split(jwt, ".")
			header := map[string]any{"alg": "ES256", "typ": "JWT", "kid": keys.Public().Keys[0].KeyID}
			if got := decode(t, segments[0]); !reflect.DeepEqual(got, header) {
				t.Errorf("header %v, want %v", got, header)
			}
			want := map[string]any{"iss": testIssuer, "jti": "01jtk", "account_id": "acc1",
				"iat": float64(testIssued.Unix()), "nbf": float64(testIssued.Unix()), "exp": 1804136767.}
			for k, v := range c.want {
				want[k] = v
			}
			if got := decode(t, segments[1]); !reflect.DeepEqual(got, want) {
				t.Errorf("claims %v, want %v", got, want)
			}
		})
	}
}

func TestSignNeedsAnExpiry(t *testing.T) {
	c := testClaims
	c.ExpiresAt = time.Time{}
	if _, _, err := testKeys(t).Sign(c); err == nil {
		t.Fatal("signed without an expiry")
	}
}

// TestSignIsLowS would fail for one in two signatures if they were not normalised.
func TestSignIsLowS(t *testing.T) {
	keys := testKeys(t)
	for range 64 {
		jwt := sign(t, keys)
		parts, err := split(jwt)
		if err != nil {
			t.Fatal(err)
		}
		if highS(parts[2]) {
			t.Fatal("high S")
		}
		if err := keys.Verify(jwt); err != nil {
			t.Fatal(err)
		}
	}
}

// TestVerifyDoesNotJudgeTimes: the store's row does.
func TestVerifyDoesNotJudgeTimes(t *testing.T) {
	keys := testKeys(t)
	for _, year := range []int{1970, 2001, 9999} {
		c := testClaims
		c.IssuedAt = time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC)
		c.ExpiresAt = c.IssuedAt.Add(time.Second)
		jwt, _, err := keys.Sign(c)
		if err != nil {
			t.Fatal(err)
		}
		if err := keys.Verify(jwt); err != nil {
			t.Errorf("%d: %v", year, err)
		}
	}
}

func TestOurs(t *testing.T) {
	keys := testKeys(t)
	jwt := sign(t, keys)
	other := keys.as("https://other.example")
	for name, c := range map[string]struct {
		secret string
		want   bool
	}{
		"ours":           {jwt, true},
		"ours, altered":  {jwt[:len(jwt)-6] + "AAAAAA", true}, // nothing is verified
		"another's":      {sign(t, other), false},
		"no claims":      {"AA.AA.AA", false},
		"no JWT":         {"hello", false},
		"two segments":   {"e30.e30", false},
		"empty":          {"", false},
		"dots":           {"..", false},
		"unleash secret": {"user:abc", false},
	} {
		if got := keys.Ours(c.secret); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestPublicHoldsNoPrivateKey(t *testing.T) {
	keys := testKeys(t)
	text, err := json.Marshal(keys.Public())
	if err != nil {
		t.Fatal(err)
	}
	var set struct {
		Keys []map[string]string `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		t.Fatal(err)
	}
	if len(set.Keys) != 1 {
		t.Fatalf("%d keys, want 1", len(set.Keys))
	}
	got := set.Keys[0]
	if _, leaked := got["d"]; leaked || len(got) != 7 {
		t.Errorf("members %v, want alg crv kid kty use x y", got)
	}
	if got["alg"] != "ES256" || got["use"] != "sig" || got["kid"] != keys.ring().active().id || got["crv"] != "P-256" {
		t.Errorf("key %v", got)
	}
}

func TestConcurrentUse(t *testing.T) {
	keys := testKeys(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if err := keys.Verify(sign(t, keys)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// FuzzVerify holds that Verify neither panics nor accepts anything but, byte for byte, what Sign made.
func FuzzVerify(f *testing.F) {
	keys := testKeys(f)
	made := map[string]bool{}
	for _, scope := range []token.Scope{token.ScopeAccount, token.ScopeEnvironment} {
		c := testClaims
		c.Scope = scope
		jwt, _, err := keys.Sign(c)
		if err != nil {
			f.Fatal(err)
		}
		made[jwt] = true
		f.Add(jwt)
		f.Add(jwt + "\n")
		f.Add(strings.Replace(jwt, ".", "=.", 1))
		f.Add(jwt[:len(jwt)-2])
	}
	f.Add("..")
	f.Add(`{"payload":"","signatures":[]}`)
	f.Fuzz(func(t *testing.T, secret string) {
		if err := keys.Verify(secret); (err == nil) != made[secret] {
			t.Errorf("Verify(%q) = %v", secret, err)
		}
		if made[secret] && !keys.Ours(secret) {
			t.Error("not ours")
		}
	})
}

// FuzzVerifyAltered starts from what Sign made and changes it in one place, which pure fuzzing does not reach.
func FuzzVerifyAltered(f *testing.F) {
	keys := testKeys(f)
	jwt, _, err := keys.Sign(testClaims)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint16(0), uint8(0), "")
	f.Add(uint16(len(jwt)), uint8(0), "=")
	f.Add(uint16(len(jwt)-1), uint8(1), "A")
	f.Fuzz(func(t *testing.T, at uint16, cut uint8, insert string) {
		from := min(int(at), len(jwt))
		to := min(from+int(cut), len(jwt))
		altered := jwt[:from] + insert + jwt[to:]
		if err := keys.Verify(altered); (err == nil) != (altered == jwt) {
			t.Errorf("Verify(%q) = %v", altered, err)
		}
	})
}

func BenchmarkSign(b *testing.B) {
	keys := testKeys(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := keys.Sign(testClaims); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	keys := testKeys(b)
	jwt := sign(b, keys)
	b.ReportAllocs()
	for b.Loop() {
		if err := keys.Verify(jwt); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyForged(b *testing.B) {
	keys := testKeys(b)
	jwt := sign(b, keys)
	jwt = jwt[:len(jwt)-8] + "AAAAAAAA"
	for b.Loop() {
		if keys.Verify(jwt) == nil {
			b.Fatal("accepted")
		}
	}
}

func BenchmarkOurs(b *testing.B) {
	keys := testKeys(b)
	jwt := sign(b, keys)
	for b.Loop() {
		if !keys.Ours(jwt) {
			b.Fatal("not ours")
		}
	}
}
