package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestRegistryCommands takes every command of the registry through its life and one refusal.
func TestRegistryCommands(t *testing.T) {
	s, _ := start(t, t.TempDir())
	account := s.object(t, "account", "create", "--name", "Acme")["id"].(string)
	environment := s.object(t, "environment", "create", "--name", "test", "--account", account)["id"].(string)
	user := s.object(t, "user", "create", "--subject", "alice", "--name", "Alice", "--role", "member", "--account", account,
		"--issuer", "https://issuer.test")
	if user["issuer"] != "https://issuer.test" || user["role"] != "member" || user["account_id"] != account {
		t.Errorf("the user is %v", user)
	}
	for kind, id := range map[string]string{"account": account, "environment": environment, "user": "2"} {
		if disabled := s.object(t, kind, "disable", id); disabled["disabled"] != true {
			t.Errorf("%s disable: %v", kind, disabled)
		}
		if text := s.cli(t, kind, "list").ok(t); !strings.Contains(text, "disabled") {
			t.Errorf("%s list: %s", kind, text)
		}
		if text := s.cli(t, kind, "enable", id).ok(t); strings.Contains(text, "disabled") || !strings.Contains(text, id) {
			t.Errorf("%s enable: %s", kind, text)
		}
		if limited := s.objects(t, kind, "list", "--limit", "1"); len(limited) != 1 {
			t.Errorf("%s list --limit 1 has %d entries", kind, len(limited))
		}
		s.cli(t, kind, "disable", "999").refused(t, exitFailure, "the server responded 404 Not Found: ")
		s.cli(t, kind, "enable", "999").refused(t, exitFailure, "(request id ")
	}
	s.cli(t, "account", "create", "--name", " ").refused(t, exitFailure, "400 Bad Request: the request does not fit; /name ")
	s.cli(t, "environment", "create", "--name", "x", "--account", "x").refused(t, exitFailure, "/account_id ")
	s.cli(t, "user", "create", "--subject", "alice", "--name", "Alice", "--role", "member", "--account", account,
		"--issuer", "https://issuer.test").refused(t, exitFailure, "409 Conflict")
	s.cli(t, "user", "disable", "1").refused(t, exitFailure, "last enabled admin")
}

// creations are the flags that create a token of each dialect.
var creations = map[string][]string{
	"muninx":   {"--name", "CI token"},
	"apitoken": {"--scope", "account"},
	"unleash":  {"--description", "laptop"},
}

// newToken creates a token and returns its id and its secret.
func (s *instance) newToken(t *testing.T, dialect string) (id, secret string) {
	t.Helper()
	made := s.object(t, append([]string{"token", "create", "--dialect", dialect}, creations[dialect]...)...)
	switch dialect {
	case "apitoken":
		return made["details"].(map[string]any)["id"].(string), made["token"].(string)
	case "unleash":
		return fmt.Sprint(made["id"]), made["secret"].(string)
	default:
		return made["id"].(string), made["token"].(string)
	}
}

// TestTokenCommands takes a token of each dialect through the administration and through the dialect's own contract.
func TestTokenCommands(t *testing.T) {
	s, _ := start(t, t.TempDir())
	for dialect := range creations {
		t.Run(dialect, func(t *testing.T) {
			id, secret := s.newToken(t, dialect)
			s.works(t, secret)
			act := func(action string, more ...string) result {
				return s.cli(t, append([]string{"token", action, dialect, id}, more...)...)
			}
			for _, step := range []struct{ action, status string }{{"show", "active"}, {"suspend", "suspended"}, {"activate", "active"}, {"revoke", "revoked"}} {
				if text := act(step.action, "--admin").ok(t); !strings.Contains(text, " "+step.status+" ") || !strings.Contains(text, id) {
					t.Errorf("%s: %s", step.action, text)
				}
			}
			act("activate", "--admin").refused(t, exitFailure, "409 Conflict")
			if text := act("show").ok(t); !strings.Contains(text, dialect) || !strings.Contains(text, id) {
				t.Errorf("show: %s", text)
			}
			want := "Deleted the " + dialect + " token " + id + ".\n"
			if dialect == "unleash" { // whose contract answers the same if there was none
				want = "You have no unleash token " + id + " any more.\n"
			}
			if text := act("delete").ok(t); text != want {
				t.Errorf("delete: %s", text)
			}
			act("show").refused(t, exitFailure, "404 Not Found")
			act("show", "--admin").refused(t, exitFailure, "404 Not Found")
			act("delete", "--admin").refused(t, exitFailure, "404 Not Found")
		})
	}
	if text := s.cli(t, "token", "delete", "unleash", "99999").ok(t); text != "You have no unleash token 99999 any more.\n" {
		t.Errorf("delete: %s", text)
	}
	id, _ := s.newToken(t, "unleash")
	if text := s.cli(t, "token", "delete", "unleash", id, "--admin").ok(t); text != "Deleted the unleash token "+id+".\n" {
		t.Errorf("delete: %s", text)
	}
	t.Run("by its own contract", func(t *testing.T) {
		id, _ := s.newToken(t, "apitoken")
		for _, action := range []string{"suspend", "activate", "revoke", "delete"} {
			s.cli(t, "token", action, "apitoken", id).ok(t)
		}
	})
	for _, dialect := range []string{"muninx", "unleash"} {
		for _, action := range []string{"suspend", "activate", "revoke"} {
			s.cli(t, "token", action, dialect, "1").refused(t, exitUsage, "an admin can use --admin")
		}
	}
	s.cli(t, "token", "show", "unleash", "one").refused(t, exitUsage, "must be a number")
}

func TestTokenCreate(t *testing.T) {
	s, _ := start(t, t.TempDir(), "--max-lifetime", "0s")
	environment := s.objects(t, "environment", "list")[0]
	made := s.object(t, "token", "create", "--dialect", "apitoken", "--scope", "environment", "--expires", "2d",
		"--environment", environment["id"].(string), "--account", environment["account_id"].(string))
	details := made["details"].(map[string]any)
	expires, err := time.Parse(time.RFC3339, details["expires_at"].(string))
	if left := time.Until(expires); err != nil || left < 47*time.Hour || left > 48*time.Hour || details["environment_id"] != environment["id"] {
		t.Errorf("made %v", details)
	}
	text := s.cli(t, "token", "create", "--dialect", "unleash", "--expires", "2100-01-01T00:00:00Z").ok(t)
	lines := strings.Split(text, "\n")
	if len(lines) != 3 || !strings.Contains(lines[0], "is shown only this once") {
		t.Fatalf("printed %q", text)
	}
	s.works(t, lines[1])
	s.cli(t, "token", "create", "--dialect", "unleash", "--expires", "2001-01-01T00:00:00Z").
		refused(t, exitFailure, "400 Bad Request: the request does not fit; expiresAt must be in the future (request id ")
	s.cli(t, "token", "create", "--dialect", "apitoken", "--scope", "environment").refused(t, exitFailure, "environment_id is required")
}

func TestTokenCreateSecretFile(t *testing.T) {
	dir := t.TempDir()
	s, _ := start(t, dir)
	for dialect, flags := range creations {
		for _, output := range []string{"table", "json"} {
			file := filepath.Join(dir, dialect+output)
			args := append([]string{"token", "create", "--dialect", dialect, "--secret-file", file, "--output", output}, flags...)
			if dialect == "unleash" {
				args = append(args, "--description", "laptop "+output)
			}
			text := s.cli(t, args...).ok(t)
			secret := readSecret(t, file)
			s.works(t, secret)
			if strings.Contains(text, secret) {
				t.Errorf("printed %s", text)
			}
			if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the file has mode %v (%v)", info.Mode(), err)
			}
			s.cli(t, args...).refused(t, exitFailure, "is not overwritten")
			if readSecret(t, file) != secret {
				t.Error("the file was overwritten")
			}
		}
	}
	file := filepath.Join(dir, "refused")
	s.cli(t, "token", "create", "--dialect", "muninx", "--name", " ", "--secret-file", file).refused(t, exitFailure, "400")
	if _, err := os.Stat(file); err == nil {
		t.Error("a refusal left the file")
	}
}

// TestUserToken gives a new user its first credential.
func TestUserToken(t *testing.T) {
	dir := t.TempDir()
	s, _ := start(t, dir)
	account := s.objects(t, "account", "list")[0]["id"].(string)
	s.cli(t, "user", "create", "--subject", "bob", "--name", "Bob", "--role", "member", "--account", account).ok(t)
	lines := strings.Split(s.cli(t, "user", "token", "2", "--name", "first").ok(t), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "Created the muninx token ") || !strings.Contains(lines[0], "is shown only this once") {
		t.Fatalf("printed %q", lines)
	}
	if _, me := s.ask(t, "GET", "/service/me", lines[1], ""); !strings.Contains(me, `"bob"`) {
		t.Errorf("the credential is of %s", me)
	}
	made := s.object(t, "user", "token", "2", "--name", "second", "--expires", "2d")
	expires, err := time.Parse(time.RFC3339, made["expires_at"].(string))
	if left := time.Until(expires); err != nil || left < 47*time.Hour || left > 48*time.Hour || made["token"] == nil {
		t.Errorf("made %v", made)
	}
	file := filepath.Join(dir, "secret")
	args := []string{"user", "token", "2", "--name", "third", "--secret-file", file, "-o", "json"}
	text := s.cli(t, args...).ok(t)
	s.works(t, readSecret(t, file))
	if strings.Contains(text, `"token"`) || !strings.Contains(text, `"name": "third"`) {
		t.Errorf("printed %s", text)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v (%v)", info.Mode(), err)
	}
	s.cli(t, args...).refused(t, exitFailure, "is not overwritten")
	s.cli(t, "user", "token", "99", "--name", "x").refused(t, exitFailure, "the server responded ")
}

// TestCreatesWithoutAnAnswer: a success that shows no secret is none.
func TestCreatesWithoutAnAnswer(t *testing.T) {
	for _, body := range []string{"", "{}", "null", "[]", "<html>", `{"token":7,"secret":7}`, `{"token":"muninx_a`} {
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			fmt.Fprint(w, body)
		}))
		defer other.Close()
		env := map[string]string{"TOKENWRIGHT_CREDENTIAL": "x", "TOKENWRIGHT_SERVER": other.URL}
		var creates [][]string
		for dialect, flags := range creations {
			creates = append(creates, append([]string{"token", "create", "--dialect", dialect}, flags...))
		}
		creates = append(creates, []string{"user", "token", "1", "--name", "x"})
		file := filepath.Join(t.TempDir(), "secret")
		for _, args := range creates {
			for _, more := range [][]string{nil, {"-o", "json"}, {"--secret-file", file}} {
				command(t, env, append(slices.Clone(args), more...)...).refused(t, exitFailure, "does not match its contract")
			}
			if _, err := os.Stat(file); err == nil {
				t.Fatalf("%q left the file", body)
			}
		}
		for _, args := range [][]string{
			{"account", "create", "--name", "x"}, {"environment", "create", "--name", "x", "--account", "x"},
			{"user", "create", "--subject", "x", "--name", "x", "--role", "member", "--account", "x"},
		} {
			command(t, env, args...).refused(t, exitFailure, "does not match its contract")
		}
	}
}

// TestListsFollowCursors has more tokens than any page takes.
func TestListsFollowCursors(t *testing.T) {
	s, _ := start(t, t.TempDir(), "--unleash-max-tokens", "0")
	const many = maxPage + 5
	credential := s.credential(t)
	for i := range many {
		for path, body := range map[string]string{
			"/tokens": `{"name":"n"}`, "/api/v1/api_token": `{"token_scope":"account"}`,
			"/api/admin/user/tokens": `{"description":"` + strconv.Itoa(i) + `"}`,
		} {
			if status, text := s.ask(t, "POST", path, credential, body); status > 201 {
				t.Fatalf("%s answers %d %s", path, status, text)
			}
		}
	}
	for _, c := range []struct {
		args []string
		want int
	}{
		{[]string{"--dialect", "muninx"}, many + 1}, // and the first credential
		{[]string{"--dialect", "apitoken"}, many},
		{[]string{"--dialect", "unleash"}, many},
		{[]string{"--all"}, 3*many + 1},
		{[]string{"--all", "--dialect", "unleash"}, many},
		{[]string{"--all", "--user", "1"}, 2*many + 1},
		{[]string{"--all", "--status", "revoked"}, 0},
		{[]string{"--dialect", "apitoken", "--scope", "environment"}, 0},
		{[]string{"--dialect", "unleash", "--limit", "101"}, 101},
		{[]string{"--dialect", "muninx", "--limit", "3"}, 3},
		{[]string{"--all", "--limit", "100"}, 100},
	} {
		list := s.objects(t, append([]string{"token", "list"}, c.args...)...)
		ids := map[string]bool{}
		for _, row := range list {
			ids[fmt.Sprint(row["dialect"], row["id"])] = true
		}
		if len(list) != c.want || len(ids) != c.want {
			t.Errorf("token list %v has %d entries, %d of them different; want %d", c.args, len(list), len(ids), c.want)
		}
	}
	if rows := strings.Count(s.cli(t, "token", "list", "--dialect", "unleash").ok(t), "\n"); rows != many+1 {
		t.Errorf("the table has %d lines", rows)
	}
}

func TestMemberIsNoAdmin(t *testing.T) {
	s, _ := start(t, t.TempDir())
	id, secret := s.newToken(t, "apitoken")
	env := map[string]string{"TOKENWRIGHT_SERVER": s.url, "TOKENWRIGHT_CREDENTIAL": secret}
	if text := command(t, env, "token", "list", "--all").ok(t); strings.Count(text, "\n") != 2 || !strings.Contains(text, id) {
		t.Errorf("other tokens than its own are listed: %s", text)
	}
	command(t, env, "token", "list", "--dialect", "muninx").refused(t, exitFailure, "403 Forbidden")
	command(t, env, "user", "list").refused(t, exitFailure, "403")
	if text := command(t, env, "token", "list", "--dialect", "apitoken").ok(t); !strings.Contains(text, id) {
		t.Errorf("its own token is not listed: %s", text)
	}
}

func TestCredentialSources(t *testing.T) {
	dir := t.TempDir()
	s, _ := start(t, dir)
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	list := func(credential string, args ...string) result {
		env := map[string]string{"TOKENWRIGHT_SERVER": s.url, "TOKENWRIGHT_CREDENTIAL": credential}
		return command(t, env, append([]string{"user", "list"}, args...)...)
	}
	list(s.credential(t)).ok(t)
	list("stale", "--credential-file", s.credentialFile).ok(t)
	list("stale").refused(t, exitFailure, "401 Unauthorized: the credential is not valid")
	list("", "--credential-file", filepath.Join(dir, "nowhere")).refused(t, exitFailure, "nowhere")
	list("", "--credential-file", dir).refused(t, exitFailure, dir)
	for _, text := range []string{"", "\n", "two words", "two\nlines", "caf\u00e9"} {
		list("", "--credential-file", write("odd", text)).refused(t, exitFailure, "must contain exactly one credential and nothing else")
	}
}

// TestOtherServers answers what this server never would.
func TestOtherServers(t *testing.T) {
	var seen []string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.URL.Path)
		switch r.URL.Path {
		case "/moved/service/users":
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		case "/page/service/users":
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<html>")
		case "/proxy/service/users":
			http.Error(w, "<html>\x1b[31m", http.StatusBadGateway)
		}
	}))
	defer other.Close()
	env := map[string]string{"TOKENWRIGHT_CREDENTIAL": "x"}
	for path, want := range map[string]string{
		"/moved": "the server responded 307 Temporary Redirect", "/page": "does not match its contract",
		"/proxy": "the server responded 502 Bad Gateway: no reason given",
	} {
		command(t, env, "user", "list", "--server", other.URL+path).refused(t, exitFailure, want)
	}
	if slices.Contains(seen, "/elsewhere") {
		t.Error("the credential went where a redirect pointed")
	}
	command(t, env, "user", "list", "--server", "http://127.0.0.1:1").refused(t, exitFailure, "cannot reach the server at http://127.0.0.1:1: ")
}

// TestOutputDoesNotSteerTheTerminal lists what only unleash lets a thing be called.
func TestOutputDoesNotSteerTheTerminal(t *testing.T) {
	s, _ := start(t, t.TempDir())
	const name = "a\x1b[31m\u202eb\tc\nd\u009b\U000e0041"
	s.cli(t, "token", "create", "--dialect", "unleash", "--description", name).ok(t)
	text := s.cli(t, "token", "list", "--dialect", "unleash").ok(t)
	if !strings.Contains(text, `a\x1b[31m\u202eb\tc\nd\u009b\U000e0041`) || strings.Count(text, "\n") != 2 {
		t.Errorf("the table is %q", text)
	}
	text = s.cli(t, "token", "list", "--dialect", "unleash", "--output", "json").ok(t)
	if !strings.Contains(text, `"a\u001b[31m\u202eb\tc\nd\u009b\udb40\udc41"`) {
		t.Errorf("the JSON is %q", text)
	}
	if got := s.objects(t, "token", "list", "--dialect", "unleash")[0]["description"]; got != name {
		t.Errorf("the JSON means %q", got)
	}
}

func TestVersion(t *testing.T) {
	if text := command(t, nil, "version").ok(t); !strings.HasPrefix(text, "tokenwright ") {
		t.Errorf("the version is %q", text)
	}
}

// TestLeavers changes a user, and sees to what it leaves behind.
func TestLeavers(t *testing.T) {
	s, _ := start(t, t.TempDir())
	account := s.object(t, "account", "create", "--name", "Acme")["id"].(string)
	user := []string{"user", "create", "--name", "x", "--role", "member", "--account", account, "--subject"}
	id := fmt.Sprint(s.object(t, append(user, "leaver")...)["id"])
	s.cli(t, "user", "update", id).refused(t, exitUsage, "--role, --account or both")
	s.cli(t, "user", "update", "1", "--role", "member").refused(t, exitFailure, "last enabled admin")
	if text := s.cli(t, "user", "update", id, "--role", "introspector").ok(t); !strings.Contains(text, "introspector") {
		t.Error(text)
	}
	if moved := s.object(t, "user", "update", id, "--role", "member", "--account", account); moved["role"] != "member" {
		t.Errorf("%v", moved)
	}

	secret := s.object(t, "user", "token", id, "--name", "own")["token"].(string)
	env := s.env()
	env["TOKENWRIGHT_CREDENTIAL_FILE"] = ""
	env["TOKENWRIGHT_CREDENTIAL"] = secret
	made := decoded[map[string]any](t, command(t, env, "token", "create", "--dialect", "apitoken", "--scope", "account", "--output", "json").ok(t))
	left := made["details"].(map[string]any)["id"].(string)
	key := s.object(t, "token", "show", "--admin", "apitoken", left)["key"].(string)

	for _, flags := range [][]string{{"--created-by", id, "--dialect", "apitoken"}, {"--key", key}, {"--created-by", id, "--usable", "yes", "--dialect", "apitoken"}} {
		if found := s.objects(t, append([]string{"token", "list", "--all"}, flags...)...); len(found) != 1 || found[0]["id"] != left {
			t.Errorf("%v: %v", flags, found)
		}
	}
	if text := s.cli(t, "user", "disable", id).ok(t); !strings.Contains(text, left) || !strings.Contains(text, "disabled") {
		t.Errorf("disable: %s", text)
	}
	if text := s.cli(t, "token", "list", "--all", "--usable", "no").ok(t); !strings.Contains(text, "active, but user_disabled") || strings.Contains(text, left) {
		t.Errorf("what does not work: %s", text)
	}
	gone := s.object(t, "user", "disable", "--created", id)["created_tokens"].([]any)
	if len(gone) != 1 || gone[0].(map[string]any)["status"] != "suspended" {
		t.Errorf("%v", gone)
	}
	for flag, value := range map[string]string{"--created-by": "1", "--usable": "yes", "--key": "x"} {
		s.cli(t, "token", "list", "--dialect", "apitoken", flag, value).refused(t, exitUsage, "requires --all")
	}
	s.cli(t, "token", "list", "--all", "--created-by", "-1").refused(t, exitUsage, "--created-by")
	s.cli(t, "token", "list", "--all", "--usable", "perhaps").refused(t, exitUsage, "--usable")
}
