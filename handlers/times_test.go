package handlers_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/internal/server"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/harness"
)

// times are texts and what each means as RFC 3339 has it; "" is a fault.
var times = map[string]string{
	"2099-01-01T12:00:00Z":                        "2099-01-01T12:00:00Z",
	"2099-01-01t12:00:00z":                        "2099-01-01T12:00:00Z",
	"2099-01-01T12:00:00+23:59":                   "2098-12-31T12:01:00Z",
	"2099-01-01T12:00:00-23:59":                   "2099-01-02T11:59:00Z",
	"2099-01-01T12:00:00-00:00":                   "2099-01-01T12:00:00Z",
	"2096-02-29T00:00:00Z":                        "2096-02-29T00:00:00Z",
	"2099-01-01T12:00:00.000Z":                    "2099-01-01T12:00:00Z",
	"2099-01-01T12:00:00.0009999999999999999999Z": "2099-01-01T12:00:00Z",
	"2098-12-31T23:59:60Z":                        "2099-01-01T00:00:00Z",
	"2098-06-30t23:59:60z":                        "2098-07-01T00:00:00Z",
	"2096-02-29T23:59:60Z":                        "2096-03-01T00:00:00Z",
	"2099-01-01T00:59:60+01:00":                   "2099-01-01T00:00:00Z",
	"2098-12-31T15:59:60-08:00":                   "2099-01-01T00:00:00Z",
	"2099-01-01T1:00:00Z":                         "",
	"2099-01-01T001:00:00Z":                       "",
	"2099-01-01T24:00:00Z":                        "",
	"2099-01-01T12:60:00Z":                        "",
	"2099-01-01T12:00:61Z":                        "",
	"2099-01-01T12:00:60Z":                        "",
	"2098-12-30T23:59:60Z":                        "",
	"2098-12-31T23:58:60Z":                        "",
	"2098-12-31T23:59:60+01:00":                   "",
	"2095-02-28T23:59:60-00:01":                   "",
	"2096-02-28T23:59:60Z":                        "",
	"9999-12-31T23:59:60Z":                        "", // of the year 10000
	"2099-01-01T12:00:00,5Z":                      "",
	"2099-01-01T12:00:00.Z":                       "",
	"2099-01-01T12:00:00+24:00":                   "",
	"2099-01-01T12:00:00-24:00":                   "",
	"2099-01-01T12:00:00+23:60":                   "",
	"2099-01-01T12:00:00+1:00":                    "",
	"2099-01-01T12:00:00+0100":                    "",
	"2099-01-01T12:00:00":                         "",
	"2099-01-01T12:00Z":                           "",
	"2099-01-01 12:00:00Z":                        "",
	"2099-02-29T12:00:00Z":                        "",
	"2099-13-01T12:00:00Z":                        "",
	"2099-00-01T12:00:00Z":                        "",
	"2099-01-00T12:00:00Z":                        "",
	"02099-01-01T12:00:00Z":                       "",
	" 2099-01-01T12:00:00Z":                       "",
	"2099-01-01T12:00:00Z\n":                      "",
	"２099-01-01T12:00:00Z":                        "",
}

// timed are the operations that take a time, one for each contract that has any, with where the answer repeats it.
var timed = []struct {
	name, path, body string
	made             int
	read             func(made map[string]any) any
}{
	{"apitoken", "/api/v1/api_token", `{"token_scope":"account","expires_at":%q}`, 200, func(made map[string]any) any {
		return made["details"].(map[string]any)["expires_at"]
	}},
	{"unleash", "/api/admin/user/tokens", `{"expiresAt":%q}`, 201, func(made map[string]any) any { return made["expiresAt"] }},
	{"service", "/service/users/1/tokens", `{"name":"x","expires_at":%q}`, 201, func(made map[string]any) any { return made["expires_at"] }},
}

// TestTimes has every contract read a time as RFC 3339 has it, for the verdict and for what is then made.
func TestTimes(t *testing.T) {
	s := harness.Start(t, harness.Options{Configure: unlimited})
	for _, c := range timed {
		for text, meaning := range times {
			a := s.Do("POST", c.path, s.Vars["admin"], fmt.Sprintf(c.body, text))
			switch {
			case meaning == "" && (a.Status != http.StatusBadRequest || !strings.Contains(string(a.Body), "xpires")):
				t.Errorf("%s, %q: %d %s, want a fault of the member", c.name, text, a.Status, a.Body)
			case meaning != "" && a.Status != c.made:
				t.Errorf("%s, %q: %d %s, want %s", c.name, text, a.Status, a.Body, meaning)
			case meaning != "" && strings.Replace(fmt.Sprint(c.read(a.JSON())), ".000Z", "Z", 1) != meaning:
				t.Errorf("%s, %q: %v, want %s", c.name, text, c.read(a.JSON()), meaning)
			}
		}
	}
}

// unlimited are the default policies without the limit of the count.
func unlimited(c *server.Config) {
	c.Policies = map[*token.Dialect]token.Policy{token.Unleash: {DefaultLifetime: token.Unleash.Policy.DefaultLifetime}}
}
