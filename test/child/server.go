//go:build unix

package child

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a start or a stop may take on a busy machine.
const patience = 30 * time.Second

// Server is `tokenwright serve` in a process of its own.
type Server struct {
	*Process
	Address string  // where it listens, and
	URL     string  // how it is called, as it says itself
	Dir     string  // its working directory
	Out     *Buffer // standard output since the last start, and
	Log     *Buffer // standard error since the first
	Secret  string  // of the first admin, if [NewServer] made one
	Client  *http.Client

	t     testing.TB
	files int // that the process may open; 0: as many as the test
	env   []string
	args  []string
}

// Serve starts a server in the directory with exactly this environment, waits until it listens, and stops it in order when
// the test ends.
func Serve(t testing.TB, dir string, env []string, args ...string) *Server {
	t.Helper()
	return ServeWithin(t, 0, dir, env, args...)
}

// ServeWithin is [Serve] for a server that may open only so many files.
func ServeWithin(t testing.TB, files int, dir string, env []string, args ...string) *Server {
	t.Helper()
	s := &Server{
		Dir: dir, Log: &Buffer{}, t: t, files: files, env: env, args: append([]string{"serve"}, args...),
		Client: &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
	t.Cleanup(s.Stop)
	s.Restart()
	return s
}

// NewServer makes keys and runs a server on a database, "" being a new SQLite file, at an address of its own.
func NewServer(t testing.TB, databaseURL string, flags ...string) *Server {
	t.Helper()
	dir := t.TempDir()
	keys := filepath.Join(dir, "keys")
	if out, err := exec.Command(Binary(t), "keys", "init", "--key-directory", keys).CombinedOutput(); err != nil {
		t.Fatalf("keys init: %v\n%s", err, out)
	}
	if databaseURL == "" {
		databaseURL = "sqlite:" + filepath.Join(dir, "tokenwright.db")
	}
	s := serveOn(t, dir, keys, databaseURL, flags)
	secret, err := os.ReadFile(filepath.Join(dir, "first"))
	need(t, err)
	s.Secret = strings.TrimSpace(string(secret))
	return s
}

// Replica runs a second server with the keys and, by an URL of its own, the database of the first.
func (s *Server) Replica(t testing.TB, databaseURL string) *Server {
	t.Helper()
	replica := serveOn(t, t.TempDir(), filepath.Join(s.Dir, "keys"), databaseURL, []string{"--public-url", s.URL})
	replica.Secret = s.Secret
	return replica
}

func serveOn(t testing.TB, dir, keys, databaseURL string, flags []string) *Server {
	t.Helper()
	free, err := Free()
	need(t, err)
	return Serve(t, dir, []string{}, append([]string{
		"--listen", free.String(), "--bootstrap-credential-file", filepath.Join(dir, "first"),
		"--database-url", databaseURL, "--key-directory", keys, "--allow-unsafe-postgres", // as that of pgtest is
	}, flags...)...)
}

// Restart starts the server again after its end, and waits until it listens.
func (s *Server) Restart() {
	s.t.Helper()
	cmd := s.command()
	s.Out = &Buffer{}
	before := len(s.Log.String())
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = s.env, s.Dir, s.Out, s.Log
	process, err := Start(cmd, nil, syscall.SIGKILL)
	need(s.t, err)
	s.Process = process
	for begun, listens := time.Now(), false; !listens; time.Sleep(5 * time.Millisecond) {
		s.Address, s.URL, listens = Announced(s.Out.String(), s.Log.String()[before:])
		select {
		case <-s.Exited:
			s.t.Fatalf("the server ended: %s", s.tail())
		default:
		}
		if time.Since(begun) > patience {
			s.t.Fatalf("the server does not say that it listens: %s", s.tail())
		}
	}
}

func (s *Server) command() *exec.Cmd {
	if s.files == 0 {
		return exec.Command(Binary(s.t), s.args...)
	}
	within := fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, s.files)
	return exec.Command("/bin/sh", append([]string{"-c", within, Binary(s.t)}, s.args...)...)
}

// Where a server says its address: in what it prints, or else in its log in JSON.
var (
	printed = regexp.MustCompile(`Tokenwright is listening on (\S+) \(public URL (\S+)\)\n`)
	ended   = regexp.MustCompile(`openapi/muninx\.yaml|tokenwright bootstrap`)
	logged  = regexp.MustCompile(`(?s)"msg":"listening","address":"([^"]+)","public_url":"([^"]+)".*"msg":"ready"`)
)

// Announced is what a server says of its address, once it has said all that it says at its start.
func Announced(out, log string) (address, url string, ok bool) {
	words := printed.FindStringSubmatch(out)
	if words == nil {
		words = logged.FindStringSubmatch(log)
	} else if !ended.MatchString(out) {
		words = nil
	}
	if words == nil {
		return "", "", false
	}
	return words[1], words[2], true
}

func (s *Server) tail() string {
	text := s.Log.String()
	return text[max(0, len(text)-2000):]
}

// Kill ends the process at once (SIGKILL) and waits for its end.
func (s *Server) Kill() {
	s.t.Helper()
	need(s.t, s.Signal(syscall.SIGKILL))
	<-s.Exited
}

// Exit waits for an end that something else has caused, and returns the exit code, -1 if it was a signal.
func (s *Server) Exit() int {
	s.t.Helper()
	select {
	case <-s.Exited:
	case <-time.After(patience):
		s.t.Fatal("the server does not end")
	}
	return s.ExitCode()
}

// Stop ends the server in order, unless it has ended.
func (s *Server) Stop() {
	s.Client.CloseIdleConnections()
	if s.Process == nil {
		return
	}
	select {
	case <-s.Exited:
		return
	default:
	}
	_ = s.Signal(syscall.SIGTERM)
	_ = s.Signal(syscall.SIGCONT) // a test may have stopped it
	if code := s.Exit(); code != 0 {
		s.t.Errorf("the server ended with exit code %d: %s", code, s.tail())
	}
}
