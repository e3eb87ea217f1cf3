package oidc

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/tokenwright/tokenwright/internal/token"
)

func TestIdentify(t *testing.T) {
	w := newWorld(t, nil, rsaPair(), p256Pair(), p384Pair(), edPair())
	ps := rsaPair()
	ps.kid, ps.alg = "ps", jose.PS256
	w.publish(rsaPair(), p256Pair(), p384Pair(), edPair(), ps)
	for _, p := range []pair{rsaPair(), p256Pair(), p384Pair(), edPair(), ps} {
		got := w.accepts(t, w.good(p))
		want := token.Vouched{Issuer: w.url, Subject: "alice", ExpiresAt: w.clock.Now().Add(time.Hour)}
		if got != want {
			t.Errorf("%s: %+v, want %+v", p.kid, got, want)
		}
	}
	if n := w.fetches.Load(); n != 1 {
		t.Errorf("%d fetches of keys, want 1", n)
	}
}

func TestAcceptedForms(t *testing.T) {
	w := newWorld(t, nil, p256Pair())
	now := w.clock.Now()
	p := p256Pair()
	for name, jwt := range map[string]string{
		"typ JWT":                p.jwt(w.claims(nil), set{"typ": "JWT"}),
		"typ jwt":                p.jwt(w.claims(nil), set{"typ": "jwt"}),
		"typ at+jwt":             p.jwt(w.claims(nil), set{"typ": "at+jwt"}),
		"typ application/at+jwt": p.jwt(w.claims(nil), set{"typ": "application/at+jwt"}),
		"unknown header":         p.jwt(w.claims(nil), set{"x5t": "abc"}),
		"audiences":              p.jwt(w.claims(set{"aud": []string{"other", audience}}), nil),
		"no iat":                 p.jwt(w.claims(set{"iat": nil}), nil),
		"fraction":               p.jwt(w.claims(set{"exp": float64(now.Unix()) + 0.5}), nil),
		"exp next second":        p.jwt(w.claims(set{"exp": now.Unix() + 1}), nil),
		"nbf now":                p.jwt(w.claims(set{"nbf": now.Unix()}), nil),
		"nbf within leeway":      p.jwt(w.claims(set{"nbf": now.Unix() + 60}), nil),
		"iat within leeway":      p.jwt(w.claims(set{"iat": now.Unix() + 60}), nil),
		"claims of other kinds":  p.jwt(w.claims(set{"Iss": "other", "SUB": 1, "realm": set{"roles": []string{"a"}}}), nil),
		"lone key, no kid":       pair{"", p.alg, p.private}.jwt(w.claims(nil), nil),
	} {
		t.Run(name, func(t *testing.T) { w.accepts(t, jwt) })
	}
}

func TestRefusedClaims(t *testing.T) {
	w := newWorld(t, nil, p256Pair())
	now := w.clock.Now()
	base := w.claims(nil)
	with := func(old, replacement string) string {
		if !strings.Contains(base, old) {
			t.Fatalf("%s is not in %s", old, base)
		}
		return strings.Replace(base, old, replacement, 1)
	}
	for name, payload := range map[string]string{
		"other issuer":         w.claims(set{"iss": "https://other.example"}),
		"issuer with a slash":  w.claims(set{"iss": w.url + "/"}),
		"no issuer":            w.claims(set{"iss": nil}),
		"issuer by other case": with(`"iss"`, `"ISS"`),
		"other audience":       w.claims(set{"aud": "other"}),
		"other audiences":      w.claims(set{"aud": []string{"other", audience + "2"}}),
		"audience in a list":   w.claims(set{"aud": [][]string{{audience}}}),
		"no audience":          w.claims(set{"aud": nil}),
		"empty audiences":      w.claims(set{"aud": []string{}}),
		"audience a number":    w.claims(set{"aud": 1}),
		"no subject":           w.claims(set{"sub": nil}),
		"empty subject":        w.claims(set{"sub": ""}),
		"subject a number":     w.claims(set{"sub": 7}),
		"subject with NUL":     w.claims(set{"sub": "al\x00ice"}),
		"subject over-long":    w.claims(set{"sub": strings.Repeat("a", maxSubject+1)}),
		"expired":              w.claims(set{"exp": now.Unix() - 3600}),
		"expires now":          w.claims(set{"exp": now.Unix()}),
		"no expiry":            w.claims(set{"exp": nil}),
		"expiry a string":      w.claims(set{"exp": "9999999999"}),
		"expiry far away":      w.claims(set{"exp": 1e300}),
		"expiry in year 10000": w.claims(set{"exp": maxUnix + 1}),
		"expiry negative":      w.claims(set{"exp": -1}),
		"expiry infinite":      with(`"exp":`, `"exp":1e999,"x":`),
		"not yet valid":        w.claims(set{"nbf": now.Unix() + 61}),
		"not valid for years":  w.claims(set{"nbf": maxUnix}),
		"nbf negative":         w.claims(set{"nbf": -1}),
		"nbf a string":         w.claims(set{"nbf": "0"}),
		"issued in the future": w.claims(set{"iat": now.Unix() + 61}),
		"subject twice":        with(`"sub":"alice"`, `"sub":"admin","sub":"alice"`),
		"subject twice hidden": with(`"sub":"alice"`, `"s\u0075b":"admin","sub":"alice"`),
		"nested twice":         with(`"sub"`, `"x":[{"a":1,"a":2}],"sub"`),
		"trailing object":      base + "{}",
		"invalid UTF-8":        with("alice", "al\xff"),
		"list":                 "[" + base + "]",
		"null":                 "null",
		"empty":                "",
	} {
		t.Run(name, func(t *testing.T) {
			w.refuses(t, p256Pair().jwt(payload, nil), token.CredentialInvalid)
		})
	}
	w.accepts(t, p256Pair().jwt(base, nil))
}

func TestExpiryPasses(t *testing.T) {
	w := newWorld(t, nil, p256Pair())
	jwt := w.good(p256Pair())
	w.clock.advance(time.Hour - time.Millisecond)
	w.accepts(t, jwt)
	w.clock.advance(time.Millisecond)
	w.refuses(t, jwt, token.CredentialInvalid)
}

func segment(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// hmacJWT is signed with a secret, as a header says that is chosen freely.
func hmacJWT(header, payload string, secret []byte) string {
	input := segment(header) + "." + segment(payload)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(input))
	return input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func publicPEM(t *testing.T, p pair) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(p.private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// ps256 signs with the right RSA key in the padding that the JWK does not name.
func ps256(t *testing.T, payload string) string {
	t.Helper()
	input := segment(`{"alg":"PS256","kid":"rsa"}`) + "." + segment(payload)
	digest := sha256.Sum256([]byte(input))
	sig, err := rsa.SignPSS(rand.Reader, rsaPair().private.(*rsa.PrivateKey), crypto.SHA256, digest[:],
		&rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	if err != nil {
		t.Fatal(err)
	}
	return input + "." + segment(string(sig))
}

func TestRefusedHeadersAndSignatures(t *testing.T) {
	w := newWorld(t, nil, rsaPair(), p256Pair())
	good := w.good(p256Pair())
	seg := strings.Split(good, ".")
	payload := w.claims(nil)
	mallory := ecPair("p256", jose.ES256, elliptic.P256())
	jwk := mallory.jwk()
	rawJWK := string(must(json.Marshal(jwk)))
	for name, jwt := range map[string]string{
		"alg none":                segment(`{"alg":"none"}`) + "." + segment(payload) + ".",
		"alg none with kid":       segment(`{"alg":"none","kid":"p256"}`) + "." + segment(payload) + ".",
		"alg None, signed":        segment(`{"alg":"None","kid":"p256"}`) + "." + seg[1] + "." + seg[2],
		"alg absent":              segment(`{"kid":"p256"}`) + "." + seg[1] + "." + seg[2],
		"HS256 by the RSA PEM":    hmacJWT(`{"alg":"HS256","kid":"rsa"}`, payload, publicPEM(t, rsaPair())),
		"HS256 by the EC PEM":     hmacJWT(`{"alg":"HS256","kid":"p256"}`, payload, publicPEM(t, p256Pair())),
		"HS256 without kid":       hmacJWT(`{"alg":"HS256"}`, payload, publicPEM(t, rsaPair())),
		"RS256 with a MAC":        hmacJWT(`{"alg":"RS256","kid":"rsa"}`, payload, publicPEM(t, rsaPair())),
		"RS256 by an EC kid":      pair{"p256", jose.RS256, rsaPair().private}.jwt(payload, nil),
		"PS256 by an RS256 key":   ps256(t, payload),
		"another's key":           mallory.jwt(payload, nil),
		"embedded jwk":            mallory.jwt(payload, set{"jwk": jwk}),
		"embedded jwk, no kid":    pair{"", mallory.alg, mallory.private}.jwt(payload, set{"jwk": jwk}),
		"two alg":                 segment(`{"alg":"none","alg":"ES256","kid":"p256"}`) + "." + seg[1] + "." + seg[2],
		"two kid":                 signedHeader(`{"alg":"ES256","kid":"x","kid":"p256"}`, payload),
		"nested twice in header":  signedHeader(`{"alg":"ES256","kid":"p256","x":{"a":1,"a":1}}`, payload),
		"crit":                    signedHeader(`{"alg":"ES256","kid":"p256","crit":["exp"],"exp":1}`, payload),
		"crit b64":                signedHeader(`{"alg":"ES256","kid":"p256","crit":["b64"],"b64":true}`, payload),
		"crit null":               signedHeader(`{"alg":"ES256","kid":"p256","crit":null}`, payload),
		"typ logout+jwt":          p256Pair().jwt(payload, set{"typ": "logout+jwt"}),
		"typ dpop+jwt":            p256Pair().jwt(payload, set{"typ": "dpop+jwt"}),
		"typ JWE":                 p256Pair().jwt(payload, set{"typ": "JWE"}),
		"typ a number":            p256Pair().jwt(payload, set{"typ": 1}),
		"kid a number":            signedHeader(`{"alg":"ES256","kid":1}`, payload),
		"no signature":            seg[0] + "." + seg[1] + ".",
		"two segments":            seg[0] + "." + seg[1],
		"four segments":           good + "." + seg[2],
		"five segments":           good + "..",
		"signature cut short":     good[:len(good)-4],
		"claims of another":       seg[0] + "." + segment(w.claims(set{"sub": "admin"})) + "." + seg[2],
		"JSON, flattened":         `{"protected":"` + seg[0] + `","payload":"` + seg[1] + `","signature":"` + seg[2] + `"}`,
		"padding":                 strings.Replace(good, ".", "=.", 1),
		"leading space":           " " + good,
		"empty":                   "",
		"dots":                    "..",
		"over-long":               p256Pair().jwt(w.claims(set{"x": strings.Repeat("a", token.MaxJWT)}), nil),
		"jku":                     mallory.jwt(payload, set{"jku": "https://evil.example/keys"}),
		"x5u":                     mallory.jwt(payload, set{"x5u": "https://evil.example/cert"}),
		"jwk in the header alone": segment(`{"alg":"ES256","jwk":`+rawJWK+`}`) + "." + seg[1] + "." + seg[2],
	} {
		t.Run(name, func(t *testing.T) { w.refuses(t, jwt, token.CredentialInvalid) })
	}
	w.accepts(t, good)
	w.accepts(t, signedHeader(`{"alg":"ES256","kid":"p256"}`, payload))
	if n := w.fetches.Load(); n > 2 {
		t.Errorf("%d fetches of keys, want at most 2", n)
	}
}

// signedHeader signs any header text with the P-256 key.
func signedHeader(header, payload string) string {
	input := segment(header) + "." + segment(payload)
	digest := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, p256Pair().private.(*ecdsa.PrivateKey), digest[:])
	if err != nil {
		panic(err)
	}
	return input + "." + segment(string(r.FillBytes(make([]byte, 32)))+string(s.FillBytes(make([]byte, 32))))
}

// TestShortRSAKey is refused although its signature is right.
func TestShortRSAKey(t *testing.T) {
	short := pair{"short", jose.RS256, must(rsa.GenerateKey(rand.Reader, 1024))}
	w := newWorld(t, nil, short, rsaPair())
	w.refuses(t, w.good(short), token.CredentialInvalid)
	w.accepts(t, w.good(rsaPair()))
}

// TestWithoutKid: a lone fitting key will do, of two none is chosen.
func TestWithoutKid(t *testing.T) {
	w := newWorld(t, nil, rsaPair(), p256Pair())
	jwt := signedHeader(`{"alg":"ES256"}`, w.claims(nil))
	w.accepts(t, jwt)
	w.publish(p256Pair(), ecPair("other", jose.ES256, elliptic.P256()))
	w.clock.advance(defaultLifetime)
	w.refuses(t, signedHeader(`{"alg":"ES256"}`, w.claims(nil)), token.CredentialInvalid)
}

func TestRole(t *testing.T) {
	roles := map[string]token.Role{"ops": token.RoleAdmin, "check": token.RoleIntrospector, "staff": token.RoleMember}
	w := newWorld(t, func(c *Config) { c.RoleClaim, c.Roles = "https://x.example/groups", roles }, p256Pair())
	for name, c := range map[string]struct {
		claim any
		want  token.Role
	}{
		"one":              {"ops", token.RoleAdmin},
		"list":             {[]string{"check"}, token.RoleIntrospector},
		"highest of many":  {[]string{"staff", "x", "ops", "check"}, token.RoleAdmin},
		"not mapped":       {[]string{"x", "OPS", "admin"}, token.RoleMember},
		"absent":           {nil, token.RoleMember},
		"empty":            {[]string{}, token.RoleMember},
		"number":           {7, token.RoleMember},
		"object":           {set{"ops": true}, token.RoleMember},
		"mixed":            {[]any{1, "ops"}, token.RoleMember},
		"list in a string": {"ops,check", token.RoleMember},
	} {
		got := w.accepts(t, p256Pair().jwt(w.claims(set{"https://x.example/groups": c.claim, "role": "ops"}), nil))
		if got.Role != c.want {
			t.Errorf("%s: role %q, want %q", name, got.Role, c.want)
		}
	}
}

func TestRoleIsTheRegistrysUnlessConfigured(t *testing.T) {
	w := newWorld(t, nil, p256Pair())
	if got := w.accepts(t, p256Pair().jwt(w.claims(set{"role": "admin"}), nil)); got.Role != "" {
		t.Errorf("role %q, want none", got.Role)
	}
}

// FuzzParse holds that no input makes the parser panic.
func FuzzParse(f *testing.F) {
	w := newWorld(f, nil, p256Pair())
	f.Add(w.good(p256Pair()))
	f.Add(signedHeader(`{"alg":"ES256","crit":["b64"],"b64":false}`, `{"exp":1e999}`))
	f.Add("..")
	f.Fuzz(func(t *testing.T, jwt string) {
		if p, err := parse(jwt); err == nil {
			_ = w.judge(p.claims)
			_ = p.strings("x")
		}
	})
}

func BenchmarkIdentify(b *testing.B) {
	w := newWorld(b, nil, p256Pair(), rsaPair())
	for _, p := range []pair{p256Pair(), rsaPair()} {
		jwt := w.good(p)
		b.Run(p.kid, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := w.Identify(b.Context(), jwt); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
