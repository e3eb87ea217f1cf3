package handlers_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/harness"
)

// landmarks are requests that show how far a credential reaches: each is for something that somebody has.
type landmarks []struct{ method, path, body string }

func newLandmarks(t *testing.T, s *harness.Server) landmarks {
	t.Helper()
	l := landmarks{
		{"GET", "/service/users", ""}, {"GET", "/service/accounts/" + s.Vars["other_account"], ""}, {"GET", "/service/tokens?limit=1", ""},
		{"POST", "/introspect/batch", `{"tokens":["` + s.Vars["member"] + `"]}`},
	}
	for name, environments := range map[string][]string{
		"member": {s.Vars["environment"], s.Vars["environment2"]}, "stranger": {s.Vars["other_environment"]}, "admin": {s.Vars["environment"]},
		"introspector": nil,
	} {
		_, id := issue(t, s, token.Muninx, s.Vars[name], `{"name":"landmark"}`)
		l = append(l, landmarks{{"GET", "/tokens/" + id, ""}}...)
		_, id = issue(t, s, token.Unleash, s.Vars[name], `{"description":"landmark"}`)
		l = append(l, landmarks{{"GET", "/api/admin/user/tokens/" + id, ""}}...)
		_, id = issue(t, s, token.APIToken, s.Vars[name], `{"token_scope":"account"}`)
		l = append(l, landmarks{{"GET", "/api/v1/api_token/" + id, ""}}...)
		for _, environment := range environments {
			_, id = issue(t, s, token.APIToken, s.Vars[name], `{"token_scope":"environment","environment_id":"`+environment+`"}`)
			l = append(l, landmarks{{"GET", "/api/v1/api_token/" + id, ""}}...)
		}
	}
	return l
}

// reach are the landmarks that the credential gets to, by number.
func (l landmarks) reach(s *harness.Server, credential string) (reached []int) {
	for i, mark := range l {
		if a := s.Do(mark.method, mark.path, credential, mark.body); a.Status == http.StatusOK {
			reached = append(reached, i)
		}
	}
	return reached
}

// end is when the credential expires; the zero time is never.
func end(t *rapid.T, s *harness.Server, credential string) (at time.Time) {
	a := s.Do("GET", "/service/me", credential, "")
	if a.Status != http.StatusOK {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	if text, ok := a.JSON()["expires_at"].(string); ok {
		var err error
		if at, err = time.Parse(time.RFC3339, text); err != nil {
			t.Fatal(err)
		}
	}
	return at
}

// mint draws a create and sends it with the credential. The secret is "" where that is refused.
func mint(t *rapid.T, s *harness.Server, credential string, n int) string {
	expiry := "null"
	if hours := rapid.IntRange(-1, 30*24).Draw(t, "hours"); hours >= 0 {
		expiry = `"` + s.Service.Now().Add(time.Duration(hours+1)*time.Hour).Format(time.RFC3339) + `"`
	}
	v := s.Vars
	environment := rapid.SampledFrom([]string{v["environment"], v["environment2"], v["other_environment"]}).Draw(t, "environment")
	account := rapid.SampledFrom([]string{v["account"], v["account"], v["other_account"]}).Draw(t, "account")
	create := rapid.SampledFrom([][2]string{
		{"/tokens", `{"name":"link"}`},
		{"/api/admin/user/tokens", fmt.Sprintf(`{"description":"link %d","expiresAt":%s}`, n, expiry)},
		{"/api/admin/user/tokens", fmt.Sprintf(`{"description":"link %d"}`, n)},
		{"/api/v1/api_token", `{"token_scope":"account","expires_at":` + expiry + `}`},
		{"/api/v1/api_token", `{"token_scope":"account","account_id":"` + account + `","expires_at":` + expiry + `}`},
		{"/api/v1/api_token", `{"token_scope":"environment","environment_id":"` + environment + `","expires_at":` + expiry + `}`},
		{"/service/users/1/tokens", `{"name":"link","expires_at":` + expiry + `}`},
	}).Draw(t, "create")
	a := s.Do("POST", create[0], credential, create[1])
	if a.Status >= 300 {
		if a.Status >= 500 || a.Status == http.StatusUnauthorized {
			t.Fatalf("%s %s: %d %s", create[0], create[1], a.Status, a.Body)
		}
		return ""
	}
	if secret, ok := a.JSON()["secret"].(string); ok {
		return secret
	}
	return a.JSON()["token"].(string)
}

// TestMintingChains has tokens make tokens that make tokens: none lives longer than the one that made it, and none
// reaches what that does not reach.
func TestMintingChains(t *testing.T) {
	s := harness.Start(t, harness.Options{Configure: unlimited, Unchecked: true})
	l := newLandmarks(t, s)
	made, reaches := 0, map[int]int{}
	rapid.Check(t, func(t *rapid.T) {
		parent := s.Vars[rapid.SampledFrom([]string{"admin", "member", "introspector"}).Draw(t, "root")]
		reach, until := l.reach(s, parent), end(t, s, parent)
		for range 4 {
			made++
			child := mint(t, s, parent, made)
			if child == "" {
				continue
			}
			childReach, childUntil := l.reach(s, child), end(t, s, child)
			if !until.IsZero() && (childUntil.IsZero() || childUntil.After(until)) {
				t.Fatalf("a token that ends at %v made one that ends at %v", until, childUntil)
			}
			for _, mark := range childReach {
				if !slices.Contains(reach, mark) {
					t.Fatalf("a token made one that can %s %s, which it cannot itself", l[mark].method, l[mark].path)
				}
			}
			parent, reach, until = child, childReach, childUntil
			reaches[len(reach)]++
		}
	})
	t.Logf("%d creates; tokens by how many of %d landmarks they reach: %v", made, len(l), reaches)
	if len(reaches) < 4 {
		t.Error("the chains do not differ enough to say anything")
	}
}
