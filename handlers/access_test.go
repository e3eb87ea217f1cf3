package handlers_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/harness"
)

// issue creates a token and returns its secret and its id.
func issue(t *testing.T, s *harness.Server, d *token.Dialect, credential, body string) (secret, id string) {
	t.Helper()
	paths := map[*token.Dialect]string{token.Muninx: "/tokens", token.APIToken: "/api/v1/api_token", token.Unleash: "/api/admin/user/tokens"}
	a := s.Do("POST", paths[d], credential, body)
	if a.Status != 200 && a.Status != 201 {
		t.Fatalf("%s %s: %d %s", d, body, a.Status, a.Body)
	}
	made := a.JSON()
	switch d {
	case token.Unleash:
		return made["secret"].(string), fmt.Sprintf("%.0f", made["id"])
	case token.APIToken:
		return made["token"].(string), made["details"].(map[string]any)["id"].(string)
	}
	return made["token"].(string), made["id"].(string)
}

func expect(t *testing.T, s *harness.Server, method, path, credential string, status int) harness.Answer {
	t.Helper()
	a := s.Do(method, path, credential, "")
	if a.Status != status {
		t.Errorf("%s %s: %d, want %d: %s", method, path, a.Status, status, a.Body)
	}
	return a
}

func TestWhatATokenDependsOn(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	v, admin := s.Vars, s.Vars["admin"]
	muninx, _ := issue(t, s, token.Muninx, v["member"], `{"name":"x"}`)
	pat, _ := issue(t, s, token.Unleash, v["member"], `{}`)
	account, _ := issue(t, s, token.APIToken, v["member"], `{"token_scope":"account"}`)
	environment, _ := issue(t, s, token.APIToken, v["member"], `{"token_scope":"environment","environment_id":"`+v["environment"]+`"}`)
	works := func(when string, want map[string]int) {
		t.Helper()
		for secret, name := range map[string]string{muninx: "muninx", pat: "pat", account: "account", environment: "environment"} {
			if a := s.Do("GET", "/service/me", secret, ""); a.Status != want[name] {
				t.Errorf("%s: the %s token gets %d, want %d", when, name, a.Status, want[name])
			}
		}
	}
	all := map[string]int{"muninx": 200, "pat": 200, "account": 200, "environment": 200}
	works("at first", all)
	for _, c := range []struct {
		path string
		want map[string]int
	}{
		{"/service/users/" + v["member_id"], map[string]int{"muninx": 401, "pat": 401, "account": 200, "environment": 200}},
		{"/service/accounts/" + v["account"], map[string]int{"muninx": 200, "pat": 200, "account": 401, "environment": 401}},
		{"/service/environments/" + v["environment"], map[string]int{"muninx": 200, "pat": 200, "account": 200, "environment": 401}},
		{"/service/environments/" + v["environment2"], all},
	} {
		expect(t, s, "POST", c.path+"/disable", admin, 200)
		works(c.path+" disabled", c.want)
		if strings.Contains(c.path, "accounts") {
			expect(t, s, "GET", "/api/v1/api_token", muninx, 403) // a disabled home account bars its members
			expect(t, s, "GET", "/tokens", muninx, 200)
			expect(t, s, "GET", "/api/v1/api_token", admin, 200)
			a := s.Do("POST", "/api/v1/api_token", admin, `{"token_scope":"account"}`)
			if a.Status != 400 || !strings.Contains(string(a.Body), "account_id") {
				t.Errorf("a create in a disabled account: %d %s", a.Status, a.Body)
			}
		}
		expect(t, s, "POST", c.path+"/enable", admin, 200)
		works(c.path+" enabled", all)
	}
}

func TestLastAdminStays(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	admin := s.Vars["admin"]
	expect(t, s, "POST", "/service/users/1/disable", admin, 409)
	a := s.Do("POST", "/service/users", admin, `{"subject":"second","name":"Second","role":"admin","account_id":"`+s.Vars["account"]+`"}`)
	if a.Status != 201 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	expect(t, s, "POST", "/service/users/1/disable", admin, 200)
	expect(t, s, "GET", "/service/me", admin, 401)
}

// TestReachOfApitoken asks for one token of each sort with a credential of each sort.
func TestReachOfApitoken(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	v := s.Vars
	body := func(environment string) string {
		if environment == "" {
			return `{"token_scope":"account"}`
		}
		return `{"token_scope":"environment","environment_id":"` + environment + `"}`
	}
	secrets, ids := map[string]string{}, map[string]string{}
	for name, by := range map[string][2]string{
		"account": {v["member"], ""}, "environment": {v["member"], v["environment"]},
		"environment2": {v["member"], v["environment2"]}, "other": {v["stranger"], ""},
	} {
		secrets[name], ids[name] = issue(t, s, token.APIToken, by[0], body(by[1]))
	}
	secrets["admin"], secrets["member"], secrets["introspector"] = v["admin"], v["member"], v["introspector"]
	inAccount := []string{"account", "environment", "environment2"}
	for caller, sees := range map[string][]string{
		"admin": {"account", "environment", "environment2", "other"}, "member": inAccount, "introspector": inAccount,
		"account": inAccount, "environment": {"environment"}, "other": {"other"},
	} {
		for name, id := range ids {
			status := 404
			for _, seen := range sees {
				if seen == name {
					status = 200
				}
			}
			expect(t, s, "GET", "/api/v1/api_token/"+id, secrets[caller], status)
		}
		list := expect(t, s, "GET", "/api/v1/api_token", secrets[caller], 200).JSON()["details"].([]any)
		if len(list) != len(sees) {
			t.Errorf("%s lists %d tokens, want %d", caller, len(list), len(sees))
		}
		foreign := expect(t, s, "GET", "/api/v1/api_token?account_id="+v["other_account"], secrets[caller], 200).JSON()["details"].([]any)
		if want := map[string]int{"admin": 1, "other": 1}[caller]; len(foreign) != want {
			t.Errorf("%s lists %d tokens of the other account, want %d", caller, len(foreign), want)
		}
	}
	for _, action := range []string{"suspend", "activate"} {
		expect(t, s, "POST", "/api/v1/api_token/"+ids["environment2"]+"/"+action, secrets["account"], 403)
	}
	expect(t, s, "DELETE", "/api/v1/api_token/"+ids["environment2"], secrets["account"], 403)
	expect(t, s, "POST", "/api/v1/api_token/"+ids["environment2"]+"/revoke", secrets["environment"], 404)
	expect(t, s, "POST", "/api/v1/api_token/"+ids["environment2"]+"/revoke", secrets["account"], 200)
	for _, path := range []string{"/service/users", "/service/accounts", "/service/environments"} {
		for _, caller := range []string{"member", "introspector", "account", "environment"} {
			expect(t, s, "GET", path, secrets[caller], 403)
		}
	}
}

func TestExpiry(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	soon := s.Service.Now().Add(time.Hour).Format(time.RFC3339)
	secret, id := issue(t, s, token.APIToken, s.Vars["admin"], `{"token_scope":"account","expires_at":"`+soon+`"}`)
	pat, patID := issue(t, s, token.Unleash, s.Vars["member"], `{"expiresAt":"`+soon+`"}`)
	expect(t, s, "GET", "/service/me", secret, 200)
	expect(t, s, "GET", "/service/me", pat, 200)
	s.Advance(time.Hour)
	expect(t, s, "GET", "/service/me", secret, 401)
	expect(t, s, "GET", "/service/me", pat, 401)
	details := expect(t, s, "GET", "/api/v1/api_token/"+id, s.Vars["admin"], 200).JSON()["details"].(map[string]any)
	actions := details["available_actions"].(map[string]any)
	if details["status"] != "expired" || actions["delete"] != true || actions["activate"] != false || actions["revoke"] != false {
		t.Errorf("expired: %v", details)
	}
	expect(t, s, "POST", "/api/v1/api_token/"+id+"/revoke", s.Vars["admin"], 409)
	expired := expect(t, s, "GET", "/api/v1/api_token?status=expired", s.Vars["admin"], 200).JSON()["details"].([]any)
	if len(expired) != 1 {
		t.Errorf("%d expired tokens listed", len(expired))
	}
	expect(t, s, "DELETE", "/api/v1/api_token/"+id, s.Vars["admin"], 204)
	pats := expect(t, s, "GET", "/api/admin/user/tokens", s.Vars["member"], 200).JSON()["pats"].([]any)
	if len(pats) != 1 { // expired ones are listed
		t.Errorf("%d PATs listed", len(pats))
	}
	expect(t, s, "DELETE", "/api/admin/user/tokens/"+patID, s.Vars["member"], 200)
}

// TestMintedTokensShrink follows a chain of tokens whose first one is short.
func TestMintedTokensShrink(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	soon := s.Service.Now().Add(time.Hour).Truncate(time.Second)
	parent, parentID := issue(t, s, token.Unleash, s.Vars["admin"], `{"expiresAt":"`+soon.Format(time.RFC3339)+`"}`)
	_, id := issue(t, s, token.APIToken, parent, `{"token_scope":"account"}`)
	details := expect(t, s, "GET", "/api/v1/api_token/"+id, s.Vars["admin"], 200).JSON()["details"].(map[string]any)
	if details["expires_at"] != soon.Format(time.RFC3339) {
		t.Errorf("the minted token expires at %v, its parent at %v", details["expires_at"], soon)
	}
	late := soon.Add(time.Second).Format(time.RFC3339)
	for path, body := range map[string]string{
		"/api/v1/api_token":      `{"token_scope":"account","expires_at":"` + late + `"}`,
		"/api/admin/user/tokens": `{"expiresAt":"` + late + `"}`,
	} {
		if a := s.Do("POST", path, parent, body); a.Status != 400 || !strings.Contains(string(a.Body), "latest") {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
	}
	expect(t, s, "DELETE", "/api/admin/user/tokens/"+parentID, parent, 200)
	if a := s.Do("POST", "/tokens", parent, `{"name":"orphan"}`); a.Status != 401 {
		t.Errorf("a deleted token mints: %d", a.Status)
	}
}

// TestLimitsAreExact sends creates of one user all at once.
func TestLimitsAreExact(t *testing.T) {
	harness.Databases(t, func(t *testing.T, databaseURL string) {
		s := harness.Start(t, harness.Options{DatabaseURL: databaseURL})
		race := func(credential string, n int, body func(i int) string) map[int]int {
			var mu sync.Mutex
			var wg sync.WaitGroup
			counts := map[int]int{}
			for i := range n {
				wg.Go(func() {
					a, err := s.Try("POST", "/api/admin/user/tokens", credential, body(i))
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					defer mu.Unlock()
					counts[a.Status]++
				})
			}
			wg.Wait()
			return counts
		}
		counts := race(s.Vars["member"], 24, func(i int) string { return fmt.Sprintf(`{"description":"d%d"}`, i) })
		if counts[201] != 10 || counts[403] != 14 {
			t.Errorf("24 creates against a limit of 10: %v", counts)
		}
		counts = race(s.Vars["stranger"], 16, func(int) string { return `{"description":"same"}` })
		if counts[201] != 1 || counts[409] != 15 {
			t.Errorf("16 creates of one description: %v", counts)
		}
		// Past expiry comes before the limit, the limit before the description.
		if a := s.Do("POST", "/api/admin/user/tokens", s.Vars["member"], `{"description":"d0","expiresAt":"2020-01-01T00:00:00Z"}`); a.Status != 400 {
			t.Errorf("past expiry at the limit: %d", a.Status)
		}
		if a := s.Do("POST", "/api/admin/user/tokens", s.Vars["member"], `{"description":"d0"}`); a.Status != http.StatusForbidden {
			t.Errorf("a taken description at the limit: %d", a.Status)
		}
	})
}

// TestLastUse shows a use at once, and in the database after a flush.
func TestLastUse(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	pat, id := issue(t, s, token.Unleash, s.Vars["member"], `{}`)
	seen := func() any {
		return expect(t, s, "GET", "/api/admin/user/tokens/"+id, s.Vars["member"], 200).JSON()["seenAt"]
	}
	if got := seen(); got != nil {
		t.Errorf("seen before its first use: %v", got)
	}
	expect(t, s, "GET", "/service/me", pat, 200)
	noted := seen()
	if noted == nil {
		t.Error("the use is not noted")
	}
	if err := s.Service.FlushUses(t.Context()); err != nil {
		t.Fatal(err)
	}
	stored, err := s.DB.Find(t.Context(), token.Ref{Dialect: token.Unleash, ID: id})
	if err != nil || stored.LastUsedAt.IsZero() {
		t.Errorf("the use is not stored: %v %v", stored.LastUsedAt, err)
	}
	if got := seen(); got != noted {
		t.Errorf("the use changed from %v to %v", noted, got)
	}
}

// TestAdminTakesOverASuspension: an owner who suspends first cannot keep the token from an admin's suspension.
func TestAdminTakesOverASuspension(t *testing.T) {
	harness.Databases(t, func(t *testing.T, databaseURL string) {
		s := harness.Start(t, harness.Options{DatabaseURL: databaseURL})
		owner, admin := s.Vars["member"], s.Vars["admin"]
		_, id := issue(t, s, token.APIToken, owner, `{"token_scope":"account"}`)
		own, all := "/api/v1/api_token/"+id, "/service/tokens/apitoken/"+id
		expect(t, s, "POST", own+"/suspend", owner, 200)
		expect(t, s, "POST", own+"/suspend", owner, 409)
		taken := expect(t, s, "POST", all+"/suspend", admin, 200).JSON()
		if taken["suspended_by_admin"] != true || taken["status"] != "suspended" {
			t.Errorf("%v", taken)
		}
		expect(t, s, "POST", all+"/suspend", admin, 409)
		expect(t, s, "POST", own+"/activate", owner, 403)
		expect(t, s, "POST", own+"/activate", admin, 200)
		expect(t, s, "POST", own+"/suspend", admin, 200)
		expect(t, s, "POST", own+"/activate", owner, 403)
	})
}
