package handlers_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/tokenwright/tokenwright/test/harness"
)

// The challenges of RFC 6750 section 3.
const (
	plainChallenge = `Bearer realm="tokenwright"`
	tokenChallenge = `Bearer realm="tokenwright", error="invalid_token"`
	scopeChallenge = `Bearer realm="tokenwright", error="insufficient_scope"`
)

// TestChallengesToOtherSchemes: who shows no token that could be judged is not told that it is wrong (section 3.1).
func TestChallengesToOtherSchemes(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("any:"+s.Vars["admin"]))
	none, wrong := plainChallenge, tokenChallenge
	for _, c := range []struct{ header, plain, bare, verify, introspect string }{
		{`Digest username="x"`, none, none, none, none},
		{"Negotiate YII=", none, none, none, none},
		{"DPoP x", none, none, none, none},
		{"", none, none, none, none},
		{" ", none, none, none, none},
		{"Bearer", none, none, none, none},
		{"bearer ", none, none, none, none},
		{"Basic", none, wrong, wrong, none},
		{basic, none, none, none, ""},
		{"Basic ***", none, none, none, wrong},
		{"Basic eDp5", none, none, none, wrong},
		{s.Vars["admin"], none, "", "", none},
		{"x", none, wrong, wrong, none},
		{"Bearer x", wrong, wrong, wrong, wrong},
		{"Bearer x y", wrong, wrong, wrong, wrong},
	} {
		for path, want := range map[string]string{
			"/tokens": c.plain, "/api/v1/api_token": c.plain, "/service/me": c.plain, "/unknown": c.plain,
			"/api/admin/user/tokens": c.bare, "/verify": c.verify, "/verify/path": c.verify, "/introspect": c.introspect,
		} {
			method, body, headers := "GET", "", []string{"Authorization", c.header}
			if path == "/introspect" {
				method, body = "POST", "token=x"
				headers = append(headers, "Content-Type", "application/x-www-form-urlencoded")
			}
			a := s.Do(method, path, "", body, headers...)
			switch got := a.Header.Get("WWW-Authenticate"); {
			case want == "" && a.Status >= 300, want != "" && a.Status != http.StatusUnauthorized:
				t.Errorf("%q at %s: %d %s", c.header, path, a.Status, a.Body)
			case got != want:
				t.Errorf("%q at %s: %q, want %q", c.header, path, got, want)
			}
			if path == "/api/admin/user/tokens" && want == none && a.JSON()["name"] != "AuthenticationRequired" {
				t.Errorf("%q: %s", c.header, a.Body)
			}
		}
	}
}

// TestForbiddenIsChallenged wherever a 403 is declared; package speccheck asks it of every answer of the tests.
func TestForbiddenIsChallenged(t *testing.T) {
	declared := 0
	for name, document := range documents {
		doc, err := openapi3.NewLoader().LoadFromData(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range doc.Paths.Map() {
			for _, op := range item.Operations() {
				answer := op.Responses.Status(http.StatusForbidden)
				if answer == nil {
					continue
				}
				declared++
				if header := answer.Value.Headers["WWW-Authenticate"]; header == nil || header.Value.Example != scopeChallenge {
					t.Errorf("%s: the 403 of %s has no challenge", name, op.OperationID)
				}
			}
		}
	}
	if declared < 42 {
		t.Errorf("only %d are declared", declared)
	}
	s := harness.Start(t, harness.Options{})
	account := s.Do("POST", "/api/v1/api_token", s.Vars["member"], `{"token_scope":"account"}`).JSON()
	machine := account["token"].(string)
	for range 10 {
		s.Do("POST", "/api/admin/user/tokens", s.Vars["member"], `{}`)
	}
	for what, a := range map[string]harness.Answer{
		"muninx":          s.Do("GET", "/tokens", machine, ""),
		"apitoken":        s.Do("POST", "/api/v1/api_token/"+account["details"].(map[string]any)["id"].(string)+"/suspend", machine, ""),
		"unleash":         s.Do("GET", "/api/admin/user/tokens", machine, ""),
		"unleash's limit": s.Do("POST", "/api/admin/user/tokens", s.Vars["member"], `{}`),
		"service":         s.Do("GET", "/service/users", s.Vars["member"], ""),
		"introspection":   introspect(s, s.Vars["member"], "x"),
		"a gateway":       s.Do("GET", "/verify?scope=account", s.Vars["member"], ""),
	} {
		if got := strings.Join(a.Header.Values("WWW-Authenticate"), "|"); a.Status != http.StatusForbidden || got != scopeChallenge {
			t.Errorf("%s: %d %q", what, a.Status, got)
		}
	}
}
