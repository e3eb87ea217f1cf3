package handlers_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/server"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/harness"
)

// lastLine is the line of the log about the answer.
func lastLine(t *testing.T, s *harness.Server, a harness.Answer) map[string]any {
	t.Helper()
	id := a.Header.Get("X-Request-Id")
	for begun := time.Now(); time.Since(begun) < 10*time.Second; time.Sleep(time.Millisecond) { // it comes after the answer
		for line := range strings.Lines(s.Log.String()) {
			if strings.Contains(line, id) {
				var got map[string]any
				if err := json.Unmarshal([]byte(line), &got); err != nil {
					t.Fatalf("%v: %s", err, line)
				}
				return got
			}
		}
	}
	t.Fatalf("nothing is logged of %s", id)
	return nil
}

func lineHas(t *testing.T, s *harness.Server, a harness.Answer, want map[string]string) {
	t.Helper()
	line := lastLine(t, s, a)
	for name, value := range want {
		got, _ := line[name].(string)
		if value == "" && got != "" || !strings.Contains(got, value) {
			t.Errorf("%s is %q, want %q: %v", name, got, value, line)
		}
	}
	if ms, ok := line["duration_ms"].(float64); !ok || ms < 0 {
		t.Errorf("duration_ms is %v", line["duration_ms"])
	}
}

// TestLogTellsWhoDidWhatToWhat asks for one operation of each sort.
func TestLogTellsWhoDidWhatToWhat(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	v, admin := s.Vars, s.Vars["admin"]
	a := s.Do("POST", "/tokens", v["member"], `{"name":"x"}`)
	id := a.JSON()["id"].(string)
	muninx, secret := "token:muninx/"+id, a.JSON()["token"].(string)
	member := "user:" + v["member_id"]
	lineHas(t, s, a, map[string]string{"caller": member + " token:muninx/", "object": muninx, "client": "127.0.0.1", "level": "INFO", "cause": ""})

	a = s.Do("POST", "/api/v1/api_token", v["member"], `{"token_scope":"account"}`)
	jwt := a.JSON()["token"].(string)
	apitoken := "token:apitoken/" + a.JSON()["details"].(map[string]any)["id"].(string)
	lineHas(t, s, a, map[string]string{"object": apitoken})
	a = s.Do("POST", "/api/admin/user/tokens", v["member"], `{}`)
	lineHas(t, s, a, map[string]string{"object": fmt.Sprintf("token:unleash/%.0f", a.JSON()["id"])})
	a = s.Do("POST", "/service/users", admin, `{"subject":"x","name":"x","role":"member","account_id":"`+v["account"]+`"}`)
	user := fmt.Sprintf("user:%.0f", a.JSON()["id"])
	lineHas(t, s, a, map[string]string{"object": user, "caller": "user:1 token:muninx/"})
	a = s.Do("POST", "/service/accounts", admin, `{"name":"x"}`)
	lineHas(t, s, a, map[string]string{"object": "account:" + a.JSON()["id"].(string)})

	lineHas(t, s, s.Do("GET", "/verify", secret, ""), map[string]string{"caller": member + " " + muninx})
	lineHas(t, s, s.Do("GET", "/verify?scope=environment", secret, ""), map[string]string{"caller": member + " " + muninx, "cause": "scope"})
	a = s.Do("POST", "/introspect", v["introspector"], "token="+jwt, "Content-Type", "application/x-www-form-urlencoded")
	lineHas(t, s, a, map[string]string{"object": apitoken, "caller": "user:" + v["introspector_id"]})

	for path, object := range map[string]string{
		"/service/tokens/muninx/" + id + "/suspend":                             muninx,
		"/service/users/" + v["member_id"] + "/disable":                         member,
		"/service/accounts/" + v["other_account"] + "/disable":                  "account:" + v["other_account"],
		"/service/environments/" + v["environment"] + "/disable":                "environment:" + v["environment"],
		"/service/users/" + v["stranger_id"] + "/enable":                        "user:" + v["stranger_id"],
		"/service/tokens/" + strings.TrimPrefix(apitoken, "token:") + "/revoke": apitoken,
	} {
		lineHas(t, s, expect(t, s, "POST", path, admin, 200), map[string]string{"object": object, "method": "POST"})
	}
	// What has not the form of an id may be anything.
	lineHas(t, s, expect(t, s, "GET", "/tokens/"+secret, admin, 404), map[string]string{"object": ""})
	lineHas(t, s, expect(t, s, "GET", "/service/accounts/"+secret, admin, 404), map[string]string{"object": "", "cause": "not found"})
	for _, hidden := range []string{secret, jwt, v["member"]} {
		if strings.Contains(s.Log.String(), hidden) {
			t.Error("a secret is in the log")
		}
	}
}

// TestLogTellsWhyARequestWasRefused: the answer to a wrong credential says nothing, and the log does.
func TestLogTellsWhyARequestWasRefused(t *testing.T) {
	i := startIssuer(t)
	s := harness.Start(t, harness.Options{Configure: i.trusted})
	v, admin := s.Vars, s.Vars["admin"]
	make := func() (secret, object string) {
		a := s.Do("POST", "/service/users/"+v["member_id"]+"/tokens", admin,
			`{"name":"x","expires_at":"`+s.Service.Now().Add(time.Hour).Format(time.RFC3339Nano)+`"}`)
		return a.JSON()["token"].(string), "muninx/" + a.JSON()["id"].(string)
	}
	refused := func(secret, cause string) {
		t.Helper()
		a := s.Do("GET", "/tokens", secret, "")
		if a.Status != 401 {
			t.Errorf("%s: %d", cause, a.Status)
		}
		lineHas(t, s, a, map[string]string{"cause": cause, "level": "INFO", "client": "127.0.0.1"})
		if strings.Contains(string(a.Body), cause) {
			t.Errorf("the answer says %s", cause)
		}
	}
	for _, action := range []string{"revoke", "suspend"} {
		secret, object := make()
		expect(t, s, "POST", "/service/tokens/"+object+"/"+action, admin, 200)
		refused(secret, "token:"+object+": "+map[string]string{"revoke": "revoked", "suspend": "suspended"}[action])
	}
	secret, object := make()
	expect(t, s, "DELETE", "/service/tokens/"+object, admin, 204)
	refused(secret, "token:"+object+": deleted")
	secret, object = make()
	expect(t, s, "POST", "/service/users/"+v["member_id"]+"/disable", admin, 200)
	refused(secret, "token:"+object+": user_disabled")
	expect(t, s, "POST", "/service/users/"+v["member_id"]+"/enable", admin, 200)
	s.Advance(time.Hour)
	refused(secret, "token:"+object+": expired")
	refused(token.Muninx.Secrets.New(), "no token has this secret")
	refused("muninx_x", "has not the form")
	refused(i.jwt(t, map[string]any{"sub": "bob", "exp": time.Now().Add(3 * time.Hour).Unix()}), "issuer \""+i.URL+"\" and the subject \"bob\"")
	refused("", "credential missing")
	lineHas(t, s, s.Do("GET", "/service/users", v["stranger"], ""), map[string]string{"cause": "forbidden: this needs the role admin"})
	a := s.Do("POST", "/tokens", v["stranger"], `{"name":""}`)
	lineHas(t, s, a, map[string]string{"cause": "/name must have 1 to 255 characters"})
}

// TestLogTellsTheClientBehindAProxy: only where a proxy is trusted, and only what that one has added.
func TestLogTellsTheClientBehindAProxy(t *testing.T) {
	for trusted, want := range map[bool]string{false: "127.0.0.1", true: "203.0.113.7"} {
		s := harness.Start(t, harness.Options{Configure: func(c *server.Config) { c.TrustedProxy = trusted }})
		a := s.Do("GET", "/healthz", "", "", "X-Forwarded-For", "198.51.100.1, 203.0.113.7")
		lineHas(t, s, a, map[string]string{"client": want})
		lineHas(t, s, s.Do("GET", "/healthz", "", "", "X-Forwarded-For", "nonsense"), map[string]string{"client": "127.0.0.1"})
	}
}

// TestLogRepeatsNoSecret wherever a sender may have put one.
func TestLogRepeatsNoSecret(t *testing.T) {
	i := startIssuer(t)
	s := harness.Start(t, harness.Options{Configure: func(c *server.Config) {
		i.trusted(c)
		c.TrustedProxy = true
	}})
	secret := token.Muninx.Secrets.New()
	jwt := "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
	for _, subject := range []string{secret, token.Unleash.Secrets.New(), jwt} {
		a := s.Do("GET", "/tokens", i.jwt(t, map[string]any{"sub": "x " + subject + " y"}), "")
		lineHas(t, s, a, map[string]string{"cause": `the subject "x (a secret?) y"`, "level": "INFO"})
	}
	for _, path := range []string{"/tokens", "/verify", "/verify/x", "/none"} {
		lineHas(t, s, s.Do(secret, path, s.Vars["admin"], ""), map[string]string{"method": "other"})
	}
	for _, method := range []string{"get", "PROPFIND"} {
		lineHas(t, s, s.Do(method, "/verify", s.Vars["admin"], ""), map[string]string{"method": "other"})
	}
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"} {
		lineHas(t, s, s.Do(method, "/verify", s.Vars["admin"], ""), map[string]string{"method": method})
	}
	a := s.Do("GET", "/healthz", "", "", "X-Forwarded-For", "fe80::1%"+secret)
	if line := lastLine(t, s, a); line["client"] != "fe80::1" {
		t.Errorf("the client is %v", line["client"])
	}
	if strings.Contains(s.Log.String(), secret) || strings.Contains(s.Log.String(), jwt) {
		t.Error("a secret is in the log")
	}
}

// TestCausesSayEachThingOnce: how often an error was handed on is of no use to who reads the log.
func TestCausesSayEachThingOnce(t *testing.T) {
	i := startIssuer(t)
	s := harness.Start(t, harness.Options{Configure: i.trusted})
	ours, _ := issue(t, s, token.APIToken, s.Vars["member"], `{"token_scope":"account"}`)
	for credential, want := range map[string]string{
		ours + "x": "credential invalid: ",
		ours[:20] + "." + strings.SplitN(ours, ".", 2)[1]: "credential invalid: ",
		i.jwt(t, map[string]any{"aud": "other"}):          "credential invalid: the JWT is for another audience",
		token.Muninx.Secrets.New():                        "credential invalid: no token has this secret",
		"x y":                                             "credential invalid: the credential is not valid",
	} {
		cause, _ := lastLine(t, s, s.Do("GET", "/tokens", credential, ""))["cause"].(string)
		t.Log(cause)
		if !strings.HasPrefix(cause, want) || strings.Count(cause, "credential invalid") > 1 ||
			strings.Contains(cause, "the credential is not valid") && cause != "credential invalid: the credential is not valid" {
			t.Errorf("the cause is %q, want %q", cause, want)
		}
	}
}
