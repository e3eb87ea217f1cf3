package handlers_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/harness"
)

// introspect asks for a verdict on a token.
func introspect(s *harness.Server, credential, secret string) harness.Answer {
	return s.Do("POST", "/introspect", credential, "token="+url.QueryEscape(secret), "Content-Type", "application/x-www-form-urlencoded")
}

const inactive = `{"active":false}`

func TestIntrospection(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	v := s.Vars
	jwt, jwtID := issue(t, s, token.APIToken, v["member"], `{"token_scope":"environment","environment_id":"`+v["environment"]+`"}`)
	pat, _ := issue(t, s, token.Unleash, v["member"], `{}`)
	foreign, _ := issue(t, s, token.APIToken, v["stranger"], `{"token_scope":"account"}`)

	got := introspect(s, v["admin"], v["member"]).JSON()
	for name, want := range map[string]any{
		"active": true, "sub": "member", "username": "member", "scope": "user", "token_scope": "user", "token_type": "Bearer",
		"iss": s.URL, "account_id": v["account"], "dialect": "muninx",
	} {
		if got[name] != want {
			t.Errorf("a user's token: %s is %v, want %v", name, got[name], want)
		}
	}
	if got["exp"] != nil || got["iat"] == nil || got["jti"] == nil {
		t.Errorf("a user's token: %v", got)
	}
	got = introspect(s, v["introspector"], jwt).JSON()
	for name, want := range map[string]any{
		"active": true, "sub": v["environment"], "scope": "environment", "environment_id": v["environment"],
		"account_id": v["account"], "jti": jwtID, "dialect": "apitoken", "username": nil,
	} {
		if got[name] != want {
			t.Errorf("an environment's token: %s is %v, want %v", name, got[name], want)
		}
	}
	// Out of reach, unknown, malformed: one and the same answer.
	for what, secret := range map[string]string{
		"out of reach": foreign, "a stranger's": v["stranger"], "malformed": "x", "unknown": flip(v["member"]),
		"unknown PAT": "user:" + strings.Repeat("0", 56), "no signature": jwt[:strings.LastIndex(jwt, ".")+1],
	} {
		if a := introspect(s, v["introspector"], secret); a.Status != 200 || strings.TrimSpace(string(a.Body)) != inactive {
			t.Errorf("%s: %d %s", what, a.Status, a.Body)
		}
	}
	if a := introspect(s, v["admin"], foreign); a.JSON()["active"] != true {
		t.Errorf("an admin sees all: %s", a.Body)
	}
	// A change shows at the next check.
	check := func(what, secret, path string, want bool) {
		t.Helper()
		expect(t, s, "POST", path, v["admin"], 200)
		if got := introspect(s, v["admin"], secret).JSON()["active"]; got != want {
			t.Errorf("%s: active is %v", what, got)
		}
	}
	check("suspended", jwt, "/service/tokens/apitoken/"+jwtID+"/suspend", false)
	check("active again", jwt, "/service/tokens/apitoken/"+jwtID+"/activate", true)
	check("environment disabled", jwt, "/service/environments/"+v["environment"]+"/disable", false)
	check("environment enabled", jwt, "/service/environments/"+v["environment"]+"/enable", true)
	check("user disabled", pat, "/service/users/"+v["member_id"]+"/disable", false)
	check("user enabled", pat, "/service/users/"+v["member_id"]+"/enable", true)
	check("revoked", jwt, "/service/tokens/apitoken/"+jwtID+"/revoke", false)
	s.Advance(31 * 24 * time.Hour)
	if got := introspect(s, v["admin"], pat).JSON()["active"]; got != false {
		t.Errorf("expired: active is %v", got)
	}
}

func TestWhoMayIntrospect(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	v := s.Vars
	checker, id := issue(t, s, token.APIToken, v["member"], `{"token_scope":"account"}`)
	if a := introspect(s, v["member"], v["member"]); a.Status != 403 || a.JSON()["error"] != "insufficient_scope" {
		t.Errorf("a member: %d %s", a.Status, a.Body)
	}
	if a := introspect(s, checker, v["member"]); a.Status != 403 {
		t.Errorf("a token without permission: %d", a.Status)
	}
	expect(t, s, "POST", "/service/tokens/apitoken/"+id+"/allow-introspection", v["member"], 403)
	expect(t, s, "POST", "/service/tokens/apitoken/"+id+"/allow-introspection", v["admin"], 200)
	if a := introspect(s, checker, v["member"]); a.JSON()["active"] != true {
		t.Errorf("a token with permission: %d %s", a.Status, a.Body)
	}
	if a := introspect(s, checker, v["stranger"]); strings.TrimSpace(string(a.Body)) != inactive {
		t.Errorf("another account: %s", a.Body)
	}
	basic := func(password string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte("any:"+password))
	}
	form := []string{"Content-Type", "application/x-www-form-urlencoded", "Authorization"}
	for what, header := range map[string]string{"plain": basic(checker), "encoded": basic(url.QueryEscape(checker))} {
		if a := s.Do("POST", "/introspect", "", "token="+v["member"]+"&token_type_hint=access_token", append(form, header)...); a.Status != 200 || a.JSON()["active"] != true {
			t.Errorf("Basic, %s: %d %s", what, a.Status, a.Body)
		}
	}
	for what, header := range map[string]string{"wrong": basic("wrong"), "no base64": "Basic ***", "no colon": "Basic YQ=="} {
		a := s.Do("POST", "/introspect", "", "token=x", append(form, header)...)
		if a.Status != 401 || a.JSON()["error"] != "invalid_client" || len(a.Header.Values("WWW-Authenticate")) != 2 {
			t.Errorf("Basic, %s: %d %s", what, a.Status, a.Body)
		}
	}
	if a := s.Do("GET", "/service/me", "", "", "Authorization", basic(checker)); a.Status != 401 {
		t.Errorf("Basic is for introspection only: %d", a.Status)
	}
	expect(t, s, "POST", "/service/tokens/apitoken/"+id+"/forbid-introspection", v["admin"], 200)
	if a := introspect(s, checker, v["member"]); a.Status != 403 {
		t.Errorf("a token whose permission was taken: %d", a.Status)
	}
}

func TestIntrospectionForms(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	for what, c := range map[string]struct {
		body, media string
		status      int
	}{
		"no token":        {"x=1", "application/x-www-form-urlencoded", 400},
		"empty":           {"token=", "application/x-www-form-urlencoded", 400},
		"twice":           {"token=a&token=b", "application/x-www-form-urlencoded", 400},
		"JSON":            {`{"token":"x"}`, "application/json", 415},
		"bad escape":      {"token=%zz", "application/x-www-form-urlencoded", 400},
		"bad UTF-8":       {"token=%ff", "application/x-www-form-urlencoded", 400},
		"U+0000":          {"token=%00", "application/x-www-form-urlencoded", 400},
		"too large":       {"token=" + strings.Repeat("a", 70<<10), "application/x-www-form-urlencoded", 413},
		"charset":         {"token=x", "application/x-www-form-urlencoded; charset=UTF-8", 200},
		"another charset": {"token=x", "application/x-www-form-urlencoded; charset=ISO-8859-1", 200},
		"parameter":       {"token=x", "application/x-www-form-urlencoded; version=1", 200},
		"unknown members": {"token=x&other=1", "application/x-www-form-urlencoded", 200},
	} {
		a := s.Do("POST", "/introspect", s.Vars["admin"], c.body, "Content-Type", c.media)
		if a.Status != c.status {
			t.Errorf("%s: %d, want %d: %s", what, a.Status, c.status, a.Body)
		}
		taken(t, what, a, "application/x-www-form-urlencoded", "")
		if a.Status == 400 && a.JSON()["error"] != "invalid_request" {
			t.Errorf("%s: error is %v", what, a.JSON()["error"])
		}
	}
	batch := func(tokens ...string) harness.Answer {
		body, err := json.Marshal(map[string][]string{"tokens": tokens})
		if err != nil {
			t.Fatal(err)
		}
		return s.Do("POST", "/introspect/batch", s.Vars["admin"], string(body))
	}
	a := batch("x", s.Vars["member"], "", s.Vars["stranger"])
	var verdicts []string
	for _, r := range a.JSON()["results"].([]any) {
		verdicts = append(verdicts, fmt.Sprint(r.(map[string]any)["sub"]))
	}
	if got := strings.Join(verdicts, " "); got != "<nil> member <nil> stranger" {
		t.Errorf("a batch: %s", got)
	}
	for what, tokens := range map[string][]string{"none": {}, "101": make([]string, 101)} {
		if a := batch(tokens...); a.Status != 400 {
			t.Errorf("a batch of %s: %d", what, a.Status)
		}
	}
	if a := batch(make([]string, 100)...); a.Status != 200 {
		t.Errorf("a batch of 100: %d", a.Status)
	}
	batchOfLongTokens(t, s, batch)
}

// batchOfLongTokens: a hundred JWTs are not too many, and one endless token does not cost the others their verdicts.
func batchOfLongTokens(t *testing.T, s *harness.Server, batch func(...string) harness.Answer) {
	t.Helper()
	jwt, _ := issue(t, s, token.APIToken, s.Vars["member"], `{"token_scope":"environment","environment_id":"`+s.Vars["environment"]+`"}`)
	long := strings.Repeat("a", 100<<10)
	tokens := slices.Repeat([]string{jwt}, 100)
	tokens[50] = long
	a := batch(tokens...)
	if a.Status != 200 {
		t.Fatalf("a batch of 100 JWTs: %d %.200s", a.Status, a.Body)
	}
	for i, r := range a.JSON()["results"].([]any) {
		if active := r.(map[string]any)["active"]; active != (i != 50) {
			t.Errorf("token %d: active is %v", i, active)
		}
	}
	if a := batch(strings.Repeat(long, 21)); a.Status != 413 || !strings.Contains(string(a.Body), "2097152") {
		t.Errorf("a batch of more than 2 MiB: %d %.200s", a.Status, a.Body)
	}
	if a := introspect(s, s.Vars["admin"], long[:60<<10]); strings.TrimSpace(string(a.Body)) != inactive {
		t.Errorf("a long token: %s", a.Body)
	}
}

// TestForbiddenChecksAreChallenged by the code that clients of RFC 6750 read.
func TestForbiddenChecksAreChallenged(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	for what, a := range map[string]harness.Answer{
		"introspection": introspect(s, s.Vars["member"], s.Vars["member"]),
		"batch":         s.Do("POST", "/introspect/batch", s.Vars["member"], `{"tokens":["x"]}`),
		"gateway check": s.Do("GET", "/verify?scope=account", s.Vars["member"], ""),
	} {
		if challenge := a.Header.Get("WWW-Authenticate"); a.Status != 403 || !strings.Contains(challenge, `error="insufficient_scope"`) {
			t.Errorf("%s: %d %q", what, a.Status, challenge)
		}
	}
	for _, path := range []string{"/.well-known/jwks.json", "/statuslists/1"} {
		issue(t, s, token.APIToken, s.Vars["member"], `{"token_scope":"account"}`)
		if a := s.Do("GET", path, "", ""); a.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s cannot be read from a page: %v", path, a.Header)
		}
	}
}

func TestGatewayCheck(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	v := s.Vars
	jwt, id := issue(t, s, token.APIToken, v["member"], `{"token_scope":"environment","environment_id":"`+v["environment"]+`"}`)
	pat, _ := issue(t, s, token.Unleash, v["member"], `{}`)
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"} {
		for _, path := range []string{"/verify", "/verify/", "/verify/a/b//c", "/verify/x%2fy?z=1", "/verify/orders?account=42&scope=openid&scope=b;%zz"} {
			a := s.Do(method, path, jwt, "")
			if a.Status != http.StatusNoContent {
				t.Errorf("%s %s: %d %s", method, path, a.Status, a.Body)
			}
		}
	}
	a := s.Do("POST", "/verify", jwt, strings.Repeat("not JSON", 20<<10))
	for name, want := range map[string]string{
		"X-Token-Id": id, "X-Token-Subject": v["environment"], "X-Token-Scope": "environment", "X-Token-Account": v["account"],
		"X-Token-Environment": v["environment"], "X-Token-Dialect": "apitoken",
	} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if a := s.Do("GET", "/verify", "", "", "Authorization", pat); a.Status != 204 || a.Header.Get("X-Token-Subject") != "member" {
		t.Errorf("a bare PAT: %d", a.Status)
	}
	for query, status := range map[string]int{
		"?account=" + v["account"]: 204, "?account=" + v["other_account"]: 403, "?scope=environment": 204, "?scope=user": 403,
		"?account=" + v["account"] + "&scope=account": 403, "?scope=x": 400, "?scope=user&scope=environment": 400,
	} {
		if a := s.Do("GET", "/verify"+query, jwt, ""); a.Status != status {
			t.Errorf("%s: %d, want %d", query, a.Status, status)
		}
	}
	for what, header := range map[string][]string{"none": nil, "wrong": {"Authorization", "Bearer x"}, "Basic": {"Authorization", "Basic eDp5"}} {
		a := s.Do("GET", "/verify/path", "", "", header...)
		if a.Status != http.StatusUnauthorized || !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Bearer ") {
			t.Errorf("%s: %d %v", what, a.Status, a.Header)
		}
	}
	expect(t, s, "POST", "/service/tokens/apitoken/"+id+"/revoke", v["admin"], 200)
	expect(t, s, "GET", "/verify", jwt, 401)
	// A subject of any characters cannot inject a header, though none with these can be registered any more.
	made, err := s.DB.CreateUser(t.Context(), token.Permit{}, token.User{
		Subject: "a\r\nX-Token-Id: 1 ü", Name: "x", Role: token.RoleMember, AccountID: v["account"], AdminID: strings.Repeat("x", 32),
	})
	if err != nil {
		t.Fatal(err)
	}
	caller := token.Caller{User: &made, Account: &token.Account{ID: v["account"]}}
	_, secret, err := s.Service.Create(t.Context(), caller, token.Draft{Dialect: token.Muninx, Name: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Do("GET", "/verify", secret, "").Header.Get("X-Token-Subject"); got != "a%0D%0AX-Token-Id:%201%20%C3%BC" {
		t.Errorf("the subject became %q", got)
	}
}

// TestMisspeltQuestions: what is no question, or an empty one, lets nobody in.
func TestMisspeltQuestions(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	jwt, _ := issue(t, s, token.APIToken, s.Vars["member"], `{"token_scope":"environment","environment_id":"`+s.Vars["environment"]+`"}`)
	for query, fault := range map[string]string{
		"scopes=environment": "scopes", "Scope=environment": "Scope", "acount=x": "acount", "role=admin": "role", "scope[]=environment": "scope[]",
		"scope": "scope", "scope=": "scope", "account=": "account", "account": "account", "=": "", "=environment": "", "scope%20=environment": "scope ",
		"scope=environment&account=": "account", "scope=environment&x=1": "x", "scope=%00": "scope",
	} {
		for _, method := range []string{"GET", "POST"} {
			a := s.Do(method, "/verify?"+query, jwt, "")
			if a.Status != http.StatusBadRequest {
				t.Errorf("%s %s: %d %s", method, query, a.Status, a.Body)
			} else if faultsOf(t, a)[fault] == "" {
				t.Errorf("%s: no fault of %q: %s", query, fault, a.Body)
			}
		}
	}
	for _, query := range []string{"?scope=environment;account=x", "?%zz", "?scope=environment&%zz"} {
		expect(t, s, "GET", "/verify"+query, jwt, 400)
	}
	for _, query := range []string{"", "?", "?&", "?scope=environment&"} {
		expect(t, s, "GET", "/verify"+query, jwt, 204)
	}
}

// TestNobodysPathIsNoWayRoundAQuestion: what names nothing below /verify asks what /verify itself asks.
func TestNobodysPathIsNoWayRoundAQuestion(t *testing.T) {
	s := harness.Start(t, harness.Options{Unchecked: true})
	jwt, _ := issue(t, s, token.APIToken, s.Vars["member"], `{"token_scope":"environment","environment_id":"`+s.Vars["environment"]+`"}`)
	for _, path := range []string{"/verify", "/verify/", "/verify//", "/verify%2F", "/verify%2f%2F/", "/verify/.", "/verify/./", "/verify/%2e", "/verify/..", "/%76erify/"} {
		for query, status := range map[string]int{"": 204, "?scope=environment": 204, "?scope=user": 403, "?scope=": 400, "?scopes=user": 400, "?acount=x": 400, "?%zz": 400} {
			expect(t, s, "GET", path+query, jwt, status)
		}
		if path != "/verify" && path != "/%76erify/" {
			expect(t, s, "GET", path+"?page=2", jwt, 204) // a client's own, of a gateway that hands paths on
		}
	}
	for _, path := range []string{"/verify/x", "/verify//x", "/verify/.x", "/verify/.well-known", "/verify/x/.."} {
		expect(t, s, "GET", path+"?scope=user", jwt, 204)
	}
}

func TestPublicKeys(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	a := expect(t, s, "GET", "/.well-known/jwks.json", "", 200)
	for known, status := range map[string]int{a.Header.Get("Etag"): 304, "*": 304, `"other"`: 200} {
		again := s.Do("GET", "/.well-known/jwks.json", "", "", "If-None-Match", known)
		if again.Status != status || again.Header.Get("Etag") != a.Header.Get("Etag") || status == 304 && len(again.Body) > 0 ||
			again.Header.Get("Cache-Control") != a.Header.Get("Cache-Control") || again.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("If-None-Match %s: %d %v", known, again.Status, again.Header)
		}
	}
	keys := a.JSON()["keys"].([]any)
	if len(keys) != 1 || a.Header.Get("Cache-Control") != "public, max-age=300" {
		t.Errorf("%v %s", a.Header, a.Body)
	}
	if strings.Contains(string(a.Body), `"d"`) {
		t.Error("the private key is published")
	}
}

// TestWhoMayKeepAnswers: only what everybody may see, and what does not change with each request.
func TestWhoMayKeepAnswers(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	_, id := issue(t, s, token.Unleash, s.Vars["admin"], `{}`)
	issue(t, s, token.APIToken, s.Vars["admin"], `{"token_scope":"account"}`)
	for path, want := range map[string]string{
		"/healthz": "no-store", "/readyz": "no-store", "/verify": "no-store", "/service/me": "no-store", "/tokens": "no-store",
		"/api/v1/api_token": "no-store", "/api/admin/user/tokens": "no-store", "/api/admin/user/tokens/" + id: "no-store",
		"/service/tokens": "no-store", "/service/tokens/unleash/" + id: "no-store", "/service/users": "no-store",
		"/service/users/1": "no-store", "/service/accounts": "no-store", "/service/environments": "no-store",
		"/.well-known/jwks.json": "public, max-age=300", "/openapi/muninx.yaml": "public, max-age=300",
		"/docs": "public, no-cache", "/docs/reference.js": "public, no-cache", "/statuslists/1": "public, no-cache",
	} {
		for _, method := range []string{"GET", "HEAD"} {
			a := s.Do(method, path, s.Vars["admin"], "")
			if got := a.Header.Values("Cache-Control"); a.Status >= 300 || len(got) != 1 || got[0] != want {
				t.Errorf("%s %s: %d, Cache-Control %q, want %s", method, path, a.Status, got, want)
			}
		}
	}
}
