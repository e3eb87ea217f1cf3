package handlers_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/internal/server"
	"github.com/tokenwright/tokenwright/test/harness"
)

// creator is an operation that takes a body, one for each contract.
type creator struct {
	dialect string
	path    string
	body    string // that succeeds, with %s for a part that makes it unique where it has to be
	created int
	media   string // of errors
}

var creators = []creator{
	{"muninx", "/tokens", `{"name":"n%s"}`, 200, "application/problem+json"},
	{"apitoken", "/api/v1/api_token", `{"token_scope":"account"}`, 200, "application/json"},
	{"unleash", "/api/admin/user/tokens", `{"description":"d%s"}`, 201, "application/json"},
	{"service", "/service/accounts", `{"name":"a%s"}`, 201, "application/problem+json"},
}

func (c creator) unique(part string) string { return strings.Replace(c.body, "%s", part, 1) }

// each runs a behaviour on every contract, each with a server of its own.
func each(t *testing.T, o harness.Options, behaviour func(t *testing.T, s *harness.Server, c creator)) {
	for _, c := range creators {
		t.Run(c.dialect, func(t *testing.T) {
			t.Parallel()
			behaviour(t, harness.Start(t, o), c)
		})
	}
}

func ignoreUnknown(c *server.Config) { c.IgnoreUnknown = true }

func want(t *testing.T, c creator, what string, a harness.Answer, status int) {
	t.Helper()
	if a.Status != status {
		t.Errorf("%s: status %d, want %d: %s", what, a.Status, status, a.Body)
	}
	if media := a.Header.Get("Content-Type"); a.Status >= 400 && media != c.media {
		t.Errorf("%s: media type %q, want %q", what, media, c.media)
	}
}

func TestBodiesThatAreRefused(t *testing.T) {
	each(t, harness.Options{Configure: ignoreUnknown}, func(t *testing.T, s *harness.Server, c creator) {
		good := c.unique("")
		open, member := strings.TrimSuffix(good, "}"), `,"more":`
		deep := func(levels int) string {
			return open + member + strings.Repeat("[", levels-1) + strings.Repeat("]", levels-1) + "}"
		}
		for what, body := range map[string]string{
			"not JSON":               "{name}",
			"cut short":              open,
			"an array":               "[" + good + "]",
			"a string":               `"x"`,
			"null":                   "null",
			"only white space":       " \n ",
			"a second value":         good + good,
			"trailing bytes":         good + " x",
			"a byte order mark":      "\xef\xbb\xbf" + good,
			"a repeated member":      open + `,"a":1,"a":1}`,
			"repeated by escape":     open + `,"a":1,"\u0061":1}`,
			"repeated further down":  open + member + `{"a":1,"a":1}}`,
			"invalid UTF-8":          open + member + "\"\xff\"}",
			"overlong UTF-8":         open + member + "\"\xc0\x80\"}",
			"invalid UTF-8 in name":  open + ",\"\xff\":1}",
			"a lone high surrogate":  open + member + `"\ud800"}`,
			"a lone low surrogate":   open + member + `"\udc00"}`,
			"U+0000 escaped":         open + member + `"a\u0000b"}`,
			"U+0000 in a name":       open + `,"a\u0000":1}`,
			"U+0000 raw":             open + member + "\"a\x00b\"}",
			"a control character":    open + member + "\"a\nb\"}",
			"33 levels":              deep(33),
			"a number with a zero":   open + member + "01}",
			"NaN":                    open + member + "NaN}",
			"a comment":              open + "/* */}",
			"a comma too many":       open + ",}",
			"single quotes":          "{'name':'x'}",
			"a form in JSON's place": "name=x",
		} {
			want(t, c, what, s.Do("POST", c.path, s.Vars["admin"], body), http.StatusBadRequest)
		}
		want(t, c, "32 levels", s.Do("POST", c.path, s.Vars["admin"], deep(32)), c.created)
		want(t, c, "empty", s.Do("POST", c.path, s.Vars["admin"], "", "Content-Type", "application/json"), http.StatusBadRequest)
		fill := func(size int) string {
			return open + member + `"` + strings.Repeat("a", size-len(open)-len(member)-3) + `"}`
		}
		if c.dialect == "unleash" { // the first one took the description
			good = c.unique("x")
			open = strings.TrimSuffix(good, "}")
		}
		want(t, c, "64 KiB", s.Do("POST", c.path, s.Vars["admin"], fill(64<<10)), c.created)
		want(t, c, "over 64 KiB", s.Do("POST", c.path, s.Vars["admin"], fill(64<<10+1)), http.StatusRequestEntityTooLarge)
	})
}

func TestContentTypes(t *testing.T) {
	each(t, harness.Options{}, func(t *testing.T, s *harness.Server, c creator) {
		for value, status := range map[string]int{
			"application/json":                            c.created,
			"Application/JSON; Charset=UTF-8":             c.created,
			"application/json;charset=\"utf-8\"":          c.created,
			"application/json; charset=latin1":            415,
			"application/json; charset=utf-8; version=1":  c.created,
			"application/json; version=1":                 c.created,
			"application/json; charset=latin1; version=1": 415,
			"application/json; charset=":                  415,
			"application/json; charset=\"\"":              415,
			"application/json; version":                   415,
			"application/problem+json":                    415,
			"text/json":                                   415,
			"text/plain":                                  415,
			"application/x-www-form-urlencoded":           415,
			"multipart/form-data; boundary=x":             415,
			"application/json, text/plain":                415,
			"/":                                           415,
			"application/json; charset=utf-8; charset=u8": 415,
		} {
			a := s.Do("POST", c.path, s.Vars["admin"], c.unique(fmt.Sprint(len(value))), "Content-Type", value)
			want(t, c, value, a, status)
			taken(t, value, a, "application/json", "")
		}
		a := s.Do("POST", c.path, s.Vars["admin"], c.unique("gz"), "Content-Encoding", "gzip")
		want(t, c, "gzip", a, http.StatusUnsupportedMediaType)
		taken(t, "gzip", a, "", "identity")
		a = s.Do("POST", c.path, s.Vars["admin"], c.unique("gz"), "Content-Encoding", "gzip", "Content-Type", "text/plain")
		taken(t, "text, gzip", a, "application/json", "identity")
		want(t, c, "identity", s.Do("POST", c.path, s.Vars["admin"], c.unique("id"), "Content-Encoding", "Identity"), c.created)
	})
}

// taken asks that a 415 names what is taken, as far as that was the reason (RFC 9110 section 15.5.16).
func taken(t *testing.T, what string, a harness.Answer, media, coding string) {
	t.Helper()
	if a.Status == http.StatusUnsupportedMediaType &&
		(a.Header.Get("Accept") != media || a.Header.Get("Accept-Encoding") != coding) {
		t.Errorf("%s: Accept %q, Accept-Encoding %q, want %q and %q", what, a.Header.Get("Accept"),
			a.Header.Get("Accept-Encoding"), media, coding)
	}
}

// TestCredentialComesFirst shows that without a credential nothing else is judged.
func TestCredentialComesFirst(t *testing.T) {
	each(t, harness.Options{}, func(t *testing.T, s *harness.Server, c creator) {
		for what, a := range map[string]harness.Answer{
			"a good body":      s.Do("POST", c.path, "", c.unique("")),
			"a bad body":       s.Do("POST", c.path, "", "{"),
			"a large body":     s.Do("POST", c.path, "", strings.Repeat("x", 100<<10)),
			"a bad type":       s.Do("POST", c.path, "", "x", "Content-Type", "text/plain"),
			"an unknown path":  s.Do("GET", c.path+"/a/b/c/d", "", ""),
			"another method":   s.Do("PATCH", c.path, "", ""),
			"OPTIONS":          s.Do("OPTIONS", c.path, "", ""),
			"a trailing slash": s.Do("GET", c.path+"/", "", ""),
			"a bad parameter":  s.Do("GET", c.path+"?limit=x", "", ""),
		} {
			want(t, c, what, a, http.StatusUnauthorized)
			if got := a.Header.Get("WWW-Authenticate"); got != `Bearer realm="tokenwright"` {
				t.Errorf("%s: challenge %q", what, got)
			}
		}
	})
}

func TestPathsAndMethods(t *testing.T) {
	each(t, harness.Options{}, func(t *testing.T, s *harness.Server, c creator) {
		admin := s.Vars["admin"]
		for _, path := range []string{
			c.path + "/", "/" + c.path, c.path + "//", c.path + "/a%2fb", c.path + "%2f", c.path + "/%2e%2e/x/y/z",
			c.path + "/a/b/c/d/e", strings.Replace(c.path, "t", "%74", 1), strings.ToUpper(c.path),
		} {
			a := s.Do("GET", path, admin, "")
			if a.Status != http.StatusNotFound {
				t.Errorf("GET %s: %d, want 404", path, a.Status)
			}
		}
		for _, method := range []string{"PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"} {
			a := s.Do(method, c.path, admin, "")
			want(t, c, method, a, http.StatusMethodNotAllowed)
			if allow := a.Header.Get("Allow"); allow != "GET, HEAD, POST" {
				t.Errorf("%s: Allow is %q", method, allow)
			}
		}
		get, head := s.Do("GET", c.path, admin, ""), s.Do("HEAD", c.path, admin, "")
		want(t, c, "HEAD", head, get.Status)
		if got := head.Header.Get("Content-Type"); got != get.Header.Get("Content-Type") {
			t.Errorf("HEAD: media type %q", got)
		}
	})
}

// TestMethodsOfOpenPaths: a path that needs no credential needs none to say which methods it takes.
func TestMethodsOfOpenPaths(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	for _, path := range []string{
		"/healthz", "/readyz", "/docs", "/docs/reference.js", "/openapi/muninx.yaml", "/.well-known/jwks.json", "/statuslists/1",
	} {
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"} {
			a := s.Do(method, path, "", "")
			if a.Status != http.StatusMethodNotAllowed || a.Header.Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: %d, Allow %q", method, path, a.Status, a.Header.Get("Allow"))
			}
		}
	}
	for _, path := range []string{"/healthz/", "/healthz/x", "/docs/", "/service/me", "/introspect", "/statuslists/1%2f"} {
		if a := s.Do("PUT", path, "", ""); a.Status != http.StatusUnauthorized {
			t.Errorf("PUT %s: %d, want 401", path, a.Status)
		}
	}
}

// TestSecondSpellingsOfNumbers are refused in every contract.
func TestSecondSpellingsOfNumbers(t *testing.T) {
	each(t, harness.Options{}, func(t *testing.T, s *harness.Server, c creator) {
		for _, bad := range []string{"%2B1", "01", "1.0", "1e1", "+1", "", "0x1", "１"} {
			if a := s.Do("GET", c.path+"?limit="+bad, s.Vars["admin"], ""); a.Status != http.StatusBadRequest {
				t.Errorf("limit=%s: %d", bad, a.Status)
			}
		}
		want(t, c, "1", s.Do("GET", c.path+"?limit=1", s.Vars["admin"], ""), http.StatusOK)
	})
}

func TestCredentialsThatDoNotWork(t *testing.T) {
	each(t, harness.Options{}, func(t *testing.T, s *harness.Server, c creator) {
		admin := s.Vars["admin"]
		muninx := s.Do("POST", "/tokens", admin, `{"name":"x"}`).JSON()
		secret := muninx["token"].(string)
		if a := s.Do("GET", c.path, secret, ""); a.Status != http.StatusOK {
			t.Fatalf("the token does not work: %d %s", a.Status, a.Body)
		}
		refused := func(what, authorization string) {
			t.Helper()
			a := s.Do("GET", c.path, "", "", "Authorization", authorization)
			want(t, c, what, a, http.StatusUnauthorized)
			if got := a.Header.Get("WWW-Authenticate"); !strings.Contains(got, `error="invalid_token"`) {
				t.Errorf("%s: challenge %q", what, got)
			}
			if strings.Contains(string(a.Body), secret) {
				t.Errorf("%s: the answer repeats the secret", what)
			}
		}
		refused("changed", "Bearer "+flip(secret))
		refused("cut", "Bearer "+secret[:len(secret)-1])
		refused("longer", "Bearer "+secret+"a")
		refused("upper case", "Bearer "+strings.ToUpper(secret))
		refused("two words", "Bearer "+secret+" "+secret)
		refused("a JWT of nobody", "Bearer eyJhbGciOiJub25lIn0.e30.")
		refused("a PAT of nobody", "Bearer user:"+strings.Repeat("0", 56))
		id := muninx["id"].(string)
		s.Do("POST", "/service/tokens/muninx/"+id+"/suspend", admin, "")
		refused("suspended", "Bearer "+secret)
		s.Do("POST", "/service/tokens/muninx/"+id+"/activate", admin, "")
		if a := s.Do("GET", c.path, secret, ""); a.Status != http.StatusOK {
			t.Errorf("active again: %d", a.Status)
		}
		s.Do("POST", "/service/tokens/muninx/"+id+"/revoke", admin, "")
		refused("revoked", "Bearer "+secret)
		s.Do("DELETE", "/service/tokens/muninx/"+id, admin, "")
		refused("deleted", "Bearer "+secret)
	})
}

// flip changes the last character of a random part.
func flip(secret string) string {
	last := byte('0')
	if secret[12] == last {
		last = '1'
	}
	return secret[:12] + string(last) + secret[13:]
}

func TestRequestIDs(t *testing.T) {
	each(t, harness.Options{}, func(t *testing.T, s *harness.Server, c creator) {
		for _, good := range []string{"Trace.01-a_b", "12345678", strings.Repeat("a", 64)} {
			if got := s.Do("GET", c.path, "", "", "X-Request-Id", good).Header.Get("X-Request-Id"); got != good {
				t.Errorf("%q became %q", good, got)
			}
			if line := logged(t, s); len(line["request_id"].(string)) != 36 || line["client_request_id"] != good {
				t.Errorf("%q is logged as %v", good, line)
			}
		}
		for _, bad := range []string{
			"", "1234567", "with space", `quote"quote`, "<script>", "trace:1234", "trace/1234", strings.Repeat("a", 65), "ümlautümlaut",
			s.Vars["admin"], "eyJhbGciOi",
		} {
			a := s.Do("GET", c.path, "", "", "X-Request-Id", bad)
			got := a.Header.Get("X-Request-Id")
			if got == bad || len(got) != 36 {
				t.Errorf("%q became %q", bad, got)
			}
			if line := logged(t, s); line["request_id"] != got || line["client_request_id"] != nil {
				t.Errorf("%q, answered with %q, is logged as %v", bad, got, line)
			}
			var body map[string]any
			if err := json.Unmarshal(a.Body, &body); err != nil {
				t.Fatal(err)
			}
			repeated := body["request_id"]
			if c.dialect == "unleash" {
				repeated = body["id"]
			}
			if c.dialect != "apitoken" && repeated != got {
				t.Errorf("the body names %v, the header %q", repeated, got)
			}
		}
	})
}

// logged is the last line of the server's log. The server writes it before it has ended the answer.
func logged(t *testing.T, s *harness.Server) (line map[string]any) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(s.Log.String()), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &line); err != nil {
		t.Fatal(err)
	}
	return line
}
