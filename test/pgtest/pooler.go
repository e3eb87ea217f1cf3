package pgtest

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/test/child"
)

// poolerSettings have transactions of one client change between few sessions, as on a busy machine.
const poolerSettings = `[databases]
* = host=%s port=%s user=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 8
min_pool_size = 2
server_round_robin = 1
max_client_conn = 1000
`

// Pooler starts a PgBouncer in transaction mode before the server of a URL, until the test ends, and returns the URL
// through it. A test that cannot get one fails.
func Pooler(t testing.TB, database string) string {
	t.Helper()
	needed(t)
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // in case someone took the free port first
		var address string
		if address, err = startPooler(t, u); err == nil {
			u.Host = address
			return u.String()
		}
	}
	t.Fatal(err)
	return ""
}

func startPooler(t testing.TB, server *url.URL) (string, error) {
	t.Helper()
	program, err := findPooler()
	if err != nil {
		return "", err
	}
	address, err := child.Free()
	if err != nil {
		return "", err
	}
	dir := t.TempDir()
	settings := filepath.Join(dir, "pgbouncer.ini")
	text := fmt.Sprintf(poolerSettings, server.Hostname(), server.Port(), server.User.Username(), address.Port)
	if err := os.WriteFile(settings, []byte(text), 0o644); err != nil {
		return "", err
	}
	for d := dir; strings.HasPrefix(d, os.TempDir()) && d != os.TempDir(); d = filepath.Dir(d) {
		_ = os.Chmod(d, 0o755) // for the pooler's user
	}
	output := &child.Buffer{}
	cmd := exec.Command(program, settings)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, output, output
	p, err := child.Start(cmd, serverUser(), syscall.SIGQUIT)
	if err != nil {
		return "", err
	}
	t.Cleanup(func() {
		_ = p.Signal(syscall.SIGTERM)
		<-p.Exited
	})
	return address.String(), listening(p, address.String(), output)
}

// listening waits until the program accepts connections.
func listening(p *child.Process, address string, output *child.Buffer) error {
	deadline := time.After(patience)
	for {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-p.Exited:
			return fmt.Errorf("pgtest: PgBouncer did not start: %s", output)
		case <-deadline:
			return fmt.Errorf("pgtest: PgBouncer does not answer: %w\n%s", err, output)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// findPooler looks where the packages of the systems put it.
func findPooler() (string, error) {
	if path, err := exec.LookPath("pgbouncer"); err == nil {
		return path, nil
	}
	for _, path := range []string{"/usr/sbin/pgbouncer", "/usr/local/sbin/pgbouncer", "/opt/homebrew/bin/pgbouncer"} {
		if isProgram(path) {
			return path, nil
		}
	}
	return "", errors.New("pgtest: no PgBouncer found: run `make pgbouncer`")
}
