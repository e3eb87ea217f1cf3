package clients

import (
	"strings"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/harness"
)

// subject is a token and what a library is to say of it.
type subject struct {
	what   string
	secret string
	want   verdict
}

// inactive has no other member, so that nothing is told of a token that does not work.
var inactive verdict

// TestLibrariesIntrospect has every library check every kind of token.
func TestLibrariesIntrospect(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	subjects := append(active(t, s), dead(t, s)...)
	var secrets []string
	for _, subject := range subjects {
		secrets = append(secrets, subject.secret)
	}
	for name, introspect := range libraries {
		for _, caller := range []string{"introspector", "admin"} {
			for i, got := range introspect(t, s, s.Vars[caller], secrets...) {
				if want := (outcome{Claims: subjects[i].want}); got != want {
					t.Errorf("%s, %s: %s:\n got %+v\nwant %+v", name, caller, subjects[i].what, got, want)
				}
			}
		}
	}
}

// active makes a token of each dialect and scope.
func active(t *testing.T, s *harness.Server) []subject {
	t.Helper()
	v := s.Vars
	user := verdict{Subject: "member", Username: "member", Scope: "user"}
	var all []subject
	for _, c := range []struct {
		dialect *token.Dialect
		body    string
		want    verdict
	}{
		{token.Muninx, `{"name":"x"}`, user},
		{token.Unleash, `{"description":"x"}`, user},
		{token.APIToken, `{"token_scope":"account"}`, verdict{Subject: v["account"], Scope: "account"}},
		{token.APIToken, `{"token_scope":"environment","environment_id":"` + v["environment"] + `"}`,
			verdict{Subject: v["environment"], Scope: "environment", Environment: v["environment"]}},
	} {
		made := issue(t, s, c.dialect, c.body)
		all = append(all, subject{c.dialect.Name + " " + c.want.Scope, made.secret, complete(t, s, made, c.want)})
	}
	return all
}

// complete adds what is in every verdict.
func complete(t *testing.T, s *harness.Server, made issued, want verdict) verdict {
	t.Helper()
	stored, err := s.DB.Find(t.Context(), made.Ref)
	if err != nil {
		t.Fatal(err)
	}
	want.Active, want.TokenType, want.Issuer, want.Account = true, "Bearer", s.URL, s.Vars["account"]
	want.ID, want.Dialect, want.TokenScope = made.ID, made.Dialect.Name, want.Scope
	want.Issued, want.NotBefore = stored.CreatedAt.Unix(), stored.CreatedAt.Unix()
	if !stored.ExpiresAt.IsZero() {
		want.Expires = stored.ExpiresAt.Unix()
	}
	return want
}

// dead makes tokens of each dialect that do not work, each for another reason.
func dead(t *testing.T, s *harness.Server) []subject {
	t.Helper()
	all := []subject{{"malformed", "malformed", inactive}}
	add := func(what string, i issued) {
		all = append(all, subject{what + " " + i.Dialect.Name, i.secret, inactive})
	}
	for dialect, body := range map[*token.Dialect]string{
		token.Muninx: `{"name":"%s"}`, token.Unleash: `{"description":"%s"}`, token.APIToken: `{"token_scope":"account"}`,
	} {
		made := func(name string) issued { return issue(t, s, dialect, strings.Replace(body, "%s", name, 1)) }
		unknown := made("unknown")
		unknown.secret = altered(unknown.secret)
		add("unknown", unknown)
		for done, action := range map[string]string{"suspended": "suspend", "revoked": "revoke"} {
			i := made(done)
			change(t, s, i, action)
			add(done, i)
		}
	}
	end := s.Service.Now().Add(time.Hour).Format(time.RFC3339)
	add("expired", issue(t, s, token.Unleash, `{"description":"expired","expiresAt":"`+end+`"}`))
	add("expired", issue(t, s, token.APIToken, `{"token_scope":"account","expires_at":"`+end+`"}`))
	s.Advance(2 * time.Hour)
	return all
}

// altered is a secret of the same form that no token has.
func altered(secret string) string {
	at := len(secret) - 10
	other := byte('0')
	if secret[at] == other {
		other = '1'
	}
	return secret[:at] + string(other) + secret[at+1:]
}

// TestLibrariesAreRefused holds that a credential that may not introspect is the library's error with the server's code,
// and no verdict on the token.
func TestLibrariesAreRefused(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	suspended := issue(t, s, token.Muninx, `{"name":"x"}`)
	change(t, s, suspended, "suspend")
	// openid-client reads the challenge of a 401 before its body, so its code is that of RFC 6750.
	unknown := map[string]failure{
		"zitadel oidc": {"oidc.Error", 0, "invalid_client"}, "openid-client": {"WWWAuthenticateChallengeError", 401, "invalid_token"},
	}
	forbidden := map[string]failure{
		"zitadel oidc": {"oidc.Error", 0, "insufficient_scope"}, "openid-client": {"WWWAuthenticateChallengeError", 403, "insufficient_scope"},
	}
	for name, introspect := range libraries {
		for what, c := range map[string]struct {
			credential string
			want       map[string]failure
		}{
			"malformed": {"wrong", unknown},
			"unknown":   {altered(s.Vars["introspector"]), unknown},
			"suspended": {suspended.secret, unknown},
			"a member":  {s.Vars["member"], forbidden},
		} {
			program, _, _ := strings.Cut(name, ",")
			got := introspect(t, s, c.credential, s.Vars["member"])[0]
			if want := (outcome{Failure: c.want[program]}); got != want {
				t.Errorf("%s, %s:\n got %+v\nwant %+v", name, what, got, want)
			}
		}
	}
}
