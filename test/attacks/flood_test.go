//go:build attacks

package attacks

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

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/child"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

const (
	revokes  = 50
	most     = time.Second // that a revoke may take
	patience = 30 * time.Second
)

// flooderVariable has the order for the flood, see [flooding]: the test program is its own second process, so that what
// the load costs its sender is not counted as the time of a revoke.
const flooderVariable = "TOKENWRIGHT_TEST_FLOOD"

// flooding is the order for the second process.
type flooding struct {
	Address     string
	Connections int
	Request     string // its first lines
	Secrets     []string
}

// request is what the n-th connection sends next.
func (f flooding) request(n int) []byte {
	secret := token.Muninx.Secrets.New()
	if len(f.Secrets) > 0 {
		secret = f.Secrets[n%len(f.Secrets)]
	}
	body := ""
	if strings.HasPrefix(f.Request, "POST") {
		body = `{"name":"flood"}`
	}
	return []byte(f.Request + "\r\nHost: x\r\nAuthorization: Bearer " + secret + "\r\n\r\n" + body)
}

// flood sends requests over all connections until its standard input ends, then prints how often it got each status.
func flood(order string) {
	var f flooding
	if err := json.Unmarshal([]byte(order), &f); err != nil {
		panic(err)
	}
	var stop atomic.Bool
	var mu sync.Mutex
	counts := map[string]int{}
	var senders sync.WaitGroup
	for n := range f.Connections {
		senders.Go(func() {
			for !stop.Load() {
				f.sendAll(n, &stop, func(status string) {
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

func (f flooding) sendAll(n int, stop *atomic.Bool, count func(string)) {
	conn, err := net.DialTimeout("tcp", f.Address, patience)
	if err != nil {
		count("no connection")
		time.Sleep(10 * time.Millisecond)
		return
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	for !stop.Load() {
		_ = conn.SetDeadline(time.Now().Add(patience))
		if _, err := conn.Write(f.request(n)); err != nil {
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

// kind is a flood: what each connection sends, and by how many tokens of one member.
type kind struct {
	name        string
	connections int
	tokens      int // 0: with secrets that no token has, each time another
	request     string
	limited     bool // by the limits that ship
}

const (
	creates = "POST /tokens HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 16"
	deletes = "DELETE /tokens/01a21d28-e64b-7000-851e-f6959ff15851 HTTP/1.1"
	checks  = "GET /verify HTTP/1.1"
	guesses = "GET /tokens HTTP/1.1"
	probes  = "GET /readyz HTTP/1.1"
)

var kinds = []kind{
	{"creates by one token", 6000, 1, creates, false},
	{"creates by one token, limited", 6000, 1, creates, true},
	{"deletes by six tokens", 700, 6, deletes, false},
	{"checks of unknown secrets", 1500, 0, checks, false},
	{"guesses of secrets", 1500, 0, guesses, false},
	{"guesses of secrets, limited", 1500, 0, guesses, true},
	{"questions whether it is ready", 1500, 0, probes, false},
}

// TestRevokesInAFlood shows that nobody can hold off a revocation, nor anybody else's work: thousands of connections create,
// delete or ask while an admin revokes and creates. Without limits, too: what is asked too often is not all that is too much.
func TestRevokesInAFlood(t *testing.T) {
	for _, k := range kinds {
		t.Run("sqlite, "+k.name, func(t *testing.T) { revokeInAFlood(t, "", k) })
		t.Run("postgres, "+k.name, func(t *testing.T) { revokeInAFlood(t, pgtest.URL(t), k) })
	}
}

func revokeInAFlood(t *testing.T, databaseURL string, k kind) {
	var flags []string
	if !k.limited {
		flags = []string{"--limit-creates", "0", "--limit-failures", "0"}
	}
	server := child.NewServer(t, databaseURL, flags...)
	_, stolenID, secrets := member(t, server, k.tokens)
	ids := make([]string, revokes)
	for i := range ids {
		var err error
		_, ids[i], err = server.Create("muninx", server.Secret, "to be revoked")
		need(t, err)
	}
	if k.tokens > 0 {
		ids[revokes-1] = stolenID // the last one is the flood's own
	}
	stop := startFlood(t, flooding{server.Address, k.connections, k.request, secrets})
	time.Sleep(5 * time.Second) // until all are connected
	took, failed := revokeAll(t, server, ids)
	created, refused := createSome(server)
	if k.tokens > 0 && server.Get("/service/me", secrets[0]) == http.StatusOK {
		t.Error("the flood's credential works after its revoke")
	}
	counts := stop()
	fmt.Printf("%s: %d connections; %d revokes: median %v, longest %v, failed %d; %d creates by another: longest %v, failed %d; the flood got %s",
		t.Name(), k.connections, revokes, median(took), longest(took), failed, len(created), longest(created), refused, counts)
	if failed > 0 || slices.Max(took) > most {
		t.Errorf("%d revokes failed, the longest took %v", failed, slices.Max(took))
	}
	if refused > 0 {
		t.Errorf("%d creates by another caller failed", refused)
	}
}

func median(took []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(took))[len(took)/2].Round(time.Millisecond)
}

func longest(took []time.Duration) time.Duration { return slices.Max(took).Round(time.Millisecond) }

// member makes a member with so many tokens, and returns the user's id and the id of the first token.
func member(t *testing.T, server *child.Server, tokens int) (userID, firstID string, secrets []string) {
	t.Helper()
	_, me, err := server.Call("GET", "/service/me", server.Secret, "")
	need(t, err)
	account := me["account"].(map[string]any)["id"].(string)
	_, made, err := server.Call("POST", "/service/users", server.Secret, `{"subject":"x","name":"x","role":"member","account_id":"`+account+`"}`)
	need(t, err)
	userID = fmt.Sprint(made["id"])
	for range tokens {
		_, issued, err := server.Call("POST", "/service/users/"+userID+"/tokens", server.Secret, `{"name":"x"}`)
		need(t, err)
		secrets = append(secrets, issued["token"].(string))
		if firstID == "" {
			firstID = issued["id"].(string)
		}
	}
	return userID, firstID, secrets
}

// createSome creates tokens as another caller than the flood's.
func createSome(server *child.Server) (took []time.Duration, failed int) {
	for range 10 {
		begun := time.Now()
		if _, _, err := server.Create("muninx", server.Secret, "in the flood"); err != nil {
			failed++
		}
		took = append(took, time.Since(begun))
	}
	return took, failed
}

// startFlood begins the flood. The function that it returns ends it and tells what it got.
func startFlood(t *testing.T, f flooding) (stop func() string) {
	t.Helper()
	order, err := json.Marshal(f)
	need(t, err)
	self, err := os.Executable()
	need(t, err)
	flooder := exec.Command(self)
	flooder.Env, flooder.Stderr = []string{flooderVariable + "=" + string(order)}, os.Stderr
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

func revokeAll(t *testing.T, server *child.Server, ids []string) (took []time.Duration, failed int) {
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
