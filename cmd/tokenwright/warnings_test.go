package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/test/pgtest"
)

const plainTextWarning = "clients send secrets in plain text"

// TestPlainTextIsSaidOutLoud where it leaves the machine and no proxy is said to be in front.
func TestPlainTextIsSaidOutLoud(t *testing.T) {
	dir := t.TempDir()
	cert, key := certificate(t, dir)
	open := []string{"--listen", "0.0.0.0:0", "--public-url", "http://tokens.test"}
	for name, c := range map[string]struct {
		args   []string
		warned bool
	}{
		"loopback":             {nil, false},
		"beyond":               {open, true},
		"beyond, with TLS":     {append([]string{"--tls-cert", cert, "--tls-key", key}, open...), false},
		"beyond, with a proxy": {append([]string{"--trusted-proxy"}, open...), false},
		"beyond, with proxies": {append([]string{"--trusted-proxies", "10.0.0.0/8"}, open...), false},
	} {
		t.Run(name, func(t *testing.T) {
			s, stop := start(t, t.TempDir(), c.args...)
			stop()
			if warned := strings.Contains(s.log.String(), plainTextWarning); warned != c.warned {
				t.Errorf("the log: %s", s.log)
			}
		})
	}
}

// TestPasswordOnTheCommandLine is seen by everybody on the machine, and is said to be, but not repeated.
func TestPasswordOnTheCommandLine(t *testing.T) {
	const warning = "all users of this machine can see the password in --"
	u, err := url.Parse(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	plain := u.String()
	inQuery := plain + "&password=hunter2"
	u.User = url.UserPassword(u.User.Username(), "hunter2")
	address := u.String()
	file := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(file, []byte(address+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, nil, "migrate", "up", "--allow-unsafe-postgres", "--database-url", plain).ok(t)
	for name, c := range map[string]struct {
		args   []string
		env    map[string]string
		warned bool
	}{
		"flag":                  {[]string{"--database-url", address}, nil, true},
		"flag with =":           {[]string{"--database-url=" + address}, nil, true},
		"flag, in the query":    {[]string{"--database-url", inQuery}, nil, true},
		"flag without password": {[]string{"--database-url", plain}, nil, false},
		"direct":                {[]string{"--database-url", plain, "--direct-database-url", address}, nil, true},
		"direct, file":          {[]string{"--database-url", plain, "--direct-database-url-file", file}, nil, false},
		"direct, variable":      {[]string{"--database-url", plain}, map[string]string{"TOKENWRIGHT_DIRECT_DATABASE_URL": address}, false},
		"variable":              {nil, map[string]string{"TOKENWRIGHT_DATABASE_URL": address}, false},
		"file":                  {[]string{"--database-url-file", file}, nil, false},
		"file by variable":      {nil, map[string]string{"TOKENWRIGHT_DATABASE_URL_FILE": file}, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := command(t, c.env, append([]string{"migrate", "status", "--allow-unsafe-postgres"}, c.args...)...)
			if strings.Contains(r.errors, warning) != c.warned || r.code != 0 {
				t.Errorf("exit %d: %s", r.code, r.errors)
			}
			if strings.Contains(r.errors, "hunter2") {
				t.Errorf("the password is printed: %s", r.errors)
			}
		})
	}
	keys := filepath.Join(t.TempDir(), "keys")
	command(t, nil, "keys", "init", "--key-directory", keys).ok(t)
	r := command(t, nil, "serve", "--listen", "127.0.0.1:0", "--key-directory", keys, "--log-format", "json",
		"--database-url", "postgres://u:hunter2@127.0.0.1:1/d?sslmode=disable")
	if !strings.Contains(r.errors, `"level":"WARN","msg":"`+warning) || strings.Contains(r.errors, "hunter2") {
		t.Errorf("the log: %s", r.errors)
	}
}

// TestPasswordOfAPostgres comes from a file: the one of the URL, or the one that PostgreSQL's own programs read.
func TestPasswordOfAPostgres(t *testing.T) {
	cluster := pgtest.NewCluster(t)
	database := cluster.URL(t)
	cluster.Exec(t, "CREATE ROLE secretive LOGIN SUPERUSER PASSWORD 'hunter2'")
	cluster.RequirePassword(t, "secretive")
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	u.User = url.User("secretive")
	without := u.String()
	command(t, nil, "migrate", "up", "--database-url", without).refused(t, exitFailure, "password")
	u.User = url.UserPassword("secretive", "hunter2")
	command(t, nil, "migrate", "up", "--database-url-file", write(u.String()+"\n")).ok(t)
	t.Setenv("PGPASSFILE", write(fmt.Sprintf("127.0.0.1:%s:*:secretive:hunter2\n", u.Port())))
	command(t, nil, "migrate", "status", "--database-url", without).ok(t)
}

func TestFileOfTheDatabaseURL(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	wrongURL := write("wrong", "mysql://u:hunter2@h/d\n")
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"missing":   {[]string{"--database-url-file", filepath.Join(dir, "nowhere")}, exitFailure, "nowhere: no such file"},
		"wrong":     {[]string{"--database-url-file", wrongURL}, exitUsage, "--database-url-file (TOKENWRIGHT_DATABASE_URL_FILE) must begin with"},
		"empty":     {[]string{"--database-url-file", write("empty", "\n")}, exitUsage, "must begin with"},
		"both":      {[]string{"--database-url-file", wrongURL, "--database-url", "sqlite:x.db"}, exitUsage, "give one of them"},
		"ephemeral": {[]string{"--database-url-file", wrongURL, "--ephemeral"}, exitUsage, "cannot be used with --ephemeral"},
	} {
		t.Run(name, func(t *testing.T) {
			r := command(t, nil, append([]string{"serve", "--listen", "127.0.0.1:0"}, c.args...)...)
			r.refused(t, c.code, c.want)
			if strings.Contains(r.errors, "hunter2") {
				t.Errorf("the password is printed: %s", r.errors)
			}
		})
	}
	path := filepath.Join(dir, "tokenwright.db")
	command(t, nil, "migrate", "up", "--database-url-file", write("right", "sqlite:"+path)).ok(t)
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}
