package handlers_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/handlers/wire"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/harness"
)

// foreign are ids of what belongs to somebody else, by kind.
type foreign map[string][]string

// unknownIDs have the form of an id and name nothing.
var unknownIDs = map[string]string{
	"muninx": "0199c0de-0000-7000-8000-000000000000", "unleash": "999999", "user": "999999",
	"apitoken": "06h00ggz4dqepeacqyrf6agfhyaphspj", "account": "06h00ggz4dqepeacqyrf6agfhyaphspj", "environment": "06h00ggz4dqepeacqyrf6agfhyaphspj",
}

// possessions makes a token of each sort with the credential, and returns their ids and those of what the caller is in.
func possessions(t *testing.T, s *harness.Server, name, account, environment string) foreign {
	t.Helper()
	f := foreign{"user": {s.Vars[name+"_id"]}, "account": {account}, "environment": {environment}}
	for _, made := range []struct {
		dialect *token.Dialect
		body    string
	}{
		{token.Muninx, `{"name":"x"}`}, {token.Unleash, `{"description":"x"}`}, {token.APIToken, `{"token_scope":"account"}`},
		{token.APIToken, `{"token_scope":"environment","environment_id":"` + environment + `"}`},
	} {
		_, id := issue(t, s, made.dialect, s.Vars[name], made.body)
		f[made.dialect.Name] = append(f[made.dialect.Name], id)
	}
	return f
}

// probe is a request with a place for an id of one kind.
type probe struct{ method, path, body, kind string }

// probes are all operations of all contracts that take an id, in the path, the query or the body.
func probes(t *testing.T) []probe {
	t.Helper()
	all := []probe{
		{"POST", "/api/v1/api_token", `{"token_scope":"account","account_id":"ID"}`, "account"},
		{"POST", "/api/v1/api_token", `{"token_scope":"environment","environment_id":"ID"}`, "environment"},
		{"GET", "/api/v1/api_token?account_id=ID", "", "account"}, {"GET", "/api/v1/api_token?environment_id=ID", "", "environment"},
		{"GET", "/verify?account=ID", "", "account"}, {"GET", "/service/tokens?account_id=ID", "", "account"},
		{"GET", "/service/tokens?environment_id=ID", "", "environment"}, {"GET", "/service/tokens?user_id=ID", "", "user"},
		{"GET", "/service/tokens?created_by_user_id=ID", "", "user"},
		{"POST", "/service/environments", `{"name":"x","account_id":"ID"}`, "account"},
		{"POST", "/service/users", `{"subject":"x","name":"x","role":"member","account_id":"ID"}`, "account"},
	}
	bodies := map[string]string{"updateUser": `{"role":"member"}`, "createUserToken": `{"name":"x"}`}
	kinds := map[string]string{
		"/tokens/:id": "muninx", "/api/v1/api_token/:id": "apitoken", "/api/admin/user/tokens/:id": "unleash", "/service/users/:id": "user",
		"/service/accounts/:id": "account", "/service/environments/:id": "environment", "/service/tokens/muninx/:id": "muninx",
		"/service/tokens/apitoken/:id": "apitoken", "/service/tokens/unleash/:id": "unleash",
	}
	for _, document := range documents {
		spec, err := wire.Load(document, wire.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, op := range spec.Operations {
			if !strings.Contains(op.Path, ":id") {
				continue
			}
			found := false
			for _, dialect := range []string{"muninx", "apitoken", "unleash"} {
				path := strings.Replace(op.Path, ":dialect", dialect, 1)
				start, rest, _ := strings.Cut(path, ":id")
				if kind := kinds[start+":id"]; kind != "" && (dialect == "muninx" || path != op.Path) {
					found = true
					all = append(all, probe{op.Method, start + "ID" + rest, bodies[op.ID], kind})
				}
			}
			if !found {
				t.Errorf("%s: what has this id?", op.Path)
			}
		}
	}
	return all
}

var requestID = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// ask sends the probe with an id, and returns all of the answer in which the ids may not show.
func (p probe) ask(s *harness.Server, credential, id string) string {
	path := strings.Replace(p.path, "ID", url.PathEscape(id), 1)
	a := s.Do(p.method, path, credential, strings.Replace(p.body, "ID", id, 1))
	a.Header.Del("Date")
	a.Header.Del("Content-Length")
	text := fmt.Sprintf("status %d\n%s", a.Status, a.Body)
	for _, name := range slices.Sorted(maps.Keys(a.Header)) {
		text += fmt.Sprintf("\n%s: %s", name, a.Header.Get(name))
	}
	own := regexp.MustCompile(`\b` + regexp.QuoteMeta(id) + `\b`)
	return own.ReplaceAllString(requestID.ReplaceAllString(text, "REQUEST"), "ID")
}

// TestForeignIDsAreUnknown asks every operation for what belongs to another account, user or environment, with every sort
// of credential. The answer is the one that an id gets which nobody has, and nothing has changed.
func TestForeignIDsAreUnknown(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	v := s.Vars
	others := possessions(t, s, "stranger", v["other_account"], v["other_environment"])
	ours := possessions(t, s, "member", v["account"], v["environment"])
	_, adminMuninx := issue(t, s, token.Muninx, v["admin"], `{"name":"x"}`)
	_, adminPAT := issue(t, s, token.Unleash, v["admin"], `{"description":"x"}`)
	admins := foreign{"muninx": {adminMuninx}, "unleash": {adminPAT}, "user": {"1"}}
	account, accountID := issue(t, s, token.APIToken, v["member"], `{"token_scope":"account"}`)
	bound, _ := issue(t, s, token.APIToken, v["member"], `{"token_scope":"environment","environment_id":"`+v["environment"]+`"}`)
	pat, _ := issue(t, s, token.Unleash, v["member"], `{"description":"pat"}`)
	_, besides := issue(t, s, token.APIToken, v["member"], `{"token_scope":"environment","environment_id":"`+v["environment2"]+`"}`)
	before := inventory(t, s)
	sent := 0
	for _, c := range []struct {
		caller, credential string
		foreign            []foreign
	}{
		{"member", v["member"], []foreign{others, admins}}, {"PAT of a member", pat, []foreign{others, admins}},
		{"introspector", v["introspector"], []foreign{others, admins}}, {"stranger", v["stranger"], []foreign{ours, admins}},
		{"token of an account", account, []foreign{others, admins}},
		{"token of an environment", bound, []foreign{others, admins, {"apitoken": {besides, accountID}, "environment": {v["environment2"]}}}},
	} {
		for _, p := range probes(t) {
			want := p.ask(s, c.credential, unknownIDs[p.kind])
			for _, f := range c.foreign {
				for _, id := range f[p.kind] {
					sent++
					if got := p.ask(s, c.credential, id); got != want {
						t.Errorf("%s: %s %s %s, of another\n%s\nof nobody\n%s", c.caller, p.method, p.path, p.body, got, want)
					}
				}
			}
		}
	}
	if after := inventory(t, s); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
	t.Logf("%d probes", sent)
	if sent < 300 {
		t.Error("too few probes")
	}
}

// inventory is what an admin sees of everything.
func inventory(t *testing.T, s *harness.Server) (all string) {
	t.Helper()
	for _, path := range []string{"/service/tokens", "/service/users", "/service/accounts", "/service/environments"} {
		a := expect(t, s, "GET", path+"?limit=100", s.Vars["admin"], http.StatusOK)
		all += regexp.MustCompile(`"last_used_at":[^,}]*`).ReplaceAllString(string(a.Body), "") + "\n"
	}
	return all
}
