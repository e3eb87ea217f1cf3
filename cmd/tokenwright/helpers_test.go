package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/test/child"
	"github.com/tokenwright/tokenwright/test/pgtest"
	"github.com/tokenwright/tokenwright/test/speccheck"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// result is what a finished command left.
type result struct {
	code        int
	out, errors string
}

// command runs the program with exactly this environment.
func command(t *testing.T, env map[string]string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var out, errs bytes.Buffer
	code := run(ctx, args, func(name string) string { return env[name] }, &out, &errs)
	return result{code, out.String(), errs.String()}
}

// refused fails the test unless the command ended with the code, one line of error that contains the text, and no
// other output.
func (r result) refused(t *testing.T, code int, text string) {
	t.Helper()
	if r.code != code || !strings.Contains(r.errors, text) {
		t.Errorf("exit %d with %q; want %d with %q", r.code, r.errors, code, text)
	}
	if strings.Count(r.errors, "\n") != 1 || !strings.HasPrefix(r.errors, "tokenwright: ") || r.out != "" {
		t.Errorf("want one line of error and nothing else, got %q and %q", r.errors, r.out)
	}
}

// ok fails the test unless the command succeeded without complaint, and returns its output.
func (r result) ok(t *testing.T) string {
	t.Helper()
	if r.code != 0 || r.errors != "" {
		t.Fatalf("exit %d with %q", r.code, r.errors)
	}
	return r.out
}

// instance is a running server, in this process or in one of its own.
type instance struct {
	dir, address, url, credentialFile string
	out, log                          *child.Buffer
}

func newInstance(dir string) *instance {
	return &instance{dir: dir, credentialFile: filepath.Join(dir, "bootstrap-credential"), out: &child.Buffer{}, log: &child.Buffer{}}
}

func (s *instance) arguments(more []string) []string {
	return append([]string{"serve", "--listen", "127.0.0.1:0",
		"--database-url", "sqlite:" + filepath.Join(s.dir, "tokenwright.db")}, more...)
}

// start runs a server inside the test. It is stopped, in order, with the test or by calling stop.
func start(t *testing.T, dir string, args ...string) (s *instance, stop func()) {
	t.Helper()
	s = newInstance(dir)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended, code := make(chan struct{}), 0
	go func() {
		defer close(ended)
		code = run(ctx, s.arguments(args), func(string) string { return "" }, s.out, s.log)
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-ended
		if code != 0 {
			t.Errorf("the server ended with exit %d: %s", code, s.log)
		}
	})
	t.Cleanup(stop)
	eventually(t, "the server to listen", func() (ok bool) {
		select {
		case <-ended:
			t.Fatalf("the server ended: %s", s.log)
		default:
		}
		s.address, s.url, ok = child.Announced(s.out.String(), s.log.String())
		return ok
	})
	return s, stop
}

// credential is the content of the bootstrap file.
func (s *instance) credential(t *testing.T) string { return readSecret(t, s.credentialFile) }

func readSecret(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(text), "\n")
}

// env is the environment of a client of the server.
func (s *instance) env() map[string]string {
	return map[string]string{"TOKENWRIGHT_SERVER": "http://" + s.address, "TOKENWRIGHT_CREDENTIAL_FILE": s.credentialFile}
}

// cli runs a client command against the server.
func (s *instance) cli(t *testing.T, args ...string) result {
	t.Helper()
	return command(t, s.env(), args...)
}

// object runs a client command and returns the JSON object that it prints.
func (s *instance) object(t *testing.T, args ...string) map[string]any {
	t.Helper()
	return decoded[map[string]any](t, s.cli(t, append(args, "--output", "json")...).ok(t))
}

// objects runs a client command and returns the JSON list that it prints.
func (s *instance) objects(t *testing.T, args ...string) []map[string]any {
	t.Helper()
	return decoded[[]map[string]any](t, s.cli(t, append(args, "--output", "json")...).ok(t))
}

func decoded[T any](t *testing.T, text string) T {
	t.Helper()
	var value T
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return value
}

// ask sends a request and returns status and body; the status is 0 if there was no answer. The answer is judged by its
// spec.
func (s *instance) ask(t *testing.T, method, path, credential, body string) (int, string) {
	t.Helper()
	return s.askWith(t, checked(t), method, path, credential, body)
}

// askWith is ask with a client that may not judge: for answers of the metrics listener, or of net/http itself.
func (s *instance) askWith(t *testing.T, client *http.Client, method, path, credential, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.address+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if credential != "" {
		r.Header.Set("Authorization", "Bearer "+credential)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := client.Do(r)
	if err != nil {
		return 0, ""
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, ""
	}
	return response.StatusCode, string(text)
}

// checked is a client that judges every answer by its spec.
func checked(t *testing.T) *http.Client {
	return &http.Client{Transport: speccheck.Transport{Report: t}}
}

// works fails the test unless the credential opens the server.
func (s *instance) works(t *testing.T, credential string) {
	t.Helper()
	if status, body := s.ask(t, "GET", "/service/me", credential, ""); status != http.StatusOK {
		t.Errorf("the credential got %d: %s", status, body)
	}
}

// shipped is a server in a process of its own.
type shipped struct {
	*instance
	*child.Server
}

// launch starts the real program.
func launch(t *testing.T, dir string, args ...string) shipped {
	t.Helper()
	return launchWith(t, dir, []string{}, newInstance(dir).arguments(args)[1:]...)
}

// launchWith starts `tokenwright serve` with exactly this environment and these arguments.
func launchWith(t *testing.T, dir string, env []string, args ...string) shipped {
	t.Helper()
	s, p := newInstance(dir), child.Serve(t, dir, env, args...)
	s.address, s.url, s.out, s.log = p.Address, p.URL, p.Out, p.Log
	return shipped{s, p}
}

func (p shipped) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := p.Signal(s); err != nil {
		t.Fatal(err)
	}
}
