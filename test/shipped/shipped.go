//go:build unix

// Package shipped runs the program as it is shipped, for tests that have to stop it, kill it or load it as a whole.
package shipped

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	"github.com/tokenwright/tokenwright/test/loopback"
)

// patience is how long a start may take on a busy machine.
const patience = 30 * time.Second

var built struct {
	sync.Once
	program string
	err     error
}

// Main runs the tests and removes the program that they may have built. It is for TestMain.
func Main(m interface{ Run() int }) int {
	code := m.Run()
	if built.program != "" {
		_ = os.RemoveAll(filepath.Dir(built.program))
	}
	return code
}

func program(t testing.TB) string {
	t.Helper()
	built.Do(func() {
		dir, err := os.MkdirTemp("", "tokenwright-shipped-")
		if err != nil {
			built.err = err
			return
		}
		built.program = filepath.Join(dir, "tokenwright")
		build := exec.Command("go", "build", "-o", built.program, "github.com/tokenwright/tokenwright/cmd/tokenwright")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("%w\n%s", err, out)
		}
	})
	need(t, built.err)
	return built.program
}

func need(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Server is the program at work in a process of its own.
type Server struct {
	Address string
	Secret  string // of the first admin
	Dir     string // has the log and, with SQLite, the database
	Client  *http.Client

	t       testing.TB
	args    []string
	process *child.Process
	killed  bool
}

// Start runs the server on a database until the test ends; "" is a new SQLite file.
func Start(t testing.TB, databaseURL string, flags ...string) *Server {
	t.Helper()
	dir := t.TempDir()
	keys := filepath.Join(dir, "keys")
	need(t, exec.Command(program(t), "keys", "init", "--key-directory", keys).Run())
	if databaseURL == "" {
		databaseURL = "sqlite:" + filepath.Join(dir, "tokenwright.db")
	}
	return start(t, dir, append([]string{"--database-url", databaseURL, "--key-directory", keys, "--public-url", "http://tokens.test"}, flags...))
}

// Replica runs a second server with the keys and, by an URL of its own, the database of the first.
func (s *Server) Replica(t testing.TB, databaseURL string) *Server {
	t.Helper()
	replica := start(t, t.TempDir(), []string{"--database-url", databaseURL, "--key-directory", filepath.Join(s.Dir, "keys"), "--public-url", "http://tokens.test"})
	replica.Secret = s.Secret
	return replica
}

func start(t testing.TB, dir string, flags []string) *Server {
	t.Helper()
	free, err := loopback.Free()
	need(t, err)
	first := filepath.Join(dir, "first")
	s := &Server{
		Address: free.String(), Dir: dir, t: t, Client: &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
		args: append([]string{
			"serve", "--listen", free.String(), "--bootstrap-credential-file", first,
			"--allow-unsafe-postgres", // as that of pgtest is
		}, flags...),
	}
	s.Restart()
	t.Cleanup(s.stop)
	secret, err := os.ReadFile(first)
	if err != nil && !errors.Is(err, os.ErrNotExist) { // a replica makes none
		t.Fatal(err)
	}
	s.Secret = strings.TrimSpace(string(secret))
	return s
}

// Restart starts the server again after Kill, and waits until it is ready.
func (s *Server) Restart() {
	s.t.Helper()
	log, err := os.OpenFile(s.LogFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	need(s.t, err)
	defer log.Close()
	cmd := exec.Command(program(s.t), s.args...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = []string{}, s.Dir, log, log
	s.process, err = child.Start(cmd, nil, syscall.SIGKILL)
	need(s.t, err)
	s.killed = false
	for begun := time.Now(); s.Get("/readyz", "") != http.StatusOK; time.Sleep(20 * time.Millisecond) {
		if time.Since(begun) > patience {
			s.t.Fatalf("the server does not get ready: %s", s.logTail())
		}
	}
}

// LogFile is where the server writes standard output and error.
func (s *Server) LogFile() string { return filepath.Join(s.Dir, "log") }

func (s *Server) logTail() []byte {
	text, _ := os.ReadFile(s.LogFile())
	return text[max(0, len(text)-2000):]
}

// Signal sends the server's process a signal.
func (s *Server) Signal(signal syscall.Signal) {
	s.t.Helper()
	need(s.t, s.process.Signal(signal))
}

// Kill ends the process at once (SIGKILL) and waits for its end.
func (s *Server) Kill() {
	s.t.Helper()
	s.killed = true
	s.Signal(syscall.SIGKILL)
	_ = s.process.Wait()
}

// stop ends the server in order.
func (s *Server) stop() {
	s.Client.CloseIdleConnections()
	if s.killed {
		return
	}
	_ = s.process.Signal(syscall.SIGTERM)
	_ = s.process.Signal(syscall.SIGCONT) // a test may have stopped it
	if err := s.process.Wait(); err != nil {
		s.t.Errorf("the server: %v\n%s", err, s.logTail())
	}
}

// Call sends a request with a credential, and decodes the answer if it is a JSON object.
func (s *Server) Call(method, path, credential, body string) (int, map[string]any, error) {
	r, err := http.NewRequestWithContext(context.Background(), method, "http://"+s.Address+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if credential != "" {
		r.Header.Set("Authorization", "Bearer "+credential)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := s.Client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	var got map[string]any
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil && !errors.Is(err, io.EOF) {
		return 0, nil, err
	}
	return answer.StatusCode, got, nil
}

// Get returns the status of a GET, 0 if there is no answer.
func (s *Server) Get(path, credential string) int {
	status, _, _ := s.Call(http.MethodGet, path, credential, "")
	return status
}

// Create makes a token of the dialect with the credential. The error says what came in its place.
func (s *Server) Create(dialect, credential, name string) (secret, id string, err error) {
	create := map[string][2]string{
		"muninx": {"/tokens", `{"name":"` + name + `"}`}, "apitoken": {"/api/v1/api_token", `{"token_scope":"account"}`},
		"unleash": {"/api/admin/user/tokens", `{"description":"` + name + `"}`},
	}[dialect]
	status, made, err := s.Call(http.MethodPost, create[0], credential, create[1])
	if err != nil {
		return "", "", err
	}
	if status != http.StatusOK && status != http.StatusCreated {
		return "", "", fmt.Errorf("%d %v", status, made)
	}
	switch dialect {
	case "unleash":
		return fmt.Sprint(made["secret"]), fmt.Sprintf("%.0f", made["id"]), nil
	case "apitoken":
		details, _ := made["details"].(map[string]any)
		return fmt.Sprint(made["token"]), fmt.Sprint(details["id"]), nil
	}
	return fmt.Sprint(made["token"]), fmt.Sprint(made["id"]), nil
}
