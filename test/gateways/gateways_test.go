package gateways

import (
	"bytes"
	"crypto/sha256"
	"io"
	"math/rand"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// names are the headers that /verify answers with.
var names = []string{"Id", "Subject", "Scope", "Account", "Environment", "Dialect"}

// limit is how long the document lets a check take, with time for a busy machine.
const limit = 2*time.Second + 3*time.Second

// send makes a request through the gateway. Names of headers go out as they are spelt here.
func (s *site) send(t *testing.T, method, path, credential string, body io.Reader, headers ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, body)
	must(t, err)
	if credential != "" {
		r.Header.Set("Authorization", "Bearer "+credential)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header[headers[i]] = append(r.Header[headers[i]], headers[i+1])
	}
	answer, err := s.client.Do(r)
	must(t, err)
	_, err = io.Copy(io.Discard, answer.Body)
	must(t, err)
	answer.Body.Close()
	return answer
}

// allowed makes a request that has to reach the application once, and returns it as it came there.
func (s *site) allowed(t *testing.T, method, path, credential string, body io.Reader, headers ...string) request {
	t.Helper()
	s.app.take()
	answer := s.send(t, method, path, credential, body, headers...)
	got := s.app.take()
	if answer.StatusCode != http.StatusAccepted || len(got) != 1 {
		t.Fatalf("%s %s: %d, %d requests reached the application", method, path, answer.StatusCode, len(got))
	}
	return got[0]
}

// refused makes a request that must not reach the application.
func (s *site) refused(t *testing.T, path, credential string, headers ...string) *http.Response {
	t.Helper()
	s.app.take()
	answer := s.send(t, "GET", path, credential, nil, headers...)
	if got := s.app.take(); len(got) > 0 || answer.StatusCode < 300 {
		t.Errorf("%s %v: %d, and the application got %v", path, headers, answer.StatusCode, got)
	}
	return answer
}

func (s *site) expect(t *testing.T, status int, path, credential string, headers ...string) {
	t.Helper()
	answer := s.refused(t, path, credential, headers...)
	if answer.StatusCode != status {
		t.Errorf("%s %v: %d, want %d", path, headers, answer.StatusCode, status)
	}
	if status == http.StatusUnauthorized && !strings.HasPrefix(answer.Header.Get("WWW-Authenticate"), "Bearer ") {
		t.Errorf("%s: no WWW-Authenticate in %v", path, answer.Header)
	}
}

// issue creates a token for an environment of the account.
func (s *site) issue(t *testing.T) (secret, id string) {
	t.Helper()
	v := s.tokenwright.Vars
	a := s.tokenwright.Do("POST", "/api/v1/api_token", v["member"], `{"token_scope":"environment","environment_id":"`+v["environment"]+`"}`)
	if a.Status != http.StatusCreated && a.Status != http.StatusOK {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	return a.JSON()["token"].(string), a.JSON()["details"].(map[string]any)["id"].(string)
}

// checkTokenHeaders wants the six headers and nothing that an application could take for one of them.
func checkTokenHeaders(t *testing.T, got http.Header, want map[string]string) {
	t.Helper()
	for _, name := range names {
		if value := got.Get("X-Token-" + name); value != want[name] {
			t.Errorf("X-Token-%s is %q, want %q", name, value, want[name])
		}
	}
	for name, values := range got {
		plain := strings.ToLower(strings.ReplaceAll(name, "_", "-"))
		if !strings.HasPrefix(plain, "x-token") {
			continue
		}
		if _, ok := want[strings.TrimPrefix(name, "X-Token-")]; !ok || len(values) != 1 {
			t.Errorf("the application got %s: %v", name, values)
		}
	}
}

// forged is every header in every spelling that a framework may take for one of Tokenwright's.
func forged() []string {
	var headers []string
	for _, name := range names {
		for _, spelling := range []string{
			"X-Token-" + name, "x-token-" + strings.ToLower(name), "X-TOKEN-" + strings.ToUpper(name), "X_Token_" + name,
			"x_token_" + strings.ToLower(name), "X-Token_" + name, "X_Token-" + name,
		} {
			headers = append(headers, spelling, "forged", spelling, "forged twice")
		}
	}
	return headers
}

func TestAllowed(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		v := s.tokenwright.Vars
		secret, id := s.issue(t)
		environment := map[string]string{
			"Id": id, "Subject": v["environment"], "Scope": "environment", "Account": v["account"],
			"Environment": v["environment"], "Dialect": "apitoken",
		}
		me := s.tokenwright.Do("GET", "/verify", v["member"], "").Header
		user := map[string]string{}
		for _, name := range names {
			user[name] = me.Get("X-Token-" + name)
		}
		if user["Subject"] != "member" || user["Environment"] != "" {
			t.Fatalf("a user's token: %v", user)
		}
		for what, headers := range map[string][]string{
			"plain": nil, "forged": forged(),
			"removed": {"Connection", "close, X-Token-" + strings.Join(names, ", X-Token-")},
		} {
			t.Run(what, func(t *testing.T) {
				checkTokenHeaders(t, s.allowed(t, "GET", "/path", secret, nil, headers...).header, environment)
				checkTokenHeaders(t, s.allowed(t, "DELETE", "/reports/path", secret, nil, headers...).header, environment)
				checkTokenHeaders(t, s.allowed(t, "OPTIONS", "/", v["member"], nil, headers...).header, user)
			})
		}
	})
}

func TestRefused(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		secret, id := s.issue(t)
		for _, path := range []string{"/_tokenwright/any", "/_tokenwright/reports", "/_tokenwright/"} {
			s.refused(t, path, "")
			if a := s.send(t, "GET", path, secret, nil); a.StatusCode == http.StatusNoContent {
				t.Errorf("a client can ask Tokenwright at %s", path)
			}
		}
		for _, path := range []string{"/", "/reports/path", "/verify", "/.well-known/x"} {
			s.expect(t, 401, path, "")
			s.expect(t, 401, path, "wrong")
			s.expect(t, 401, path, "", forged()...)
			s.expect(t, 401, path, "", "Authorization", "Basic eDp5")
			s.allowed(t, "GET", path, secret, nil)
		}
		if a := s.tokenwright.Do("POST", "/service/tokens/apitoken/"+id+"/revoke", s.tokenwright.Vars["admin"], ""); a.Status != 200 {
			t.Fatalf("revoke: %d %s", a.Status, a.Body)
		}
		s.expect(t, 401, "/", secret)
		s.expect(t, 401, "/reports/path", secret)
	})
}

// TestRequirements asks for the paths that need a certain account and scope, in all their spellings.
func TestRequirements(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		secret, _ := s.issue(t)
		for _, path := range []string{
			"/reports/", "/reports/path", "//reports/path", "/x/../reports/path", "/./reports/path", "/%72eports/path",
			"/reports%2fpath", "/x/%2e%2e/reports/path", "/reports/?scope=user&account=" + s.tokenwright.Vars["other_account"],
		} {
			s.expect(t, 403, path, s.tokenwright.Vars["member"])
			s.expect(t, 403, path, s.tokenwright.Vars["stranger"])
			if got := s.allowed(t, "GET", path, secret, nil); !strings.Contains(got.uri, "ports") {
				t.Errorf("%s became %s", path, got.uri)
			}
		}
		s.allowed(t, "GET", "/path", s.tokenwright.Vars["stranger"], nil)
	})
}

// TestMisspeltRequirements changes what the set-up asks into what is no question: then the gateway has to let nobody in, for
// whoever wrote it meant to let in only some.
func TestMisspeltRequirements(t *testing.T) {
	each(t, func(t *testing.T, whole *site) {
		secret, _ := whole.issue(t)
		for _, question := range []string{"scopes=environment", "Scope=environment", "scope=", "scope", "scope=environment&role=admin", "account=&scope=environment"} {
			t.Run(question, func(t *testing.T) {
				t.Parallel()
				g := whole.gateway
				g.run = func(t *testing.T, dir, setup string) *process {
					changed := strings.Replace(setup, "account="+whole.tokenwright.Vars["account"]+"&scope=environment", question, 1)
					if changed == setup {
						t.Fatal("the set-up asks for nothing")
					}
					return whole.gateway.run(t, dir, changed)
				}
				s := start(t, g, whole.tokenwright)
				for _, credential := range []string{secret, whole.tokenwright.Vars["member"], ""} {
					if a := s.refused(t, "/reports/path", credential); a.StatusCode < 400 {
						t.Errorf("%d", a.StatusCode)
					}
				}
				s.allowed(t, "GET", "/path", secret, nil)
			})
		}
	})
}

// TestClientsWords sends what gateways use to say what a request was: none of it decides anything.
func TestClientsWords(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		secret, _ := s.issue(t)
		var headers []string
		for _, name := range []string{
			"X-Original-URI", "X-Original-URL", "X-Original-Path", "X-Rewrite-URL", "X-Forwarded-Uri", "X-Forwarded-Prefix", "X-Accel-Redirect",
		} {
			headers = append(headers, name, "/path?scope=user")
		}
		for _, name := range []string{"X-Original-Method", "X-Forwarded-Method", "X-HTTP-Method-Override"} {
			headers = append(headers, name, "OPTIONS")
		}
		headers = append(headers, "X-Original-Authorization", "Bearer "+secret, "X-Forwarded-Authorization", "Bearer "+secret,
			"Authorization_", "Bearer "+secret)
		s.expect(t, 401, "/path", "", headers...)
		s.expect(t, 401, "/reports/path", "", headers...)
		s.expect(t, 403, "/reports/path", s.tokenwright.Vars["member"], headers...)
		for _, path := range []string{"/path", "/reports/path?a=b", "/path?scope=x&scope=y&account=z", "/reports/?scope=x&account=z"} {
			if got := s.allowed(t, "GET", path, secret, nil, headers...); got.uri != path {
				t.Errorf("%s became %s", path, got.uri)
			}
		}
	})
}

func TestBodies(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		secret, _ := s.issue(t)
		body := make([]byte, 8<<20)
		_, _ = rand.New(rand.NewSource(1)).Read(body)
		for what, reader := range map[string]io.Reader{
			"with a length": bytes.NewReader(body), "chunked": io.MultiReader(bytes.NewReader(body)),
		} {
			s.checks.take()
			got := s.allowed(t, "POST", "/path", secret, reader, "Content-Type", "application/octet-stream")
			if got.method != "POST" || got.sum != sha256.Sum256(body) {
				t.Errorf("%s: the application got %s with %d bytes", what, got.method, got.size)
			}
			checks := s.checks.take()
			if len(checks) != 1 {
				t.Fatalf("%s: %d checks", what, len(checks))
			}
			if c := checks[0]; c.size != 0 || c.header.Get("Content-Length") != "" || c.uri != "/verify" && c.uri != "/verify?" {
				t.Errorf("%s: the check was %s with %d bytes, %v", what, c.uri, c.size, c.header)
			}
		}
		answer := s.send(t, "POST", "/path", "wrong", bytes.NewReader(body[:1000]))
		if got := s.app.take(); answer.StatusCode != http.StatusUnauthorized || len(got) > 0 {
			t.Errorf("a bad credential: %d %v", answer.StatusCode, got)
		}
	})
}

// TestOutages has Tokenwright fail in each way after it has worked, and work again.
func TestOutages(t *testing.T) {
	down := func(t *testing.T, s *site, path, credential string) {
		t.Helper()
		begin := time.Now()
		if a := s.refused(t, path, credential); a.StatusCode < 500 {
			t.Errorf("%s: %d", path, a.StatusCode)
		}
		if took := time.Since(begin); took > limit {
			t.Errorf("%s: the answer took %v", path, took)
		}
	}
	ways := map[string]func(net.Listener){
		"down": nil, "hangs": answering(""), "hangs up": hangUp,
		"hangs in its headers": answering("HTTP/1.1 204 No Content\r\nX-Token-Id: 1\r\nX-Token-"),
		"no HTTP":              answering("204\r\n\r\n"),
		"503":                  answering("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"),
		"500":                  answering("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"),
	}
	each(t, func(t *testing.T, whole *site) {
		secret, _ := whole.issue(t)
		for what, serve := range ways {
			t.Run(what, func(t *testing.T) {
				t.Parallel()
				s := start(t, whole.gateway, whole.tokenwright)
				s.allowed(t, "GET", "/path", secret, nil)
				s.checks.replace(t, serve)
				down(t, s, "/path", secret)
				down(t, s, "/reports/path", secret)
				down(t, s, "/path", "")
			})
		}
	})
}

// TestRecovery: an outage ends when it ends.
func TestRecovery(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		secret, _ := s.issue(t)
		s.checks.replace(t, nil)
		if a := s.refused(t, "/", secret); a.StatusCode < 500 {
			t.Errorf("down: %d", a.StatusCode)
		}
		s.checks.replace(t, func(l net.Listener) { _ = http.Serve(l, s.checks) })
		s.allowed(t, "GET", "/", secret, nil)
		s.expect(t, 401, "/", "")
	})
}

// answering says the text to whatever comes, and keeps the connection open.
func answering(text string) func(net.Listener) {
	return func(l net.Listener) {
		for {
			connection, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				for heard := make([]byte, 4096); ; {
					if _, err := connection.Read(heard); err != nil {
						return
					}
					_, _ = io.WriteString(connection, text)
				}
			}()
		}
	}
}

func hangUp(l net.Listener) {
	for {
		connection, err := l.Accept()
		if err != nil {
			return
		}
		connection.Close()
	}
}
