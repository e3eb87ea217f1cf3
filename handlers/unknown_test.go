package handlers_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/internal/server"
	"github.com/tokenwright/tokenwright/test/harness"
)

// faultsOf are the details of an answer by the member or parameter that each is about, whatever the contract.
func faultsOf(t *testing.T, a harness.Answer) map[string]string {
	t.Helper()
	var body struct {
		Errors  json.RawMessage
		Details []struct{ Path, Message string }
	}
	if err := json.Unmarshal(a.Body, &body); err != nil {
		t.Fatalf("%v in %s", err, a.Body)
	}
	found := map[string]string{}
	var problem []struct{ Detail, Pointer, Parameter string }
	var byMember map[string][]string
	switch {
	case json.Unmarshal(body.Errors, &problem) == nil:
		for _, f := range problem {
			found[f.Pointer+f.Parameter] = f.Detail
		}
	case json.Unmarshal(body.Errors, &byMember) == nil:
		for member, details := range byMember {
			found[member] = strings.Join(details, " ")
		}
	}
	for _, d := range body.Details {
		found[d.Path] = d.Message
	}
	return found
}

// unknown is a request with something that its contract does not know.
type unknown struct {
	path, body string
	name       string // as the fault names it
	meant      string // "" if nothing that is known is near
}

func (u unknown) method() string {
	if u.body == "" {
		return "GET"
	}
	return "POST"
}

var unknowns = map[string]unknown{
	"muninx, a member of another contract": {"/tokens", `{"name":"x","expires_at":"2099-01-01T00:00:00Z"}`, "/expires_at", ""},
	"muninx, another case":                 {"/tokens", `{"name":"x","Name":"y"}`, "/Name", "name"},
	"muninx, not a member":                 {"/tokens", `{"name":"x","scopes":["read"]}`, "/scopes", ""},
	"muninx, a slash and a tilde":          {"/tokens", `{"name":"x","a/b~c":1}`, "/a~1b~0c", ""},
	"muninx, an empty name":                {"/tokens", `{"name":"x","":1}`, "/", ""},
	"muninx, a parameter":                  {"/tokens?page=2", "", "page", ""},
	"muninx, a parameter with a body":      {"/tokens?dry_run=true", `{"name":"x"}`, "dry_run", ""},
	"apitoken, a beginning":                {"/api/v1/api_token", `{"token_scope":"account","expires":"2099-01-01T00:00:00Z"}`, "expires", "expires_at"},
	"apitoken, no underscore":              {"/api/v1/api_token", `{"token_scope":"account","expiresAt":null}`, "expiresAt", "expires_at"},
	"apitoken, a letter too few":           {"/api/v1/api_token", `{"token_scope":"account","acount_id":"x"}`, "acount_id", "account_id"},
	"apitoken, a parameter":                {"/api/v1/api_token?state=active", "", "state", "status"},
	"service, a filter":                    {"/service/tokens?user=2", "", "user", "user_id"},
	"service, not a filter":                {"/service/tokens?last_used_before=x", "", "last_used_before", ""},
	"service, a member":                    {"/service/accounts", `{"name":"x","disable":true}`, "/disable", ""},
	"service, a parameter of no list":      {"/service/me?verbose=1", "", "verbose", ""},
	"service, two letters swapped":         {"/service/users?lmiit=1", "", "lmiit", "limit"},
	"service, nothing but a name":          {"/service/users?curser", "", "curser", "cursor"},
	"service, a batch":                     {"/introspect/batch", `{"tokens":["x"],"token":"x"}`, "/token", "tokens"},
}

// TestUnknownIsRefused: what was asked for and cannot be had is said, and not dropped.
func TestUnknownIsRefused(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	for what, u := range unknowns {
		a := s.Do(u.method(), u.path, s.Vars["admin"], u.body)
		if a.Status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", what, a.Status, a.Body)
			continue
		}
		detail := faultsOf(t, a)[u.name]
		if !strings.HasPrefix(detail, "is not known; ") {
			t.Errorf("%s: no fault at %q: %s", what, u.name, a.Body)
		}
		if meant := u.meant; meant != "" && detail != "is not known; did you mean "+meant+"?" || meant == "" && strings.Contains(detail, "mean") {
			t.Errorf("%s: %s", what, detail)
		}
	}
	list := expect(t, s, "GET", "/service/tokens?dialect=apitoken", s.Vars["admin"], 200)
	if items := list.JSON()["items"].([]any); len(items) > 0 {
		t.Errorf("a token was made all the same: %s", list.Body)
	}
}

// TestEveryUnknownIsNamed at once, beside all other faults.
func TestEveryUnknownIsNamed(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	got := faultsOf(t, s.Do("POST", "/service/users", s.Vars["admin"], `{"subject":"","naem":"x","role":"member","account_id":"x","a":1,"b":2}`))
	for name, want := range map[string]string{
		"/a": "is not known; the members are account_id, issuer, name, role and subject", "/b": "is not known; the members are account_id, issuer, name, role and subject",
		"/naem": "is not known; did you mean name?", "/name": "is required", "/subject": "must have 1 to 255 characters",
	} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
	got = faultsOf(t, s.Do("GET", "/service/me?a=1&b=2", s.Vars["admin"], ""))
	for _, name := range []string{"a", "b"} {
		if got[name] != "is not known; there are no parameters here" {
			t.Errorf("%s: %q", name, got[name])
		}
	}
}

// TestUnknownNamesAreSafe: of a name that is not known no more is repeated than is needed to find it.
func TestUnknownNamesAreSafe(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	for name, shown := range map[string]string{
		strings.Repeat("a", 64):                       strings.Repeat("a", 64),
		strings.Repeat("a", 5000):                     strings.Repeat("a", 64) + "…",
		strings.Repeat("ü", 5000):                     strings.Repeat("ü", 64) + "…",
		"a\x1b[31m\nb":                                `a\x1b[31m\nb`,
		"\u202eeman\u2066":                            `\u202eeman\u2066`,
		s.Vars["member"]:                              "(a secret?)",
		"x" + s.Vars["member"]:                        "(a secret?)",
		"user:" + strings.Repeat("0", 56):             "(a secret?)",
		"eyJhbGciOiJFUzI1NiJ9.e30.x":                  "(a secret?)",
		strings.Repeat("a", 100) + s.Vars["stranger"]: "(a secret?)",
	} {
		body, err := json.Marshal(map[string]any{"name": "x", name: 1})
		if err != nil {
			t.Fatal(err)
		}
		path := "/tokens?" + url.QueryEscape(name) + "=1"
		for _, a := range []harness.Answer{
			s.Do("POST", "/tokens", s.Vars["admin"], string(body)), s.Do("GET", path, s.Vars["admin"], ""),
			s.Do("GET", "/api/v1/api_token?"+url.QueryEscape(name)+"=1", s.Vars["admin"], ""),
		} {
			found := faultsOf(t, a)
			if found["/"+shown] == "" && found[shown] == "" || a.Status != 400 {
				t.Errorf("%.80q: %d %s", name, a.Status, a.Body)
			}
			if strings.Contains(string(a.Body), s.Vars["member"]) || len(a.Body) > 1000 {
				t.Errorf("%.80q: the answer has %d bytes: %.200s", name, len(a.Body), a.Body)
			}
		}
	}
	if a := s.Do("GET", "/tokens?%ff=1", s.Vars["admin"], ""); a.Status != 400 || faultsOf(t, a)[`\xff`] == "" {
		t.Errorf("no UTF-8: %d %s", a.Status, a.Body)
	}
}

// TestFaultsAreBounded: a body of nothing but faults costs no more than its size, in time and in the answer.
func TestFaultsAreBounded(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	var members strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&members, `,"m%d":1`, i)
	}
	for what, body := range map[string]string{
		"wrong items":     `{"tokens":[1` + strings.Repeat(",1", 1<<19) + `]}`,
		"unknown members": `{"tokens":["x"]` + members.String() + `}`,
	} {
		a := s.Do("POST", "/introspect/batch", s.Vars["admin"], body)
		if found := len(faultsOf(t, a)); a.Status != 400 || found == 0 || found > 100 {
			t.Errorf("%s: %d with %d faults", what, a.Status, found)
		}
	}
	query := strings.ReplaceAll(strings.TrimPrefix(members.String()[:50_000], ","), ",", "&")
	a := s.Do("GET", "/service/me?"+strings.NewReplacer(`"`, "", ":", "=").Replace(query), s.Vars["admin"], "")
	if found := len(faultsOf(t, a)); a.Status != 400 || found == 0 || found > 100 {
		t.Errorf("unknown parameters: %d with %d faults", a.Status, found)
	}
}

// TestOneSpellingInQueries: a value has one spelling, and who sends another is told what would be right.
func TestOneSpellingInQueries(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	for _, word := range []string{"T", "t", "1", "0", "TRUE", "True", "f", "F", "FALSE", "yes", "", "%20true", "null"} {
		a := expect(t, s, "GET", "/service/tokens?usable="+word, s.Vars["admin"], 400)
		if got := faultsOf(t, a)["usable"]; got != "must be true or false" {
			t.Errorf("usable=%s: %q", word, got)
		}
		a = expect(t, s, "POST", "/service/users/"+s.Vars["member_id"]+"/disable?created="+word, s.Vars["admin"], 400)
		if got := faultsOf(t, a)["created"]; got != "must be true or false" {
			t.Errorf("created=%s: %q", word, got)
		}
	}
	for _, word := range []string{"true", "false"} {
		expect(t, s, "GET", "/service/tokens?usable="+word, s.Vars["admin"], 200)
	}
	for _, name := range []string{"user_id", "created_by_user_id"} {
		for _, number := range []string{"0", "-1", "01", "x", "", "9223372036854775808"} {
			a := expect(t, s, "GET", "/service/tokens?"+name+"="+number, s.Vars["admin"], 400)
			if got := faultsOf(t, a)[name]; got != "must be an integer of at least 1 and at most 64 bits" {
				t.Errorf("%s=%s: %q", name, number, got)
			}
		}
	}
}

// TestWhatMayBeUnknown: standards and uses that ask for it.
func TestWhatMayBeUnknown(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	admin := s.Vars["admin"]
	if a := s.Do("POST", "/introspect", admin, "token=x&tokn=y", "Content-Type", "application/x-www-form-urlencoded"); a.Status != 200 {
		t.Errorf("a form (RFC 6749 section 3.2): %d %s", a.Status, a.Body)
	}
	for _, path := range []string{
		"/verify/orders?scopes=x&page=2", "/healthz?probe=1", "/readyz?x", "/openapi/muninx.yaml?v=2", "/docs?utm_source=x",
		"/docs/reference.js?v=2", "/.well-known/jwks.json?x=1",
	} {
		if a := s.Do("GET", path, admin, ""); a.Status >= 300 {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
	}
	if a := s.Do("POST", "/api/admin/user/tokens?x=1", admin, `{"description":"x","expires_at":"x","project":"default"}`); a.Status != 201 {
		t.Errorf("unleash ignores: %d %s", a.Status, a.Body)
	}
	if a := s.Do("GET", "/api/admin/user/tokens?page=1", admin, ""); a.Status != 200 {
		t.Errorf("unleash ignores: %d %s", a.Status, a.Body)
	}
}

// TestStrictUnleashRefusesUnknown, but not what the server sets and a client may send back.
func TestStrictUnleashRefusesUnknown(t *testing.T) {
	s := harness.Start(t, harness.Options{Configure: func(c *server.Config) { c.UnleashStrict = true }})
	post := func(body string) harness.Answer {
		return s.Do("POST", "/api/admin/user/tokens", s.Vars["admin"], body)
	}
	future := `"expiresAt":"` + s.Vars["future"] + `"`
	if a := post(`{"description":"x",` + future + `,"id":"x","secret":1,"createdAt":null,"seenAt":"","userId":{}}`); a.Status != 201 {
		t.Errorf("what the server sets: %d %s", a.Status, a.Body)
	}
	got := faultsOf(t, post(`{"description":"y",`+future+`,"expires_at":"x","project":"default"}`))
	if got["/body/expires_at"] != "expires_at is not known; did you mean expiresAt?" || got["/body/project"] == "" {
		t.Errorf("%v", got)
	}
	got = faultsOf(t, s.Do("GET", "/api/admin/user/tokens?page=1", s.Vars["admin"], ""))
	if got["/query/page"] == "" {
		t.Errorf("%v", got)
	}
}

// TestUnknownIsIgnored where the operator wants it, but never by the check of a gateway, which would let somebody in.
func TestUnknownIsIgnored(t *testing.T) {
	s := harness.Start(t, harness.Options{Configure: ignoreUnknown})
	for what, u := range unknowns {
		if a := s.Do(u.method(), u.path, s.Vars["admin"], u.body); a.Status >= 300 {
			t.Errorf("%s: %d %s", what, a.Status, a.Body)
		}
	}
	if a := s.Do("POST", "/tokens", s.Vars["admin"], `{"title":"x"}`); faultsOf(t, a)["/name"] != "is required" {
		t.Errorf("a member that is needed: %d %s", a.Status, a.Body)
	}
	expect(t, s, "GET", "/verify?scopes=environment", s.Vars["member"], 400)
}
