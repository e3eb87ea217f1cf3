package handlers_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/test/harness"
)

// deceptive are texts that a terminal or a page would not show as they are.
var deceptive = []string{
	"a\nb", "\x1b[2Ja", "a\tb", "a\rb", "a\x7fb", "a\u0080", "\u0085a", "a\u009b31m", // control characters
	"a\u202eb", "a\u202a", "\u202ba", "a\u202c", "a\u202d", "a\u2066b", "a\u2067", "a\u2068", "a\u2069", // directions of text
}

// honest are texts of the same alphabets.
var honest = []string{"שלום", "abc \u200eשלום\u200e", "👩\u200d💻", "naïve\u00a0name", "\u2065"}

// TestNames has no contract take a name that could deceive who reads it; only a description of unleash may hold
// anything, as the vendor's servers have it.
func TestNames(t *testing.T) {
	s := harness.Start(t, harness.Options{Configure: unlimited})
	v := s.Vars
	for what, c := range map[string]struct{ path, body, pointer string }{
		"muninx":      {"/tokens", `{"name":%s}`, "/name"},
		"first token": {"/service/users/1/tokens", `{"name":%s}`, "/name"},
		"account":     {"/service/accounts", `{"name":%s}`, "/name"},
		"environment": {"/service/environments", `{"account_id":"` + v["account"] + `","name":%s}`, "/name"},
		"user":        {"/service/users", `{"account_id":"` + v["account"] + `","role":"member","subject":"s%d","name":%s}`, "/name"},
		"subject":     {"/service/users", `{"account_id":"` + v["account"] + `","role":"member","name":"n","subject":%s}`, "/subject"},
	} {
		send := func(i int, name string) harness.Answer {
			text, err := json.Marshal(name)
			if err != nil {
				t.Fatal(err)
			}
			body := strings.Replace(c.body, "%s", string(text), 1)
			return s.Do("POST", c.path, v["admin"], strings.Replace(body, "%d", fmt.Sprint(what, i), 1))
		}
		for i, name := range deceptive {
			if a := send(i, name); a.Status != 400 || !strings.Contains(string(a.Body), `control characters`) ||
				!strings.Contains(string(a.Body), `"pointer":"`+c.pointer+`"`) {
				t.Errorf("%s %q: %d %s", what, name, a.Status, a.Body)
			}
		}
		for i, name := range honest {
			if a := send(100+i, name); a.Status >= 300 {
				t.Errorf("%s %q: %d %s", what, name, a.Status, a.Body)
			}
		}
	}
	for _, name := range append(deceptive, honest...) {
		text, err := json.Marshal(map[string]string{"description": name})
		if err != nil {
			t.Fatal(err)
		}
		if a := s.Do("POST", "/api/admin/user/tokens", v["admin"], string(text)); a.Status != 201 || a.JSON()["description"] != name {
			t.Errorf("unleash %q: %d %s", name, a.Status, a.Body)
		}
	}
}
