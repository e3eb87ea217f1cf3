package handlers_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tokenwright/tokenwright/internal/server"
	"github.com/tokenwright/tokenwright/test/harness"
)

// members are the names that mean something in some contract, so that random bodies hit them.
var members = []string{
	"name", "NAME", "token_scope", "account_id", "environment_id", "expires_at", "description", "expiresAt", "id", "secret",
	"createdAt", "seenAt", "userId", "subject", "role", "__proto__", "", "a/b~c", "ﬁ", "na\u200bme",
}

var texts = []string{
	"", " ", "x", "account", "environment", "user", "admin", "2099-01-01T00:00:00Z", "2099-02-30T00:00:00Z",
	"9999-12-31T23:59:59-14:00", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "2099-01-01T00:00:60Z", "2099-01-01t00:00:00z",
	"2099-01-01T00:00:00.123456789123Z", "+1e9", "' OR 1=1 --", "${jndi:ldap://x}", "%00", "\u202e", "\u0085", "\ufffd",
	"\U0001F512", "\ufeff", strings.Repeat("ä", 255), strings.Repeat("ä", 256), strings.Repeat("\u3000", 3),
	"013xrzp12g3nqk8ngskn1wtxgka5b0nf",
}

// value draws a JSON value.
func value(depth int) *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		switch rapid.IntRange(0, 9).Draw(t, "kind") {
		case 0:
			return nil
		case 1:
			return rapid.Bool().Draw(t, "bool")
		case 2:
			return rapid.Int64().Draw(t, "int")
		case 3:
			return json.Number(rapid.SampledFrom([]string{"1e400", "-0", "1.5", "1e-400", "9223372036854775808"}).Draw(t, "number"))
		case 4, 5, 6:
			return rapid.SampledFrom(texts).Draw(t, "text")
		case 7:
			return rapid.String().Draw(t, "string")
		case 8:
			if depth > 0 {
				return rapid.SliceOfN(value(depth-1), 0, 3).Draw(t, "array")
			}
			return []any{}
		default:
			if depth > 0 {
				return object(depth-1).Draw(t, "object")
			}
			return map[string]any{}
		}
	})
}

func object(depth int) *rapid.Generator[map[string]any] {
	return rapid.MapOfN(rapid.SampledFrom(members), value(depth), 0, 8)
}

// hostile draws the bytes of a body: JSON that may fit, JSON with bytes changed, or just bytes.
// Half of the JSON begins as the good body.
func hostile(good string) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		members := object(3).Draw(t, "body")
		if rapid.Bool().Draw(t, "good") {
			if err := json.Unmarshal([]byte(good), &members); err != nil {
				t.Fatal(err)
			}
		}
		body, err := json.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		switch rapid.IntRange(0, 5).Draw(t, "damage") {
		case 0:
			at := rapid.IntRange(0, len(body)-1).Draw(t, "at")
			body[at] = rapid.Byte().Draw(t, "byte")
		case 1:
			at := rapid.IntRange(0, len(body)).Draw(t, "at")
			piece := rapid.SampledFrom([]string{"\x00", "\xff", `"`, "{", "}", ",", `\ud800`, `\u0000`, ":", "[", "\ufeff"}).Draw(t, "piece")
			body = append(body[:at:at], append([]byte(piece), body[at:]...)...)
		case 2:
			return string(rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "bytes"))
		}
		return string(body)
	})
}

// TestHostileBodies sends more than 2,000 random and hostile bodies to each create operation. The harness judges each
// answer by the spec; here is asked that none is a 5xx, and that what was accepted is the token that was asked for.
func TestHostileBodies(t *testing.T) {
	const bodies = 25 // for each of rapid's 100 checks
	each(t, harness.Options{Configure: func(c *server.Config) {
		unlimited(c)
		ignoreUnknown(c)
	}}, func(t *testing.T, s *harness.Server, c creator) {
		sent, accepted := 0, 0
		rapid.Check(t, func(t *rapid.T) {
			for i := range bodies {
				body := hostile(c.unique(fmt.Sprint(sent))).Draw(t, fmt.Sprintf("body %d", i))
				a := s.Do("POST", c.path, s.Vars["admin"], body, "Content-Type", "application/json")
				sent++
				switch {
				case a.Status == c.created:
					accepted++
					created(t, c, body, a)
				case a.Status != 400 && a.Status != 409:
					t.Fatalf("%d for %q: %s", a.Status, body, a.Body)
				}
			}
		})
		// Of -short, rapid makes a fifth of the examples; make test asks for all of them.
		if sent < 2000 && !testing.Short() || accepted == 0 || accepted == sent {
			t.Errorf("%d bodies sent, %d accepted: the property says nothing", sent, accepted)
		}
		t.Logf("%d bodies, %d accepted", sent, accepted)
	})
}

// created compares what was asked for with what was made.
func created(t *rapid.T, c creator, body string, a harness.Answer) {
	var asked map[string]any
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.UseNumber() // 1e400 is JSON, and no float64
	if err := decoder.Decode(&asked); err != nil {
		t.Fatalf("accepted what is no object: %q", body)
	}
	got := a.JSON()
	expiry := map[string]any{"unleash": asked["expiresAt"], "apitoken": asked["expires_at"]}[c.dialect]
	if past, ok := expiry.(string); ok && past < "2099" {
		t.Fatalf("accepted with the expiry %s: %s", past, a.Body)
	}
	switch c.dialect {
	case "muninx", "service":
		if got["name"] != asked["name"] {
			t.Fatalf("name %q became %q", asked["name"], got["name"])
		}
	case "unleash":
		if got["description"] != asked["description"] || got["secret"] == asked["secret"] {
			t.Fatalf("%q became %s", body, a.Body)
		}
	case "apitoken":
		details := got["details"].(map[string]any)
		if details["token_scope"] != asked["token_scope"] || asked["account_id"] != nil && details["account_id"] != asked["account_id"] {
			t.Fatalf("%q became %s", body, a.Body)
		}
	}
}
