package verify_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/verify"
)

// get sends a request through the middleware.
func get(t *testing.T, v *verify.Verifier, authorization ...string) *httptest.ResponseRecorder {
	t.Helper()
	return send(t, v, http.MethodGet, authorization...)
}

func send(t *testing.T, v *verify.Verifier, method string, authorization ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "/", nil)
	for _, a := range authorization {
		r.Header.Add("Authorization", a)
	}
	w := httptest.NewRecorder()
	v.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, ok := verify.FromContext(r.Context())
		if !ok {
			t.Error("the handler ran without a token")
		}
		w.Header().Set("Subject", got.Subject)
	})).ServeHTTP(w, r)
	return w
}

func TestMiddleware(t *testing.T) {
	i := newIssuer(t)
	i.publishList(i.listClaims())
	plain := i.offline(t)
	good := "Bearer " + i.jwt(0)
	const realm = `Bearer realm="tokenwright"`
	for what, c := range map[string]struct {
		v             *verify.Verifier
		authorization []string
		status        int
		challenge     string
	}{
		"good":            {plain, []string{good}, 200, ""},
		"lower case":      {plain, []string{"bearer" + good[6:]}, 200, ""},
		"two spaces":      {plain, []string{"Bearer  " + good[6:]}, 200, ""},
		"none":            {plain, nil, 401, realm},
		"empty":           {plain, []string{""}, 401, realm},
		"Basic":           {plain, []string{"Basic eDp5"}, 401, realm},
		"without Bearer":  {plain, []string{i.jwt(0)}, 401, realm},
		"Bearer of none":  {plain, []string{"Bearer"}, 401, realm + `, error="invalid_token"`},
		"revoked":         {plain, []string{"Bearer " + i.jwt(1)}, 401, realm + `, error="invalid_token"`},
		"two headers":     {plain, []string{good, good}, 401, realm + `, error="invalid_token"`},
		"two tokens":      {plain, []string{good + ", " + good}, 401, realm + `, error="invalid_token"`},
		"scope":           {plain.Require(verify.Scope("environment")), []string{good}, 200, ""},
		"one of scopes":   {plain.Require(verify.Scope("account", "environment")), []string{good}, 200, ""},
		"another scope":   {plain.Require(verify.Scope("user", "account")), []string{good}, 403, realm + `, error="insufficient_scope", scope="user account"`},
		"no scope at all": {plain.Require(verify.Scope()), []string{good}, 403, realm + `, error="insufficient_scope"`},
		"strange scope":   {plain.Require(verify.Scope("a\"\r\nX: 1")), []string{good}, 403, realm + `, error="insufficient_scope"`},
		"account":         {plain.Require(verify.Account("acc-1"), verify.Environment("env-1")), []string{good}, 200, ""},
		"another account": {plain.Require(verify.Scope("environment")).Require(verify.Account("acc-2")), []string{good}, 403, realm + `, error="insufficient_scope"`},
		"environment":     {plain.Require(verify.Environment("env-2")), []string{good}, 403, realm + `, error="insufficient_scope"`},
		"401 before 403":  {plain.Require(verify.Account("acc-2")), []string{"Bearer " + i.jwt(1)}, 401, realm + `, error="invalid_token"`},
	} {
		a := get(t, c.v, c.authorization...)
		if a.Code != c.status || a.Header().Get("WWW-Authenticate") != c.challenge {
			t.Errorf("%s: %d %q, want %d %q", what, a.Code, a.Header().Get("WWW-Authenticate"), c.status, c.challenge)
		}
		if c.status == http.StatusOK {
			if a.Header().Get("Subject") != "env-1" {
				t.Errorf("%s: subject %q", what, a.Header().Get("Subject"))
			}
			continue
		}
		problem(t, what, a)
		head := send(t, c.v, http.MethodHead, c.authorization...)
		if head.Code != c.status || head.Body.Len() != 0 || head.Header().Get("Content-Length") != a.Header().Get("Content-Length") {
			t.Errorf("%s: HEAD has %d, %v, %d bytes", what, head.Code, head.Header(), head.Body.Len())
		}
	}
}

// problem checks the body of an error.
func problem(t *testing.T, what string, a *httptest.ResponseRecorder) {
	t.Helper()
	var p struct {
		Type, Title, Detail string
		Status              int
	}
	if err := json.Unmarshal(a.Body.Bytes(), &p); err != nil || p.Status != a.Code || p.Title != http.StatusText(a.Code) || p.Detail == "" || p.Type != "about:blank" {
		t.Errorf("%s: %s: %v", what, a.Body, err)
	}
	if a.Header().Get("Content-Type") != "application/problem+json" || a.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%s: %v", what, a.Header())
	}
}

func TestMiddlewareOutage(t *testing.T) {
	i := server(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	var heard error
	v := ask(t, i.URL, "our-own-credential", i.clock, func(c *verify.Config) {
		c.Report = func(_ context.Context, err error) { heard = err }
	})
	const secret = alice
	a := get(t, v, "Bearer "+secret)
	if a.Code != http.StatusServiceUnavailable || a.Header().Get("Retry-After") != "1" || a.Header().Get("WWW-Authenticate") != "" {
		t.Errorf("%d %v", a.Code, a.Header())
	}
	problem(t, "outage", a)
	if !errors.Is(heard, verify.ErrMisconfigured) {
		t.Errorf("reported %v", heard)
	}
	for _, text := range []string{heard.Error(), a.Body.String()} {
		if strings.Contains(text, secret) || strings.Contains(text, "our-own-credential") {
			t.Errorf("a secret is in %q", text)
		}
	}
	i.answer("/introspect", active(""))
	if a := get(t, v, "Bearer "+secret); a.Code != http.StatusOK {
		t.Errorf("over: %d", a.Code)
	}
}

// TestRefuseUnknown: an error that is none of ours must not let in or turn away.
func TestRefuseUnknown(t *testing.T) {
	i := newIssuer(t)
	w := httptest.NewRecorder()
	i.offline(t).Refuse(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), errors.New("unknown"))
	if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "unknown") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if _, ok := verify.FromContext(t.Context()); ok {
		t.Error("a token out of nothing")
	}
}

// TestRequirements: what is empty matches nothing, and one Verifier's requirements are not another's.
func TestRequirements(t *testing.T) {
	i := newIssuer(t)
	plain := i.offline(t, allowNoStatus)
	secret := i.sign(i.header(), with(i.bare(), `"environment_id":"env-1"`, `"environment_id":null`), nil)
	expect(t, "an empty setting", plain.Require(verify.Environment("")), secret, verify.ErrForbidden)
	acc, env := verify.Account("acc-1"), verify.Scope("environment")
	base := plain.Require(acc).Require(env).Require(acc)
	good, bad := base.Require(env), base.Require(verify.Account("acc-2"))
	expect(t, "met", good, secret, nil)
	expect(t, "not met", bad, secret, verify.ErrForbidden)
	expect(t, "the base", base, secret, nil)
}
