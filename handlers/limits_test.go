package handlers_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/limit"
	"github.com/tokenwright/tokenwright/internal/server"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/harness"
)

// few are three at once, and nothing more while a test runs.
var few = limit.Rate{Count: 1, Per: time.Hour, Burst: 3}

// doors are an operation of each contract, and a path that has none.
var doors = []string{"/tokens", "/api/v1/api_token", "/api/admin/user/tokens", "/service/me", "/nothing"}

// The fields of a 429: structured fields (RFC 9651) as draft-ietf-httpapi-ratelimit-headers has them.
var (
	policyField = regexp.MustCompile(`^"[a-z-]+";q=[1-9][0-9]*;w=[1-9][0-9]*$`)
	stateField  = regexp.MustCompile(`^"[a-z-]+";r=0;t=([1-9][0-9]*)$`)
)

// limited wants a 429 that says which limit it was.
func limited(t *testing.T, what string, a harness.Answer, policy string) {
	t.Helper()
	state := stateField.FindStringSubmatch(a.Header.Get("RateLimit"))
	switch {
	case a.Status != http.StatusTooManyRequests:
		t.Errorf("%s: %d %s, want 429", what, a.Status, a.Body)
	case state == nil || state[1] != a.Header.Get("Retry-After") || !policyField.MatchString(a.Header.Get("RateLimit-Policy")):
		t.Errorf("%s: %v", what, a.Header)
	case !strings.HasPrefix(a.Header.Get("RateLimit-Policy"), `"`+policy+`";`):
		t.Errorf("%s: the policy is %s, want %s", what, a.Header.Get("RateLimit-Policy"), policy)
	case a.Header.Get("WWW-Authenticate") != "" || a.Header.Get("Cache-Control") != "no-store":
		t.Errorf("%s: %v", what, a.Header)
	}
}

func withLimits(l server.Limits) harness.Options {
	return harness.Options{Configure: func(c *server.Config) { c.Limits = l }}
}

// failures are headers with which no request is authenticated.
func failures() map[string]string {
	return map[string]string{
		"malformed":      "Bearer x y",
		"no secret":      "Bearer muninx_x",
		"another scheme": "Digest x",
		"unknown":        "Bearer " + token.Muninx.Secrets.New(),
		"unknown JWT":    "Bearer eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl",
	}
}

// TestFailuresOfAnAddress: after the burst a failure is 429 instead of 401 in every contract, and a working credential
// from the same address is not refused.
func TestFailuresOfAnAddress(t *testing.T) {
	for name, header := range failures() {
		s := harness.Start(t, withLimits(server.Limits{Failures: few}))
		for i := range 3 {
			if a := s.Do("GET", doors[i], "", "", "Authorization", header); a.Status != http.StatusUnauthorized {
				t.Errorf("%s: %d is %d %s", name, i, a.Status, a.Body)
			}
		}
		for _, door := range doors {
			limited(t, name+" "+door, s.Do("GET", door, "", "", "Authorization", header), "failures")
			if a := s.Do("GET", door, s.Vars["member"], ""); a.Status == http.StatusTooManyRequests {
				t.Errorf("%s: the member gets %d %s", door, a.Status, a.Body)
			}
		}
		expect(t, s, "GET", "/service/me", s.Vars["member"], http.StatusOK)
		expect(t, s, "GET", "/service/me", "", http.StatusUnauthorized)
		expect(t, s, "GET", "/verify", "muninx_x", http.StatusUnauthorized)
		expect(t, s, "GET", "/healthz", "muninx_x", http.StatusOK)
	}
}

// TestNoCredentialIsNoFailure: clients that ask how to authenticate are not counted.
func TestNoCredentialIsNoFailure(t *testing.T) {
	s := harness.Start(t, withLimits(server.Limits{Failures: few}))
	for range 10 {
		expect(t, s, "GET", "/service/me", "", http.StatusUnauthorized)
	}
	expect(t, s, "GET", "/service/me", "muninx_x", http.StatusUnauthorized)
}

// TestRevokedCredentialsAreLimited: one that worked before counts like any other that fails.
func TestRevokedCredentialsAreLimited(t *testing.T) {
	s := harness.Start(t, withLimits(server.Limits{Failures: few}))
	secret, id := issue(t, s, token.Muninx, s.Vars["member"], `{"name":"x"}`)
	expect(t, s, "DELETE", "/tokens/"+id, s.Vars["member"], http.StatusNoContent)
	for range 3 {
		expect(t, s, "GET", "/tokens", secret, http.StatusUnauthorized)
	}
	limited(t, "a revoked token", s.Do("GET", "/tokens", secret, ""), "failures")
	if line := lastLine(t, s, s.Do("GET", "/tokens", secret, "")); !strings.Contains(fmt.Sprint(line["cause"]), "failed authentications") {
		t.Errorf("the log says %v", line)
	}
	if strings.Contains(s.Log.String(), secret) {
		t.Error("the log has the secret")
	}
}

// creates are one of each contract that a member may make.
func creates(s *harness.Server, n int) map[string]string {
	return map[string]string{
		"/tokens": `{"name":"x"}`, "/api/v1/api_token": `{"token_scope":"account"}`,
		"/api/admin/user/tokens": fmt.Sprintf(`{"description":"x %d"}`, n),
	}
}

// TestCreatesOfACaller: they count together whatever the contract and the token, and an admin has no limit.
func TestCreatesOfACaller(t *testing.T) {
	s := harness.Start(t, withLimits(server.Limits{Creates: few}))
	second, _ := issue(t, s, token.Muninx, s.Vars["member"], `{"name":"second"}`)
	issue(t, s, token.APIToken, s.Vars["member"], `{"token_scope":"account"}`)
	issue(t, s, token.Unleash, s.Vars["member"], `{"description":"third"}`)
	for path, body := range creates(s, 1) {
		limited(t, path, s.Do("POST", path, s.Vars["member"], body), "creates")
		limited(t, path+" with another token", s.Do("POST", path, second, body), "creates")
		if a := s.Do("POST", path, s.Vars["stranger"], body); a.Status >= 300 {
			t.Errorf("%s: another user gets %d %s", path, a.Status, a.Body)
		}
		for n := range 5 {
			if a := s.Do("POST", path, s.Vars["admin"], creates(s, n)[path]); a.Status >= 300 {
				t.Errorf("%s: an admin gets %d %s", path, a.Status, a.Body)
			}
		}
	}
	expect(t, s, "GET", "/tokens", s.Vars["member"], http.StatusOK)
}

// TestAccountsAreCallers: the tokens of an account count together.
func TestAccountsAreCallers(t *testing.T) {
	s := harness.Start(t, withLimits(server.Limits{Requests: few}))
	one, _ := issue(t, s, token.APIToken, s.Vars["admin"], `{"token_scope":"account"}`)
	two, _ := issue(t, s, token.APIToken, s.Vars["admin"], `{"token_scope":"environment","environment_id":"`+s.Vars["environment"]+`"}`)
	other, _ := issue(t, s, token.APIToken, s.Vars["admin"], `{"token_scope":"account","account_id":"`+s.Vars["other_account"]+`"}`)
	for _, secret := range []string{one, two, one} {
		expect(t, s, "GET", "/api/v1/api_token", secret, http.StatusOK)
	}
	limited(t, "one", s.Do("GET", "/api/v1/api_token", one, ""), "requests")
	limited(t, "two", s.Do("GET", "/api/v1/api_token", two, ""), "requests")
	expect(t, s, "GET", "/api/v1/api_token", other, http.StatusOK)
	expect(t, s, "GET", "/verify", one, http.StatusNoContent)
}

// TestRequestsOfACaller: all but checks count.
func TestRequestsOfACaller(t *testing.T) {
	s := harness.Start(t, withLimits(server.Limits{Requests: few}))
	for _, path := range []string{"/tokens", "/service/me", "/nothing"} {
		if a := s.Do("GET", path, s.Vars["member"], ""); a.Status == http.StatusTooManyRequests {
			t.Errorf("%s: %s", path, a.Body)
		}
	}
	for _, door := range doors {
		limited(t, door, s.Do("GET", door, s.Vars["member"], ""), "requests")
		for range 5 {
			if a := s.Do("GET", door, s.Vars["admin"], ""); a.Status == http.StatusTooManyRequests {
				t.Errorf("%s: an admin gets %s", door, a.Body)
			}
		}
	}
	for range 5 {
		expect(t, s, "GET", "/verify", s.Vars["member"], http.StatusNoContent)
		introspects(t, s, s.Vars["introspector"])
	}
}

func introspects(t *testing.T, s *harness.Server, credential string) {
	t.Helper()
	if a := introspection(s, credential); a.Status != http.StatusOK {
		t.Errorf("introspection is %d %s", a.Status, a.Body)
	}
}

func introspection(s *harness.Server, credential string) harness.Answer {
	return s.Do("POST", "/introspect", credential, "token=x", "Content-Type", "application/x-www-form-urlencoded")
}

// TestChecksOfACaller: they have limits only where these are set, and count alone.
func TestChecksOfACaller(t *testing.T) {
	s := harness.Start(t, withLimits(server.Limits{Checks: few, CheckFailures: few}))
	for range 3 {
		expect(t, s, "GET", "/verify", s.Vars["member"], http.StatusNoContent)
		introspects(t, s, s.Vars["introspector"])
	}
	limited(t, "/verify", s.Do("GET", "/verify", s.Vars["member"], ""), "checks")
	limited(t, "/verify/x", s.Do("POST", "/verify/x", s.Vars["member"], ""), "checks")
	limited(t, "/introspect", introspection(s, s.Vars["introspector"]), "checks")
	limited(t, "/introspect/batch", s.Do("POST", "/introspect/batch", s.Vars["introspector"], `{"tokens":[]}`), "checks")
	expect(t, s, "GET", "/tokens", s.Vars["member"], http.StatusOK)
	for range 5 {
		expect(t, s, "GET", "/verify", s.Vars["admin"], http.StatusNoContent)
		introspects(t, s, s.Vars["admin"])
	}
	for range 3 {
		expect(t, s, "GET", "/verify", "muninx_x", http.StatusUnauthorized)
	}
	limited(t, "a failure of /verify", s.Do("GET", "/verify", "muninx_x", ""), "check-failures")
	limited(t, "a failure of /introspect", introspection(s, "muninx_x"), "check-failures")
	expect(t, s, "GET", "/tokens", "muninx_x", http.StatusUnauthorized)
	expect(t, s, "GET", "/verify", s.Vars["admin"], http.StatusNoContent)
}

// TestLimitsOfAdmins apply where that is set.
func TestLimitsOfAdmins(t *testing.T) {
	s := harness.Start(t, withLimits(server.Limits{Requests: few, Admins: true}))
	for range 3 {
		expect(t, s, "GET", "/tokens", s.Vars["admin"], http.StatusOK)
	}
	limited(t, "an admin", s.Do("GET", "/tokens", s.Vars["admin"], ""), "requests")
}

// behind has the limits of a server whose proxy is this machine.
func behind(l server.Limits) harness.Options {
	return harness.Options{Configure: func(c *server.Config) {
		c.Limits = l
		c.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	}}
}

// TestForgedAddressesChangeNothing: neither without a proxy, nor to the left of what a proxy has added.
func TestForgedAddressesChangeNothing(t *testing.T) {
	s := harness.Start(t, withLimits(server.Limits{Failures: few}))
	for i := range 10 {
		forged := fmt.Sprintf("198.51.100.%d", i)
		a := s.Do("GET", "/tokens", "muninx_x", "", "X-Forwarded-For", forged, "Forwarded", "for="+forged, "X-Real-Ip", forged)
		if i < 3 && a.Status != http.StatusUnauthorized {
			t.Errorf("%d is %d", i, a.Status)
		}
		if i >= 3 {
			limited(t, forged, a, "failures")
		}
	}
	s = harness.Start(t, behind(server.Limits{Failures: few}))
	for i := range 10 {
		a := s.Do("GET", "/tokens", "muninx_x", "", "X-Forwarded-For", fmt.Sprintf("198.51.100.%d, 203.0.113.7", i))
		if i >= 3 {
			limited(t, "behind a proxy", a, "failures")
		}
	}
}

// TestClientsOfAProxyAreCountedAlone, and those of one network of IPv6 together.
func TestClientsOfAProxyAreCountedAlone(t *testing.T) {
	s := harness.Start(t, behind(server.Limits{Failures: few}))
	from := func(client string) harness.Answer {
		return s.Do("GET", "/tokens", "muninx_x", "", "X-Forwarded-For", client)
	}
	for i := range 4 {
		a, b := from("203.0.113.7"), from(fmt.Sprintf("2001:db8:0:1::%d", i))
		if i < 3 && (a.Status != http.StatusUnauthorized || b.Status != http.StatusUnauthorized) {
			t.Errorf("%d: %d %d", i, a.Status, b.Status)
		}
		if i == 3 {
			limited(t, "IPv4", a, "failures")
			limited(t, "IPv6", b, "failures")
		}
	}
	if a := from("203.0.113.8"); a.Status != http.StatusUnauthorized {
		t.Errorf("another client gets %d", a.Status)
	}
	if a := from("2001:db8:0:2::1"); a.Status != http.StatusUnauthorized {
		t.Errorf("another network gets %d", a.Status)
	}
}

// TestFailuresOfAPrefix: credentials that begin alike count together whatever the address; what is no credential does
// not.
func TestFailuresOfAPrefix(t *testing.T) {
	s := harness.Start(t, behind(server.Limits{PrefixFailures: few}))
	secret := token.Unleash.Secrets.New()
	client := 0
	try := func(credential string) harness.Answer {
		client++
		return s.Do("GET", "/api/admin/user/tokens", credential, "", "X-Forwarded-For", fmt.Sprintf("203.0.113.%d", client))
	}
	alike := func(n int) string { return fmt.Sprintf("%s%08x", secret[:len(secret)-8], n) }
	for n := range 3 {
		if a := try(alike(n)); a.Status != http.StatusUnauthorized {
			t.Errorf("%d is %d", n, a.Status)
		}
	}
	limited(t, "a fourth", try(alike(4)), "prefix-failures")
	if a := try(token.Unleash.Secrets.New()); a.Status != http.StatusUnauthorized {
		t.Errorf("another secret gets %d", a.Status)
	}
	for range 5 {
		if a := try("user:x"); a.Status != http.StatusUnauthorized {
			t.Errorf("what is no secret gets %d", a.Status)
		}
	}
	ours, id := issue(t, s, token.APIToken, s.Vars["member"], `{"token_scope":"account"}`)
	expect(t, s, "POST", "/api/v1/api_token/"+id+"/revoke", s.Vars["member"], http.StatusOK)
	for range 3 {
		expect(t, s, "GET", "/api/v1/api_token", ours, http.StatusUnauthorized)
	}
	limited(t, "a JWT", s.Do("GET", "/api/v1/api_token", ours, ""), "prefix-failures")
}
