package handlers_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/harness"
)

// rotate gives a token of the member another secret and returns it.
func rotate(t *testing.T, s *harness.Server, path, overlap string) string {
	t.Helper()
	a := s.Do("POST", path+"/rotate", s.Vars["member"], `{"overlap":"`+overlap+`"}`)
	if a.Status != http.StatusOK || a.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	return a.JSON()["token"].(string)
}

// jti is that of a JWT.
func jti(t *testing.T, jwt string) string {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(jwt, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims struct{ JTI string }
	if err := json.Unmarshal(text, &claims); err != nil {
		t.Fatal(err)
	}
	return claims.JTI
}

// TestStatusListFollowsRotations: each JWT has a place of its own; that of one which was replaced says revoked when the
// overlap is over, though nothing is written then.
func TestStatusListFollowsRotations(t *testing.T) {
	harness.Databases(t, func(t *testing.T, databaseURL string) {
		s := harness.Start(t, harness.Options{DatabaseURL: databaseURL})
		first, id := issue(t, s, token.APIToken, s.Vars["member"], `{"token_scope":"account"}`)
		path := "/service/tokens/apitoken/" + id
		all := []string{first}
		says := func(what string, want ...byte) {
			t.Helper()
			for i, jwt := range all {
				if got := statusOf(t, s, jwt); got != want[i] {
					t.Errorf("%s: the status of %s is %d, want %d", what, jti(t, jwt), got, want[i])
				}
			}
		}
		all = append(all, rotate(t, s, path, "1h"))
		says("both work", 0, 0)
		s.Advance(59 * time.Minute)
		says("before the end", 0, 0)
		s.Advance(time.Minute)
		says("at the end", 1, 0)
		expect(t, s, "POST", path+"/suspend", s.Vars["admin"], 200)
		says("suspended", 1, 2)
		expect(t, s, "POST", path+"/activate", s.Vars["admin"], 200)
		all = append(all, rotate(t, s, path, "1h"))
		expect(t, s, "POST", "/service/accounts/"+s.Vars["account"]+"/disable", s.Vars["admin"], 200)
		says("account disabled", 1, 2, 2)
		expect(t, s, "POST", "/service/accounts/"+s.Vars["account"]+"/enable", s.Vars["admin"], 200)
		expect(t, s, "POST", path+"/rotation/cancel", s.Vars["member"], 200)
		says("cancelled", 1, 0, 1)
		all = append(all, rotate(t, s, path, "0s"))
		says("without overlap", 1, 1, 1, 0)
		all = append(all, rotate(t, s, path, "1h"))
		expect(t, s, "POST", path+"/rotation/finish", s.Vars["member"], 200)
		says("finished", 1, 1, 1, 1, 0)
		all = append(all, rotate(t, s, path, "1h"))
		expect(t, s, "POST", path+"/revoke", s.Vars["admin"], 200)
		says("revoked", 1, 1, 1, 1, 1, 1)
		for i, jwt := range all {
			want := id
			if i > 0 {
				want = fmt.Sprintf("%s.%d", id, i)
			}
			if got := jti(t, jwt); got != want {
				t.Errorf("jti is %s, want %s", got, want)
			}
		}
	})
}

// TestIntrospectionOfRotatedTokens: it names the token, and says when the secret ends that it was asked about.
func TestIntrospectionOfRotatedTokens(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	old, id := issue(t, s, token.APIToken, s.Vars["member"], `{"token_scope":"account"}`)
	current := rotate(t, s, "/service/tokens/apitoken/"+id, "2h")
	end := s.Service.Now().Add(2 * time.Hour)
	ends := map[string]any{}
	for name, secret := range map[string]string{"old": old, "current": current} {
		said := s.Do("POST", "/introspect", s.Vars["admin"], "token="+secret, "Content-Type", "application/x-www-form-urlencoded").JSON()
		if said["active"] != true || said["jti"] != id {
			t.Errorf("%s: %v", name, said)
		}
		if a := s.Do("GET", "/verify", secret, ""); a.Status != 204 || a.Header.Get("X-Token-Id") != id {
			t.Errorf("%s: %d %v", name, a.Status, a.Header)
		}
		ends[name] = said["exp"]
	}
	if ends["old"] != float64(end.Unix()) || ends["current"].(float64) <= float64(end.Unix()) {
		t.Errorf("they end at %v, want the old one at %d", ends, end.Unix())
	}
	s.Advance(2 * time.Hour)
	if a := s.Do("GET", "/verify", old, ""); a.Status != 401 {
		t.Errorf("when the overlap is over: %d", a.Status)
	}
	if a := s.Do("GET", "/verify", current, ""); a.Status != 204 {
		t.Errorf("the current one: %d", a.Status)
	}
}

// TestRotationsAtOnce: one of many with overlap succeeds, and its secret works beside the one before.
func TestRotationsAtOnce(t *testing.T) {
	harness.Databases(t, func(t *testing.T, databaseURL string) {
		s := harness.Start(t, harness.Options{DatabaseURL: databaseURL})
		for _, d := range []*token.Dialect{token.Muninx, token.APIToken, token.Unleash} {
			old, id := issue(t, s, d, s.Vars["member"], map[*token.Dialect]string{
				token.Muninx: `{"name":"x"}`, token.APIToken: `{"token_scope":"account"}`, token.Unleash: `{"description":"x"}`,
			}[d])
			path := "/service/tokens/" + d.Name + "/" + id
			var won, lost atomic.Int64
			var secret atomic.Value
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					switch a := s.Do("POST", path+"/rotate", s.Vars["member"], `{"overlap":"1h"}`); a.Status {
					case 200:
						won.Add(1)
						secret.Store(a.JSON()["token"])
					case 409:
						lost.Add(1)
					default:
						t.Errorf("%d %s", a.Status, a.Body)
					}
				})
			}
			all.Wait()
			if won.Load() != 1 || lost.Load() != 7 {
				t.Fatalf("%s: %d succeeded and %d were refused", d.Name, won.Load(), lost.Load())
			}
			expect(t, s, "GET", "/service/me", old, 200)
			expect(t, s, "GET", "/service/me", secret.Load().(string), 200)
		}
	})
}

// TestRevokeRacesRotation: whatever comes first, no secret works once both are answered.
func TestRevokeRacesRotation(t *testing.T) {
	harness.Databases(t, func(t *testing.T, databaseURL string) {
		s := harness.Start(t, harness.Options{DatabaseURL: databaseURL})
		for range 20 {
			old, id := issue(t, s, token.Muninx, s.Vars["member"], `{"name":"x"}`)
			path := "/service/tokens/muninx/" + id
			secrets := make(chan string, 3)
			secrets <- old
			var all sync.WaitGroup
			all.Go(func() {
				if a := s.Do("POST", path+"/revoke", s.Vars["admin"], ""); a.Status != 200 {
					t.Errorf("revoke: %d %s", a.Status, a.Body)
				}
			})
			for _, overlap := range []string{"1h", "0s"} {
				all.Go(func() {
					if a := s.Do("POST", path+"/rotate", s.Vars["member"], `{"overlap":"`+overlap+`"}`); a.Status == 200 {
						secrets <- a.JSON()["token"].(string)
					} else if a.Status != 409 {
						t.Errorf("rotate: %d %s", a.Status, a.Body)
					}
				})
			}
			all.Wait()
			close(secrets)
			for secret := range secrets {
				expect(t, s, "GET", "/service/me", secret, 401)
			}
		}
	})
}
