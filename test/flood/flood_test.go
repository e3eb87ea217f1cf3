//go:build flood

// Package flood shows that a credential cannot hold off its own revocation: `make flood` has thousands of connections
// create tokens with one credential while an admin revokes others, against the shipped binary on both databases.
package flood

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/test/child"
	"github.com/tokenwright/tokenwright/test/loopback"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

const (
	connections = 6000
	revokes     = 50
	most        = time.Second // that a revoke may take
	patience    = 30 * time.Second
)

// flooderVariable has the address and the request of the flood: the test program is its own second process, so that what
// the load costs its sender is not counted as the time of a revoke.
const flooderVariable = "TOKENWRIGHT_TEST_FLOOD"

func TestMain(m *testing.M) {
	if order := os.Getenv(flooderVariable); order != "" {
		flood(order)
		return
	}
	os.Exit(pgtest.Main(m))
}

// flood sends the request over all connections until its standard input ends, then prints how often it got each status.
func flood(order string) {
	address, request, _ := strings.Cut(order, " ")
	var stop atomic.Bool
	var mu sync.Mutex
	counts := map[string]int{}
	var senders sync.WaitGroup
	for range connections {
		senders.Go(func() {
			for !stop.Load() {
				sendAll(address, []byte(request), &stop, func(status string) {
					mu.Lock()
					counts[status]++
					mu.Unlock()
				})
			}
		})
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	stop.Store(true)
	senders.Wait()
	_ = json.NewEncoder(os.Stdout).Encode(counts)
}

func sendAll(address string, request []byte, stop *atomic.Bool, count func(string)) {
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		count("no connection")
		time.Sleep(10 * time.Millisecond)
		return
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	for !stop.Load() {
		_ = conn.SetDeadline(time.Now().Add(patience))
		if _, err := conn.Write(request); err != nil {
			count("no answer")
			return
		}
		answer, err := http.ReadResponse(answers, nil)
		if err != nil {
			count("no answer")
			return
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		count(fmt.Sprint(answer.StatusCode))
	}
}

func need(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// start runs the shipped server until the test ends. It returns its address and the first admin's credential.
func start(t *testing.T, databaseURL string) (address, admin string) {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "tokenwright")
	build := exec.Command("go", "build", "-o", program, "../../cmd/tokenwright")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	keys, first := filepath.Join(dir, "keys"), filepath.Join(dir, "first")
	need(t, exec.Command(program, "keys", "init", "--key-directory", keys).Run())
	free, err := loopback.Free()
	need(t, err)
	if databaseURL == "" {
		databaseURL = "sqlite:" + filepath.Join(dir, "tokenwright.db")
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	need(t, err)
	defer log.Close()
	cmd := exec.Command(program, "serve", "--listen", free.String(), "--database-url", databaseURL,
		"--key-directory", keys, "--bootstrap-credential-file", first, "--allow-unsafe-postgres")
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = []string{}, dir, log, log
	server, err := child.Start(cmd, nil, syscall.SIGKILL)
	need(t, err)
	t.Cleanup(func() {
		_ = server.Signal(syscall.SIGTERM)
		if err := server.Wait(); err != nil {
			text, _ := os.ReadFile(log.Name())
			t.Errorf("the server: %v\n%s", err, text[max(0, len(text)-2000):])
		}
	})
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		answer, err := http.Get("http://" + free.String() + "/readyz")
		if err == nil {
			answer.Body.Close()
			break
		}
		if time.Since(begun) > patience {
			t.Fatal(err)
		}
	}
	secret, err := os.ReadFile(first)
	need(t, err)
	return free.String(), strings.TrimSpace(string(secret))
}

// admin calls the server over a connection of its own.
type admin struct {
	address, secret string
	client          http.Client
}

func (a *admin) call(method, path, body string) (int, map[string]any, error) {
	r, err := http.NewRequest(method, "http://"+a.address+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Authorization", "Bearer "+a.secret)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := a.client.Do(r)
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

func (a *admin) create(t *testing.T) (secret, id string) {
	t.Helper()
	status, made, err := a.call("POST", "/tokens", `{"name":"x"}`)
	if err != nil || status != http.StatusOK {
		t.Fatalf("%d %v %v", status, made, err)
	}
	return made["token"].(string), made["id"].(string)
}

func TestRevokesInAFlood(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { revokeInAFlood(t, "") })
	t.Run("postgres", func(t *testing.T) { revokeInAFlood(t, pgtest.URL(t)) })
}

func revokeInAFlood(t *testing.T, databaseURL string) {
	address, secret := start(t, databaseURL)
	a := &admin{address: address, secret: secret, client: http.Client{Timeout: patience}}
	stolen, stolenID := a.create(t)
	ids := make([]string, revokes)
	for i := range ids {
		_, ids[i] = a.create(t)
	}
	const body = `{"name":"flood"}`
	order := fmt.Sprintf("%s POST /tokens HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		address, stolen, len(body), body)
	self, err := os.Executable()
	need(t, err)
	flooder := exec.Command(self)
	flooder.Env, flooder.Stderr = []string{flooderVariable + "=" + order}, os.Stderr
	stop, err := flooder.StdinPipe()
	need(t, err)
	counts, err := flooder.StdoutPipe()
	need(t, err)
	running, err := child.Start(flooder, nil, syscall.SIGKILL)
	need(t, err)
	time.Sleep(5 * time.Second) // until all are connected
	ids[revokes-1] = stolenID   // the last one is the flood's own
	took, failed := a.revokeAll(t, ids)
	status, _, err := (&admin{address: address, secret: stolen, client: a.client}).call("GET", "/service/me", "")
	if err != nil || status != http.StatusUnauthorized {
		t.Errorf("the flood's credential after its revoke: %d %v", status, err)
	}
	need(t, stop.Close())
	text, err := io.ReadAll(counts)
	need(t, err)
	need(t, running.Wait())
	slices.Sort(took)
	fmt.Printf("%s: %d connections create, %d revokes: median %v, longest %v, failed %d; the flood got %s",
		t.Name(), connections, revokes, took[len(took)/2].Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond), failed, text)
	if failed > 0 || took[len(took)-1] > most {
		t.Errorf("%d revokes failed, the longest took %v", failed, took[len(took)-1])
	}
}

func (a *admin) revokeAll(t *testing.T, ids []string) (took []time.Duration, failed int) {
	t.Helper()
	for _, id := range ids {
		begun := time.Now()
		status, _, err := a.call("POST", "/service/tokens/muninx/"+id+"/revoke", "")
		took = append(took, time.Since(begun))
		if err != nil || status != http.StatusOK {
			t.Logf("revoke: %d %v", status, err)
			failed++
		}
	}
	return took, failed
}
