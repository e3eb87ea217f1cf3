//go:build flood

// Package flood shows that a credential cannot hold off its own revocation: `make flood` has thousands of connections
// create tokens with one credential while an admin revokes others, against the shipped binary on both databases.
package flood

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/test/child"
	"github.com/tokenwright/tokenwright/test/pgtest"
	"github.com/tokenwright/tokenwright/test/shipped"
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
	os.Exit(shipped.Main(mainOf{m}))
}

// mainOf has the clean-up of pgtest come before that of shipped.
type mainOf struct{ m *testing.M }

// Run implements what [shipped.Main] asks for.
func (o mainOf) Run() int { return pgtest.Main(o.m) }

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

func TestRevokesInAFlood(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { revokeInAFlood(t, "") })
	t.Run("postgres", func(t *testing.T) { revokeInAFlood(t, pgtest.URL(t)) })
}

func revokeInAFlood(t *testing.T, databaseURL string) {
	server := shipped.Start(t, databaseURL)
	stolen, stolenID, err := server.Create("muninx", server.Secret, "stolen")
	need(t, err)
	ids := make([]string, revokes)
	for i := range ids {
		_, ids[i], err = server.Create("muninx", server.Secret, "to be revoked")
		need(t, err)
	}
	ids[revokes-1] = stolenID // the last one is the flood's own
	const body = `{"name":"flood"}`
	order := fmt.Sprintf("%s POST /tokens HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		server.Address, stolen, len(body), body)
	stop := startFlood(t, order)
	time.Sleep(5 * time.Second) // until all are connected
	took, failed := revokeAll(t, server, ids)
	if status := server.Get("/service/me", stolen); status != http.StatusUnauthorized {
		t.Errorf("the flood's credential after its revoke: %d", status)
	}
	counts := stop()
	slices.Sort(took)
	longest := took[len(took)-1]
	fmt.Printf("%s: %d connections create, %d revokes: median %v, longest %v, failed %d; the flood got %s",
		t.Name(), connections, revokes, took[len(took)/2].Round(time.Millisecond), longest.Round(time.Millisecond), failed, counts)
	if failed > 0 || longest > most {
		t.Errorf("%d revokes failed, the longest took %v", failed, longest)
	}
}

// startFlood begins the flood. The function that it returns ends it and tells what it got.
func startFlood(t *testing.T, order string) (stop func() string) {
	t.Helper()
	self, err := os.Executable()
	need(t, err)
	flooder := exec.Command(self)
	flooder.Env, flooder.Stderr = []string{flooderVariable + "=" + order}, os.Stderr
	end, err := flooder.StdinPipe()
	need(t, err)
	counts, err := flooder.StdoutPipe()
	need(t, err)
	running, err := child.Start(flooder, nil, syscall.SIGKILL)
	need(t, err)
	return func() string {
		need(t, end.Close())
		text, err := io.ReadAll(counts)
		need(t, err)
		need(t, running.Wait())
		return string(text)
	}
}

func revokeAll(t *testing.T, server *shipped.Server, ids []string) (took []time.Duration, failed int) {
	t.Helper()
	for _, id := range ids {
		begun := time.Now()
		status, _, err := server.Call("POST", "/service/tokens/muninx/"+id+"/revoke", server.Secret, "")
		took = append(took, time.Since(begun))
		if err != nil || status != http.StatusOK {
			t.Logf("revoke: %d %v", status, err)
			failed++
		}
	}
	return took, failed
}
