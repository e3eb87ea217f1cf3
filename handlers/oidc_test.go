package handlers_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/tokenwright/tokenwright/internal/oidc"
	"github.com/tokenwright/tokenwright/internal/server"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/harness"
)

// issuer is an OpenID Connect issuer that can be taken away.
type issuer struct {
	*httptest.Server
	key  *ecdsa.PrivateKey
	down bool // set before the first request only
}

func startIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var answer any = map[string]string{"issuer": i.URL, "jwks_uri": i.URL + "/keys"}
		if r.URL.Path == "/keys" {
			answer = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1", Algorithm: "ES256", Use: "sig"}}}
		}
		if i.down {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(i.Close)
	return i
}

// jwt signs claims that are good but for the changes.
func (i *issuer) jwt(t *testing.T, changes map[string]any) string {
	t.Helper()
	now := time.Now()
	claims := map[string]any{"iss": i.URL, "sub": "alice", "aud": "tokenwright", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
	for name, value := range changes {
		claims[name] = value
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: i.key, KeyID: "k1"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// trusted has a server take the issuer's JWTs.
func (i *issuer) trusted(c *server.Config) {
	c.OIDC = &oidc.Config{IssuerURL: i.URL, Audience: "tokenwright"}
}

func TestCallersOfAnIssuer(t *testing.T) {
	i := startIssuer(t)
	s := harness.Start(t, harness.Options{Configure: i.trusted})
	admin := s.Vars["admin"]
	register := func(subject, role, issuer string) string {
		body := fmt.Sprintf(`{"subject":%q,"name":"x","role":%q,"account_id":%q,"issuer":%q}`, subject, role, s.Vars["account"], issuer)
		a := s.Do("POST", "/service/users", admin, body)
		if a.Status != 201 {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		return fmt.Sprintf("%.0f", a.JSON()["id"])
	}
	alice := register("alice", "member", i.URL)
	register("carol", "admin", "https://another.example")
	credential := i.jwt(t, nil)
	me := expect(t, s, "GET", "/service/me", credential, 200).JSON()
	if me["token"] != nil || me["role"] != "member" || me["expires_at"] == nil {
		t.Errorf("me: %v", me)
	}
	secret, _ := issue(t, s, token.Muninx, credential, `{"name":"minted"}`)
	expect(t, s, "GET", "/service/me", secret, 200)
	expect(t, s, "GET", "/api/admin/user/tokens", credential, 200)
	expect(t, s, "GET", "/service/users", credential, 403)
	now := time.Now()
	for what, changes := range map[string]map[string]any{
		"nobody":                  {"sub": "bob"},
		"a local user":            {"sub": "member"},
		"another issuer's user":   {"sub": "carol"},
		"another audience":        {"aud": "other"},
		"no audience":             {"aud": nil},
		"expired":                 {"exp": now.Add(-time.Hour).Unix()},
		"no expiry":               {"exp": nil},
		"not yet valid":           {"nbf": now.Add(time.Hour).Unix()},
		"another issuer":          {"iss": "https://another.example"},
		"no issuer":               {"iss": ""},
		"this server as issuer":   {"iss": s.URL},
		"no subject":              {"sub": ""},
		"a subject that is a key": {"sub": []string{"alice"}},
	} {
		if a := s.Do("GET", "/service/me", i.jwt(t, changes), ""); a.Status != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", what, a.Status, a.Body)
		}
	}
	expect(t, s, "POST", "/service/users/"+alice+"/disable", admin, 200)
	expect(t, s, "GET", "/service/me", credential, 401)
	expect(t, s, "GET", "/service/me", secret, 401)
}

// TestIssuerWithoutKeys shows that an outage of the issuer is no verdict on a caller.
func TestIssuerWithoutKeys(t *testing.T) {
	i := startIssuer(t)
	i.down = true
	s := harness.Start(t, harness.Options{Configure: i.trusted})
	for _, c := range creators {
		a := s.Do("POST", c.path, i.jwt(t, nil), c.unique(""))
		want(t, c, "keys away", a, http.StatusServiceUnavailable)
	}
	expect(t, s, "GET", "/service/me", s.Vars["admin"], 200)
}
