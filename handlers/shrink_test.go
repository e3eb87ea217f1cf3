package handlers_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/server"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/harness"
)

// TestLoweredRoleStaysLow mints with a credential whose issuer takes the admin's role away, and mints again with what
// was minted.
func TestLoweredRoleStaysLow(t *testing.T) {
	i := startIssuer(t)
	s := harness.Start(t, harness.Options{Configure: func(c *server.Config) {
		i.trusted(c)
		c.OIDC.RoleClaim, c.OIDC.Roles = "groups", map[string]token.Role{"ops": token.RoleAdmin}
	}})
	body := fmt.Sprintf(`{"subject":"alice","name":"x","role":"admin","account_id":%q,"issuer":%q}`, s.Vars["account"], i.URL)
	if a := s.Do("POST", "/service/users", s.Vars["admin"], body); a.Status != http.StatusCreated {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	low, high := i.jwt(t, map[string]any{"groups": []string{"nothing"}}), i.jwt(t, map[string]any{"groups": []string{"ops"}})
	expect(t, s, "GET", "/service/users", low, 403)
	expect(t, s, "GET", "/service/users", high, 200)
	minted, _ := issue(t, s, token.Muninx, low, `{"name":"low"}`)
	expect(t, s, "GET", "/service/users", minted, 403)
	again, _ := issue(t, s, token.Unleash, minted, `{"description":"lower"}`)
	expect(t, s, "GET", "/service/users", again, 403)
	full, _ := issue(t, s, token.Muninx, high, `{"name":"high"}`)
	expect(t, s, "GET", "/service/users", full, 200)
}

// TestDisabledUserMintsNothing is what a create finds that was authenticated before its user was disabled.
func TestDisabledUserMintsNothing(t *testing.T) {
	harness.Databases(t, func(t *testing.T, databaseURL string) {
		s := harness.Start(t, harness.Options{DatabaseURL: databaseURL})
		caller, err := s.Service.Authenticate(t.Context(), s.Vars["member"])
		if err != nil {
			t.Fatal(err)
		}
		expect(t, s, "POST", "/service/users/"+s.Vars["member_id"]+"/disable", s.Vars["admin"], 200)
		federated := caller
		federated.Token = nil
		for _, c := range []token.Caller{caller, federated} {
			for _, d := range []token.Draft{{Dialect: token.APIToken, Scope: token.ScopeAccount}, {Dialect: token.Muninx, Name: "x"}, {Dialect: token.Unleash}} {
				if _, _, err := s.Service.Create(t.Context(), c, d); token.KindOf(err) != token.CredentialInvalid {
					t.Errorf("%s: %v", d.Dialect, err)
				}
			}
		}
	})
}

// TestFirstCredentialOfAUser gives a local user its first token.
func TestFirstCredentialOfAUser(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	admin := s.Vars["admin"]
	made := s.Do("POST", "/service/users", admin, `{"subject":"sam","name":"Sam","role":"member","account_id":"`+s.Vars["account"]+`"}`).JSON()
	path := fmt.Sprintf("/service/users/%.0f", made["id"])
	a := s.Do("POST", path+"/tokens", admin, `{"name":"first credential"}`)
	if a.Status != http.StatusCreated {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	secret := a.JSON()["token"].(string)
	me := expect(t, s, "GET", "/service/me", secret, 200).JSON()
	if me["role"] != "member" || me["user"].(map[string]any)["subject"] != "sam" {
		t.Errorf("%v", me)
	}
	expect(t, s, "GET", "/service/users", secret, 403)
	if a := s.Do("POST", path+"/tokens", secret, `{"name":"x"}`); a.Status != 403 {
		t.Errorf("a member makes a token for a user: %d", a.Status)
	}
	for _, id := range []string{"999", "0", "-1"} {
		if a := s.Do("POST", "/service/users/"+id+"/tokens", admin, `{"name":"x"}`); a.Status != 404 {
			t.Errorf("user %s: %d", id, a.Status)
		}
	}
	// It lives no longer than the credential that made it.
	soon := s.Service.Now().Add(time.Hour).Format(time.RFC3339)
	short, _ := issue(t, s, token.Unleash, admin, `{"expiresAt":"`+soon+`"}`)
	if got := s.Do("POST", path+"/tokens", short, `{"name":"short"}`).JSON()["expires_at"]; got == nil {
		t.Error("the token outlives the one that made it")
	}
	expect(t, s, "POST", path+"/disable", admin, 200)
	if a := s.Do("POST", path+"/tokens", admin, `{"name":"x"}`); a.Status != 409 {
		t.Errorf("a disabled user: %d", a.Status)
	}
}

// TestExpiriesThatCannotBe are the zero values of clients, and a parent that ends within the second.
func TestExpiriesThatCannotBe(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	for path, body := range map[string]string{
		"/api/v1/api_token":      `{"token_scope":"account","expires_at":%q}`,
		"/api/admin/user/tokens": `{"expiresAt":%q}`,
	} {
		for _, when := range []string{"0001-01-01T00:00:00Z", "0001-01-01T01:00:00+01:00", "0000-01-01T00:00:00Z", "1970-01-01T00:00:00Z"} {
			a := s.Do("POST", path, s.Vars["admin"], fmt.Sprintf(body, when))
			if a.Status != 400 || !strings.Contains(string(a.Body), "must be in the future") {
				t.Errorf("%s %s: %d %s", path, when, a.Status, a.Body)
			}
		}
	}
	end := s.Service.Now().Truncate(time.Second).Add(10*time.Second + 900*time.Millisecond)
	short, _ := issue(t, s, token.Unleash, s.Vars["admin"], `{"expiresAt":"`+end.Format("2006-01-02T15:04:05.000Z")+`"}`)
	s.Advance(end.Sub(s.Service.Now()) - 500*time.Millisecond)
	if a := s.Do("POST", "/api/v1/api_token", short, `{"token_scope":"account"}`); a.Status != 400 {
		t.Errorf("a token that would be issued expired: %d %s", a.Status, a.Body)
	}
}

// TestParametersThatNoDatabaseTakes asks both databases for what they cannot hold, and for second spellings.
func TestParametersThatNoDatabaseTakes(t *testing.T) {
	harness.Databases(t, func(t *testing.T, databaseURL string) {
		s := harness.Start(t, harness.Options{DatabaseURL: databaseURL})
		for _, path := range []string{
			"/api/v1/api_token?account_id=%00", "/api/v1/api_token?environment_id=a%00b", "/api/v1/api_token?account_id=%ff",
			"/service/tokens?account_id=%00", "/service/tokens?environment_id=%ff", "/tokens?limit=%zz", "/tokens?limit=1;cursor=x",
			"/tokens?cursor=%00", "/api/admin/user/tokens/+4", "/api/admin/user/tokens/04", "/service/users/01",
		} {
			expect(t, s, "GET", path, s.Vars["admin"], 400)
		}
		for _, path := range []string{"/tokens/%00", "/api/v1/api_token/%00", "/service/accounts/%00", "/service/tokens/muninx/%ff"} {
			expect(t, s, "GET", path, s.Vars["admin"], 404)
		}
		accounts := expect(t, s, "GET", "/service/accounts?limit=1", s.Vars["admin"], 200).JSON()["next_cursor"].(string)
		expect(t, s, "GET", "/service/environments?cursor="+accounts, s.Vars["admin"], 400)
		cursor := expect(t, s, "GET", "/service/tokens?limit=1", s.Vars["admin"], 200).JSON()["next_cursor"].(string)
		expect(t, s, "GET", "/api/v1/api_token?cursor="+cursor, s.Vars["admin"], 400)
		expect(t, s, "GET", "/api/admin/user/tokens?cursor="+cursor, s.Vars["admin"], 400)
	})
}
