package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/test/child"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

// pending is a request whose body the server waits for.
type pending struct {
	conn   net.Conn
	answer *bufio.Reader
}

const pendingBody = `{"name":"in flight"}`

// begin sends the head of a create and waits until the server asks for the body, so that the request is in flight.
func (p shipped) begin(t *testing.T) pending {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", p.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST /tokens HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"+
		"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n", p.credential(t), len(pendingBody))
	answer := bufio.NewReader(conn)
	if line, err := answer.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("the server says %q (%v)", line, err)
	}
	if _, err := answer.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return pending{conn, answer}
}

// stopBegun waits until the server has heard the signal and refuses connections.
func (p shipped) stopBegun(t *testing.T) {
	t.Helper()
	eventually(t, "the server to stop", func() bool { return strings.Contains(p.log.String(), "msg=stopping") })
	eventually(t, "connections to be refused", func() bool {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", p.address)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
}

func TestGracefulStop(t *testing.T) {
	dir := t.TempDir()
	p := launch(t, dir)
	request := p.begin(t)
	p.signal(t, syscall.SIGTERM)
	p.stopBegun(t)
	if _, err := io.WriteString(request.conn, pendingBody); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(request.answer, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("the request in flight got %d %s (%v)", response.StatusCode, text, err)
	}
	if code := p.Exit(); code != 0 {
		t.Errorf("exit %d: %s", code, p.log)
	}
	again, _ := start(t, dir)
	again.works(t, decoded[map[string]any](t, string(text))["token"].(string))
}

func TestSecondSignal(t *testing.T) {
	p := launch(t, t.TempDir(), "--shutdown-timeout", "10m")
	p.begin(t)
	p.signal(t, syscall.SIGTERM)
	p.stopBegun(t)
	p.signal(t, syscall.SIGINT)
	if code := p.Exit(); code != exitFailure {
		t.Errorf("exit %d", code)
	}
	if text := p.log.String(); !strings.HasSuffix(text, "tokenwright: stopped at once by a second signal\n") {
		t.Errorf("the end of the log is %q", text)
	}
}

func TestStopDoesNotWaitForEver(t *testing.T) {
	p := launch(t, t.TempDir(), "--shutdown-timeout", "50ms")
	p.begin(t)
	p.signal(t, syscall.SIGTERM)
	if code := p.Exit(); code != exitFailure || !strings.Contains(p.log.String(), "tokenwright: requests were broken off") {
		t.Errorf("exit %d: %s", code, p.log)
	}
}

// TestNoAnswerIsLost kills the server amid parallel creates. What it has answered is there after the restart.
func TestNoAnswerIsLost(t *testing.T) {
	dir := t.TempDir()
	flags := []string{"--unleash-max-tokens", "0", "--public-url", "http://tokens.test"}
	for round := range 2 {
		p := launch(t, dir, flags...)
		secrets := p.createUntilKilled(t, round)
		if code := p.Exit(); code != -1 {
			t.Fatalf("the process was not killed: exit %d", code)
		}
		again, stop := start(t, dir, flags...)
		for _, secret := range secrets {
			again.works(t, secret)
		}
		if listed := again.objects(t, "token", "list", "--all"); len(listed) < len(secrets)+1 {
			t.Errorf("%d creates were answered and %d tokens are listed", len(secrets), len(listed))
		}
		stop()
	}
}

// createUntilKilled creates tokens of all dialects in parallel, kills the server in the middle and returns the secrets
// that came back.
func (p shipped) createUntilKilled(t *testing.T, round int) []string {
	t.Helper()
	const enough = 150
	credential := p.credential(t)
	var mu sync.Mutex
	var secrets []string
	var workers sync.WaitGroup
	for worker := range 6 {
		workers.Go(func() {
			for i := 0; ; i++ {
				path, body := creation(worker, fmt.Sprintf("%d-%d-%d", round, worker, i))
				status, text := p.ask(t, "POST", path, credential, body)
				if status == 0 {
					return // killed
				}
				answer := decoded[map[string]any](t, text)
				secret, _ := answer["token"].(string)
				if other, ok := answer["secret"].(string); ok {
					secret = other
				}
				mu.Lock()
				if secrets = append(secrets, secret); len(secrets) == enough {
					if err := p.Signal(syscall.SIGKILL); err != nil {
						t.Error(err)
					}
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	return secrets
}

// creation is the path and the body of the n-th sort of create.
func creation(n int, name string) (path, body string) {
	switch n % 3 {
	case 0:
		return "/tokens", `{"name":"` + name + `"}`
	case 1:
		return "/api/v1/api_token", `{"token_scope":"account"}`
	default:
		return "/api/admin/user/tokens", `{"description":"` + name + `"}`
	}
}

// TestServersThatStartTogether share an empty PostgreSQL database and a key directory, and one of them fills it.
func TestServersThatStartTogether(t *testing.T) {
	dir, database := t.TempDir(), pgtest.URL(t)
	keys := filepath.Join(dir, "keys")
	command(t, nil, "keys", "init", "--key-directory", keys).ok(t)
	var servers [3]shipped
	var starting sync.WaitGroup
	child.Binary(t)
	for i := range servers {
		starting.Go(func() {
			servers[i] = launch(t, dir, "--public-url", "http://tokens.test", "--database-url", database, "--allow-unsafe-postgres", "--key-directory", keys,
				"--bootstrap-credential-file", filepath.Join(dir, "bootstrap-credential"))
		})
	}
	starting.Wait()
	first := 0
	for _, p := range servers {
		if p.instance == nil {
			t.Fatal("a server did not start")
		}
		first += strings.Count(p.out.String(), "The first admin's credential")
		p.works(t, p.credential(t))
	}
	if first != 1 {
		t.Errorf("%d servers say that they made the first credential", first)
	}
}

// TestOneServerAFile: a second server would not hear of the first one's changes. The place is free again when the first
// one has ended, in whatever way.
func TestOneServerAFile(t *testing.T) {
	dir := t.TempDir()
	p := launch(t, dir)
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(filepath.Join(dir, "tokenwright.db"), link); err != nil {
		t.Fatal(err)
	}
	real := filepath.Join(dir, "tokenwright.db")
	for _, path := range []string{real, link} {
		command(t, nil, "serve", "--listen", "127.0.0.1:0", "--database-url", "sqlite:"+path).
			refused(t, exitFailure, "another server is at work on "+real)
	}
	p.works(t, p.credential(t))
	p.signal(t, syscall.SIGKILL)
	p.Exit()
	_, stop := start(t, dir)
	stop()
	start(t, dir)
}

// TestOneServerAFileThatALinkMade: a symbolic link that leads nowhere yet is as good a name as any.
func TestOneServerAFileThatALinkMade(t *testing.T) {
	dir := t.TempDir()
	real := filepath.Join(t.TempDir(), "real.db")
	if err := os.Symlink(real, filepath.Join(dir, "tokenwright.db")); err != nil {
		t.Fatal(err)
	}
	s, _ := start(t, dir)
	command(t, nil, "serve", "--listen", "127.0.0.1:0", "--database-url", "sqlite:"+real).
		refused(t, exitFailure, "another server is at work on "+real)
	s.works(t, s.credential(t))
}

// TestOneServerAFileThatWasReplaced: a server that is at work on a file that has another name by now still is at work.
func TestOneServerAFileThatWasReplaced(t *testing.T) {
	dir := t.TempDir()
	start(t, dir)
	path := filepath.Join(dir, "tokenwright.db")
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + ".old"} {
		command(t, nil, "serve", "--listen", "127.0.0.1:0", "--database-url", "sqlite:"+name).
			refused(t, exitFailure, "another server is at work on "+name)
	}
	if err := os.Rename(path+".old", path); err != nil {
		t.Fatal(err)
	}
}

// TestFailureIsOneLine asks the real program, which has no panic to show either.
func TestFailureIsOneLine(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
	}{
		{[]string{"serve", "--listen", "nowhere"}, exitUsage},
		{[]string{"bootstrap", "--credential-file", "x", "--database-url", "postgres://u:hunter2@127.0.0.1:1/d"}, exitFailure},
	} {
		program := exec.CommandContext(t.Context(), child.Binary(t), c.args...)
		program.Env, program.Dir = []string{}, t.TempDir()
		out, err := program.CombinedOutput()
		if err == nil || program.ProcessState.ExitCode() != c.code || strings.Count(string(out), "\n") != 1 || strings.Contains(string(out), "hunter2") {
			t.Errorf("%v: %v, %q", c.args, err, out)
		}
	}
}
