package handlers_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/jwt"
	"github.com/tokenwright/tokenwright/internal/server"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/harness"
)

// patch changes a user and returns the answer.
func patch(t *testing.T, s *harness.Server, id, credential, body string, status int) harness.Answer {
	t.Helper()
	a := s.Do("PATCH", "/service/users/"+id, credential, body)
	if a.Status != status {
		t.Errorf("%s: %d, want %d: %s", body, a.Status, status, a.Body)
	}
	return a
}

func TestUsersChange(t *testing.T) {
	harness.Databases(t, func(t *testing.T, databaseURL string) {
		s := harness.Start(t, harness.Options{DatabaseURL: databaseURL})
		v, admin, id := s.Vars, s.Vars["admin"], s.Vars["member_id"]
		expect(t, s, "GET", "/service/users", v["member"], 403)
		got := patch(t, s, id, admin, `{"role":"admin"}`, 200).JSON()
		if got["role"] != "admin" || got["account_id"] != v["account"] || got["updated_at"] == got["created_at"] {
			t.Errorf("%v", got)
		}
		expect(t, s, "GET", "/service/users", v["member"], 200) // what the token may do follows at once
		patch(t, s, id, admin, `{"role":"member"}`, 200)
		expect(t, s, "GET", "/service/users", v["member"], 403)

		_, wide := issue(t, s, token.APIToken, admin, `{"token_scope":"account","account_id":"`+v["other_account"]+`"}`)
		expect(t, s, "GET", "/api/v1/api_token/"+wide, v["member"], 404)
		patch(t, s, id, admin, `{"account_id":"`+v["other_account"]+`"}`, 200)
		expect(t, s, "GET", "/api/v1/api_token/"+wide, v["member"], 200)
		if me := expect(t, s, "GET", "/service/me", v["member"], 200).JSON(); me["account"].(map[string]any)["id"] != v["other_account"] {
			t.Errorf("%v", me)
		}

		before := expect(t, s, "GET", "/service/users/"+id, admin, 200)
		if after := patch(t, s, id, admin, `{}`, 200); string(after.Body) != string(before.Body) {
			t.Errorf("nothing was to change: %s, %s", before.Body, after.Body)
		}
		patch(t, s, "1", admin, `{"role":"member"}`, 409) // the last enabled admin
		patch(t, s, "1", admin, `{"role":"admin"}`, 200)
		patch(t, s, id, admin, `{"role":"admin"}`, 200)
		patch(t, s, "1", admin, `{"role":"introspector"}`, 200)
		patch(t, s, id, admin, `{"role":"member"}`, 403)
		patch(t, s, id, v["member"], `{"role":"member"}`, 409)
		patch(t, s, "1", v["member"], `{"role":"admin"}`, 200)
		for body, member := range map[string]string{
			`{"role":"boss"}`: "/role", `{"account_id":"nowhere"}`: "/account_id", `{"role":null}`: "/role",
			`{"account_id":"` + strings.Repeat("0", 32) + `","role":7}`: "/role",
		} {
			if a := patch(t, s, id, admin, body, 400); !strings.Contains(string(a.Body), member) {
				t.Errorf("%s: %s", body, a.Body)
			}
		}
		patch(t, s, "999", admin, `{"role":"member"}`, 404)
		patch(t, s, id, v["stranger"], `{"role":"admin"}`, 403)
	})
}

// TestOffboarding: what somebody who leaves has created is listed, and stops if that is asked for.
func TestOffboarding(t *testing.T) {
	harness.Databases(t, func(t *testing.T, databaseURL string) {
		s := harness.Start(t, harness.Options{DatabaseURL: databaseURL})
		admin, member, id := s.Vars["admin"], s.Vars["member"], s.Vars["member_id"]
		const many = 103 // more than one answer lists
		var secrets, ids []string
		for range many {
			secret, id := issue(t, s, token.APIToken, member, `{"token_scope":"account"}`)
			secrets, ids = append(secrets, secret), append(ids, id)
		}
		_, foreign := issue(t, s, token.APIToken, admin, `{"token_scope":"account"}`)
		expect(t, s, "POST", "/api/v1/api_token/"+ids[0]+"/suspend", member, 200)
		expect(t, s, "POST", "/api/v1/api_token/"+ids[1]+"/revoke", member, 200)

		// One of them makes another, and that one a third, which notes nobody as its maker.
		child, childID := issue(t, s, token.APIToken, secrets[3], `{"token_scope":"account"}`)
		grandchild, _ := issue(t, s, token.APIToken, child, `{"token_scope":"account"}`)

		listed := expect(t, s, "POST", "/service/users/"+id+"/disable", admin, 200).JSON()
		created := listed["created_tokens"].([]any)
		next, _ := listed["created_tokens_next_cursor"].(string)
		if len(created) != 100 || next == "" || listed["disabled"] != true || created[1].(map[string]any)["id"] != childID {
			t.Fatalf("%d tokens, next %q: %v", len(created), next, created[:2])
		}
		rest := expect(t, s, "GET", "/service/tokens?dialect=apitoken&created_by_user_id="+id+"&cursor="+next, admin, 200).JSON()
		if n := len(rest["items"].([]any)); n != many+2-100 {
			t.Errorf("%d tokens on the second page", n)
		}
		expect(t, s, "GET", "/service/me", grandchild, 200)
		expect(t, s, "GET", "/service/me", secrets[2], 200)

		expect(t, s, "POST", "/service/users/"+id+"/disable?created=true", admin, 200)
		for i, secret := range secrets {
			if i == 0 || i == 2 || i == many-1 {
				expect(t, s, "GET", "/service/me", secret, 401)
				got := expect(t, s, "GET", "/service/tokens/apitoken/"+ids[i], admin, 200).JSON()
				if got["status"] != "suspended" || got["suspended_by_admin"] != true {
					t.Errorf("token %d: %v", i, got)
				}
			}
		}
		expect(t, s, "GET", "/service/me", child, 401)
		expect(t, s, "GET", "/service/me", grandchild, 401)
		for id, want := range map[string]string{ids[1]: "revoked", foreign: "active"} {
			if got := expect(t, s, "GET", "/service/tokens/apitoken/"+id, admin, 200).JSON(); got["status"] != want {
				t.Errorf("%v, want %s", got, want)
			}
		}
		expect(t, s, "POST", "/service/users/"+id+"/enable", admin, 200)
		expect(t, s, "POST", "/api/v1/api_token/"+ids[2]+"/activate", member, 403) // an admin did it
		expect(t, s, "POST", "/service/users/"+id+"/disable?created=true", member, 403)

		// Whoever makes credentials for others leaves them behind: they are listed, and those others keep them.
		patch(t, s, id, admin, `{"role":"admin"}`, 200)
		made := s.Do("POST", "/service/users/"+s.Vars["stranger_id"]+"/tokens", member, `{"name":"theirs"}`).JSON()
		expect(t, s, "POST", "/service/users/"+id+"/disable?created=true", member, 409) // itself
		expect(t, s, "GET", "/service/me", member, 200)
		stays, _ := issue(t, s, token.APIToken, made["token"].(string), `{"token_scope":"account"}`)
		listed = expect(t, s, "POST", "/service/users/"+id+"/disable?created=true", admin, 200).JSON()
		expect(t, s, "GET", "/service/me", stays, 200)
		if first := listed["created_tokens"].([]any)[0].(map[string]any); first["id"] != made["id"] || first["dialect"] != "muninx" {
			t.Errorf("%v", first)
		}
		expect(t, s, "GET", "/service/me", made["token"].(string), 200)
	})
}

// TestFederatedCallersMintNothingForEver: what an issuer's JWT makes has an end, whatever chain of tokens it is made by.
func TestFederatedCallersMintNothingForEver(t *testing.T) {
	i := startIssuer(t)
	const day = 24 * time.Hour
	s := harness.Start(t, harness.Options{Configure: func(c *server.Config) {
		i.trusted(c)
		c.FederatedMaxLifetime = 90 * day
	}})
	body := fmt.Sprintf(`{"subject":"alice","name":"x","role":"admin","account_id":%q,"issuer":%q}`, s.Vars["account"], i.URL)
	if a := s.Do("POST", "/service/users", s.Vars["admin"], body); a.Status != http.StatusCreated {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	latest := s.Service.Now().Add(90*day + time.Minute)
	ends := func(what, secret string) {
		t.Helper()
		end, err := time.Parse(time.RFC3339, fmt.Sprint(expect(t, s, "GET", "/service/me", secret, 200).JSON()["expires_at"]))
		if err != nil || end.After(latest) {
			t.Errorf("%s ends at %v (%v)", what, end, err)
		}
	}
	first, _ := issue(t, s, token.Muninx, i.jwt(t, nil), `{"name":"first"}`)
	ends("a muninx token", first)
	second, _ := issue(t, s, token.Muninx, first, `{"name":"second"}`)
	ends("what it made", second)
	account, _ := issue(t, s, token.APIToken, i.jwt(t, nil), `{"token_scope":"account"}`)
	ends("an apitoken token", account)
	late := s.Service.Now().Add(91 * day).Format(time.RFC3339)
	for path, body := range map[string]string{
		"/api/v1/api_token":      `{"token_scope":"account","expires_at":"` + late + `"}`,
		"/api/admin/user/tokens": `{"expiresAt":"` + late + `"}`,
	} {
		if a := s.Do("POST", path, i.jwt(t, nil), body); a.Status != 400 || !strings.Contains(string(a.Body), "latest") {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
		if a := s.Do("POST", path, s.Vars["admin"], body); a.Status >= 300 {
			t.Errorf("%s by a token: %d %s", path, a.Status, a.Body)
		}
	}
}

// TestListsTellTheVerdictOfACheck compares what lists say with what checks say, while what tokens depend on goes and comes
// back.
func TestListsTellTheVerdictOfACheck(t *testing.T) {
	harness.Databases(t, func(t *testing.T, databaseURL string) {
		s := harness.Start(t, harness.Options{DatabaseURL: databaseURL})
		v, admin := s.Vars, s.Vars["admin"]
		secrets := map[string]string{} // by dialect and id
		make := func(d *token.Dialect, body string) string {
			secret, id := issue(t, s, d, v["member"], body)
			secrets[d.Name+"/"+id] = secret
			return id
		}
		muninx, pat := make(token.Muninx, `{"name":"x"}`), make(token.Unleash, `{}`)
		wide, narrow := make(token.APIToken, `{"token_scope":"account"}`), make(token.APIToken, `{"token_scope":"environment","environment_id":"`+v["environment"]+`"}`)
		suspended := make(token.APIToken, `{"token_scope":"account"}`)
		expect(t, s, "POST", "/api/v1/api_token/"+suspended+"/suspend", v["member"], 200)
		kid := expect(t, s, "GET", "/service/tokens/apitoken/"+wide, admin, 200).JSON()["key"].(string)

		check := func(when string, because map[string]string) {
			t.Helper()
			seen := map[string]bool{}
			for _, usable := range []string{"true", "false"} {
				for _, entry := range expect(t, s, "GET", "/service/tokens?limit=100&usable="+usable, admin, 200).JSON()["items"].([]any) {
					item := entry.(map[string]any)
					name := fmt.Sprint(item["dialect"], "/", item["id"])
					secret, ours := secrets[name]
					if !ours {
						continue
					}
					seen[name] = true
					a, err := s.Try("GET", "/verify", secret, "")
					works := err == nil && a.Status == http.StatusNoContent
					if fmt.Sprint(item["usable"]) != usable || works != (usable == "true") {
						t.Errorf("%s: %s is usable=%v in the list of %s, and a check says %d", when, name, item["usable"], usable, a.Status)
					}
					want, reason := because[name], item["because"]
					if reason == nil && want != "" || reason != nil && reason != want {
						t.Errorf("%s: %s because of %v, want %q", when, name, reason, want)
					}
					if (item["key"] == kid) != (item["dialect"] == "apitoken") {
						t.Errorf("%s: %s has the key %v", when, name, item["key"])
					}
					one := expect(t, s, "GET", "/service/tokens/"+name, admin, 200).JSON()
					if one["usable"] != item["usable"] || one["because"] != reason {
						t.Errorf("%s: %s by itself: %v", when, name, one)
					}
				}
			}
			if len(seen) != len(secrets) {
				t.Errorf("%s: %d of %d tokens are listed", when, len(seen), len(secrets))
			}
		}
		check("at first", nil)
		for path, because := range map[string]map[string]string{
			"/service/users/" + v["member_id"]:          {"muninx/" + muninx: "user_disabled", "unleash/" + pat: "user_disabled"},
			"/service/accounts/" + v["account"]:         {"apitoken/" + wide: "account_disabled", "apitoken/" + narrow: "account_disabled"},
			"/service/environments/" + v["environment"]: {"apitoken/" + narrow: "environment_disabled"},
		} {
			expect(t, s, "POST", path+"/disable", admin, 200)
			check(path, because)
			expect(t, s, "POST", path+"/enable", admin, 200)
		}
		signed := expect(t, s, "GET", "/service/tokens?key="+kid, admin, 200).JSON()["items"].([]any)
		none := expect(t, s, "GET", "/service/tokens?key=unknown", admin, 200).JSON()["items"].([]any)
		if len(signed) != 3 || len(none) != 0 {
			t.Errorf("%d tokens of the key, %d of another", len(signed), len(none))
		}
		// Another server has other keys: for it those of this one are gone.
		others, err := jwt.Ephemeral(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		s.Service.Signer = others
		s.Service.Changed(token.Change{})
		check("without the key", map[string]string{"apitoken/" + wide: "key_retired", "apitoken/" + narrow: "key_retired"})
	})
}
