package main

import (
	"bufio"
	"context"
	"database/sql"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/tokenwright/tokenwright/test/pgtest"
)

// TestFirstStartPrintsCallsThatWork pastes what the server prints into a shell.
func TestFirstStartPrintsCallsThatWork(t *testing.T) {
	s, _ := start(t, filepath.Join(t.TempDir(), "a place with 'quotes'"))
	credential := s.credential(t)
	if strings.Contains(s.out.String()+s.log.String(), credential) {
		t.Error("the credential is printed")
	}
	members := []string{"token", "token", "secret"}
	calls := 0
	for line := range strings.Lines(s.out.String()) {
		if !strings.HasPrefix(line, "curl ") {
			continue
		}
		out, err := exec.CommandContext(t.Context(), "sh", "-c", strings.Replace(line, "curl", "curl --silent --show-error --fail-with-body", 1)).Output()
		if err != nil {
			t.Fatalf("%s: %v: %s", line, err, out)
		}
		answer := decoded[map[string]any](t, string(out))
		if calls < len(members) {
			secret, _ := answer[members[calls]].(string)
			s.works(t, secret)
		} else if answer["role"] != "admin" {
			t.Errorf("the caller is %v", answer)
		}
		calls++
	}
	if calls != 4 {
		t.Errorf("%d calls are printed: %s", calls, s.out)
	}
}

func TestFilesAreForTheirOwnerOnly(t *testing.T) {
	s, _ := start(t, filepath.Join(t.TempDir(), "data"))
	err := filepath.WalkDir(s.dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestSecondStart finds the credential and the keys of the first, and does not touch them.
func TestSecondStart(t *testing.T) {
	dir := t.TempDir()
	const public = "http://tokens.test"
	first, stop := start(t, dir, "--public-url", public)
	credential := first.credential(t)
	made := first.object(t, "token", "create", "--dialect", "apitoken", "--scope", "account")
	stop()
	second, stop := start(t, dir, "--public-url", public)
	if got := second.credential(t); got != credential {
		t.Error("the credential file has changed")
	}
	second.works(t, credential)
	second.works(t, made["token"].(string))
	if !strings.Contains(second.out.String(), "curl --request POST --url "+public+"/tokens ") {
		t.Errorf("the calls are missing: %s", second.out)
	}
	stop()
	if err := os.Remove(first.credentialFile); err != nil {
		t.Fatal(err)
	}
	third, _ := start(t, dir, "--public-url", public)
	if text := third.out.String(); strings.Contains(text, "curl") || !strings.Contains(text, "tokenwright bootstrap") {
		t.Errorf("printed without a credential file: %s", text)
	}
}

func TestStartFailures(t *testing.T) {
	t.Chdir(t.TempDir())
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	write := func(name, text string) {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("garbage", "no key at all")
	write("bad/garbage.active.pem", "no key at all")
	write("occupied/bootstrap-credential", "somebody's\n")
	write("notes/tokenwright.db", strings.Repeat("no database at all\n", 1000))
	const zero = "--listen=127.0.0.1:0"
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"port in use":             {[]string{"--listen", taken.Addr().String()}, "address already in use"},
		"metrics port in use":     {[]string{zero, "--metrics-listen", taken.Addr().String()}, "--metrics-listen"},
		"garbage certificate":     {[]string{zero, "--tls-cert", "garbage", "--tls-key", "garbage"}, "garbage"},
		"no certificate":          {[]string{zero, "--tls-cert", "nowhere", "--tls-key", "nowhere"}, "nowhere"},
		"garbage key":             {[]string{zero, "--key-directory", "bad"}, "garbage.active.pem"},
		"keys are a file":         {[]string{zero, "--key-directory", "garbage"}, "not a directory"},
		"no keys for PostgreSQL":  {[]string{zero, "--key-directory", "nowhere", "--database-url", "postgres://127.0.0.1:1/d"}, "tokenwright keys init --key-directory nowhere"},
		"occupied credential":     {[]string{zero, "--database-url", "sqlite:occupied/tokenwright.db"}, "bootstrap-credential is there already"},
		"no database":             {[]string{zero, "--database-url", "sqlite:notes/tokenwright.db"}, "database"},
		"database is a directory": {[]string{zero, "--database-url", "sqlite:occupied"}, "database"},
		"not migrated":            {[]string{zero, "--no-migrate", "--database-url", "sqlite:fresh/tokenwright.db"}, "tokenwright migrate up"},
	} {
		t.Run(name, func(t *testing.T) {
			command(t, nil, append([]string{"serve"}, c.args...)...).refused(t, exitFailure, c.want)
		})
	}
	if got := readSecret(t, "occupied/bootstrap-credential"); got != "somebody's" {
		t.Errorf("the file that was there now has %q", got)
	}
}

// TestOccupiedFileThenFree shows that a refused first start has left the database empty.
func TestOccupiedFileThenFree(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "bootstrap-credential")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"serve", "--listen", "127.0.0.1:0", "--database-url", "sqlite:" + filepath.Join(dir, "tokenwright.db")}
	command(t, nil, args...).refused(t, exitFailure, "move it away or name another file with --bootstrap-credential-file")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	s, _ := start(t, dir)
	s.works(t, s.credential(t))
}

func TestNewerDatabase(t *testing.T) {
	s, stop := start(t, t.TempDir())
	stop()
	path := filepath.Join(s.dir, "tokenwright.db")
	execute(t, path, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)")
	for _, args := range [][]string{
		{"serve", "--listen", "127.0.0.1:0"}, {"serve", "--listen", "127.0.0.1:0", "--no-migrate"}, {"migrate", "up"},
		{"bootstrap", "--credential-file", filepath.Join(s.dir, "new")},
	} {
		command(t, nil, append(args, "--database-url", "sqlite:"+path)...).refused(t, exitFailure, "newer")
	}
}

// execute changes a SQLite file behind the program's back.
func execute(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func TestSettingsByVariable(t *testing.T) {
	env := map[string]string{
		"TOKENWRIGHT_LISTEN": "127.0.0.1:0", "TOKENWRIGHT_DATABASE_URL": "sqlite:" + filepath.Join(t.TempDir(), "t.db"),
		"TOKENWRIGHT_MIGRATE": "false",
	}
	command(t, env, "serve").refused(t, exitFailure, "tokenwright migrate up")
	command(t, env, "serve", "--listen", "127.0.0.1").refused(t, exitUsage, "must be HOST:PORT")
	env["TOKENWRIGHT_MIGRATE"] = "perhaps"
	command(t, env, "serve").refused(t, exitUsage, "(from TOKENWRIGHT_MIGRATE)")
}

// TestStopWhileStarting is no failure: nothing was promised yet.
func TestStopWhileStarting(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := newInstance(t.TempDir())
	if code := run(ctx, s.arguments(nil), func(string) string { return "" }, s.out, s.log); code != 0 || s.out.String() != "" {
		t.Errorf("exit %d: %s%s", code, s.out, s.log)
	}
}

func TestMigrate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.db")
	url := "--database-url=sqlite:" + path
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if text := command(t, nil, "migrate", "status", url).ok(t); !strings.Contains(text, "has version 0") || !strings.Contains(text, "Pending: ") {
		t.Errorf("before: %s", text)
	}
	if text := command(t, nil, "migrate", "up", url).ok(t); !strings.Contains(text, "it had 0") {
		t.Errorf("up: %s", text)
	}
	if text := command(t, nil, "migrate", "status", url).ok(t); strings.Contains(text, "version 0") || strings.Contains(text, "Pending") {
		t.Errorf("after: %s", text)
	}
	command(t, nil, "migrate", "status", "--database-url", "postgres://u:hunter2@127.0.0.1:1/d").refused(t, exitFailure, "cannot be reached")
}

// TestMistypedDatabase: a command that needs a database makes none.
func TestMistypedDatabase(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("notes", []byte("no database at all\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"typo/tokenwright.db": "there is no file ", "typo.db": "there is no file ", "notes": "notes is not a SQLite database"} {
		command(t, nil, "migrate", "status", "--database-url", "sqlite:"+path).refused(t, exitFailure, want)
		command(t, nil, "bootstrap", "--database-url", "sqlite:"+path, "--credential-file", "credential").refused(t, exitFailure, want)
	}
	for _, args := range [][]string{{"migrate", "up"}, {"serve", "--listen", "127.0.0.1:0", "--key-directory", filepath.Join(t.TempDir(), "keys")}} {
		command(t, nil, append(args, "--database-url", "sqlite:notes")...).refused(t, exitFailure, "notes is not a SQLite database")
	}
	if left, err := os.ReadDir("."); err != nil || len(left) != 1 {
		t.Errorf("there is %v (%v)", left, err)
	}
	command(t, nil, "migrate", "up", "--database-url", "sqlite:new/tokenwright.db").ok(t)
}

// TestOptionsOfTheServer asks for what HTTP calls the options of the server as a whole, which needs a credential like
// every other request.
func TestOptionsOfTheServer(t *testing.T) {
	s, _ := start(t, t.TempDir())
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusUnauthorized || response.Header.Get("X-Request-Id") == "" {
		t.Errorf("the answer is %s with %v", response.Status, response.Header)
	}
}

func TestHelpTellsWhatTheIssuerMeans(t *testing.T) {
	help := strings.Join(strings.Fields(command(t, nil, "serve", "--help").ok(t)), " ")
	if strings.Count(help, "no longer accepted") != 2 {
		t.Errorf("the help is %s", help)
	}
}

func TestKeysInit(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	command(t, nil, "keys", "init", "--key-directory", dir).ok(t)
	command(t, nil, "keys", "init", "--key-directory", dir).refused(t, exitFailure, "holds a key already")
}

func TestPostgres(t *testing.T) {
	dir, database := t.TempDir(), pgtest.URL(t)
	keys, file := filepath.Join(dir, "keys"), filepath.Join(dir, "credential")
	command(t, nil, "keys", "init", "--key-directory", keys).ok(t)
	args := []string{"serve", "--listen", "127.0.0.1:0", "--database-url", database, "--allow-unsafe-postgres", "--key-directory", keys}
	command(t, nil, args...).refused(t, exitFailure, "--bootstrap-credential-file")
	unsafe := slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return arg == "--allow-unsafe-postgres" })
	command(t, nil, unsafe...).refused(t, exitFailure, "fsync=off and full_page_writes=off")
	s, stop := start(t, dir, "--database-url", database, "--allow-unsafe-postgres", "--key-directory", keys, "--bootstrap-credential-file", file)
	s.credentialFile = file
	made := s.object(t, "token", "create", "--dialect", "apitoken", "--scope", "account")
	s.works(t, made["token"].(string))
	stop()
	again, _ := start(t, dir, "--database-url", database, "--allow-unsafe-postgres", "--key-directory", keys)
	again.works(t, readSecret(t, file))
	if strings.Contains(again.out.String(), "curl") {
		t.Errorf("a file that was not named is printed: %s", again.out)
	}
}

func TestPolicyFlags(t *testing.T) {
	s, _ := start(t, t.TempDir(), "--unleash-max-tokens", "1", "--unleash-strict", "--max-lifetime", "2h", "--apitoken-default-lifetime", "1h")
	pat := []string{"token", "create", "--dialect", "unleash", "--expires", "1h", "--description"}
	s.cli(t, "token", "create", "--dialect", "unleash", "--description", "a").refused(t, exitFailure, "expiresAt is required")
	s.cli(t, append(pat, "a")...).ok(t)
	s.cli(t, append(pat, "b")...).refused(t, exitFailure, "limit of 1")
	s.cli(t, "token", "create", "--dialect", "apitoken", "--scope", "account", "--expires", "1d").refused(t, exitFailure, "must not be later")
	details := s.object(t, "token", "create", "--dialect", "apitoken", "--scope", "account")["details"].(map[string]any)
	inserted, err1 := time.Parse(time.RFC3339, details["inserted_at"].(string))
	expires, err2 := time.Parse(time.RFC3339, details["expires_at"].(string))
	if err1 != nil || err2 != nil || !expires.Equal(inserted.Add(time.Hour).Truncate(time.Second)) {
		t.Errorf("inserted %s, expires %s", inserted, expires)
	}
	name := s.object(t, "token", "create", "--dialect", "muninx", "--name", "clipped")
	if shown := s.object(t, "token", "show", "muninx", name["id"].(string)); shown["expires_at"] == nil {
		t.Error("the maximum lifetime does not bind muninx")
	}
}

func TestIgnoreUnknownMembers(t *testing.T) {
	for status, flags := range map[int][]string{http.StatusBadRequest: nil, http.StatusOK: {"--ignore-unknown-members"}} {
		s, _ := start(t, t.TempDir(), flags...)
		if got, body := s.ask(t, "POST", "/tokens?color=red", s.credential(t), `{"name":"x","color":"red"}`); got != status {
			t.Errorf("%v: %d %s", flags, got, body)
		}
	}
}

func TestOneAccessLineARequest(t *testing.T) {
	s, stop := start(t, t.TempDir(), "--log-format", "json")
	for _, path := range []string{"/healthz", "/tokens", "/nowhere", "/service/me"} {
		s.ask(t, "GET", path, s.credential(t), "")
	}
	stop()
	if printed := s.out.String(); printed != "" {
		t.Errorf("beside the log in JSON is printed: %s", printed)
	}
	if !strings.Contains(s.log.String(), s.credentialFile) {
		t.Error("the log does not say where the credential is")
	}
	lines := 0
	for line := range strings.Lines(s.log.String()) {
		entry := decoded[map[string]any](t, line)
		if entry["msg"] == "request" {
			lines++
			if entry["request_id"] == "" || entry["status"] == nil {
				t.Errorf("the line is not complete: %s", line)
			}
		}
	}
	if lines != 4 {
		t.Errorf("4 requests left %d lines", lines)
	}
}

func TestLargeHeaderIsRefused(t *testing.T) {
	s, _ := start(t, t.TempDir())
	if status, _ := s.askWith(t, http.DefaultClient, "GET", "/service/me", strings.Repeat("a", 64<<10), ""); status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a header of 64 KiB got %d", status)
	}
	s.works(t, s.credential(t))
}

// TestReadyMeansAbleToWrite has another process keep the database from being written to.
func TestReadyMeansAbleToWrite(t *testing.T) {
	s, _ := start(t, t.TempDir())
	ready := func() int {
		status, _ := s.ask(t, "GET", "/readyz", "", "")
		return status
	}
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(s.dir, "tokenwright.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, statement := range []string{"PRAGMA busy_timeout = 10000", "BEGIN IMMEDIATE"} {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the server not to be ready", func() bool { return ready() == http.StatusServiceUnavailable })
	if !strings.Contains(s.log.String(), `msg="the database takes no writes, and /readyz says so" error=`) {
		t.Errorf("the log does not say why: %s", s.log)
	}
	s.works(t, s.credential(t)) // what needs no writing goes on
	if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the server to be ready again", func() bool { return ready() == http.StatusOK })
	eventually(t, "the log to say so", func() bool { return strings.Contains(s.log.String(), "takes writes again") })
}

func TestReadiness(t *testing.T) {
	s, _ := start(t, t.TempDir())
	if status, body := s.ask(t, "GET", "/readyz", "", ""); status != http.StatusOK {
		t.Errorf("a server at work is not ready: %d %s", status, body)
	}
}
