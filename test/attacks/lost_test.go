//go:build attacks

package attacks

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tokenwright/tokenwright/test/child"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

const (
	requests = 10_000 // each with an Idempotency-Key of its own
	clients  = 16
	ends     = 3 // of a server, at once, amid the requests
)

// lossy is a proxy to servers in turn that loses three answers in ten after the server has given them.
type lossy struct {
	servers []*child.Server
	turn    atomic.Int64
	lost    atomic.Int64
}

// ServeHTTP implements [http.Handler].
func (l *lossy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := l.servers[l.turn.Add(1)%int64(len(l.servers))]
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	onward, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+s.Address+r.URL.Path, bytes.NewReader(body))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	onward.Header = r.Header.Clone()
	answer, err := s.Client.Do(onward)
	if err != nil { // the server was killed
		panic(http.ErrAbortHandler)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || rand.IntN(10) < 3 {
		l.lost.Add(1)
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(answer.StatusCode)
	_, _ = w.Write(text)
}

// persist repeats a request until there is an answer to it, and returns the secret.
func persist(t *testing.T, url, credential string, n int) string {
	for {
		r, err := http.NewRequest(http.MethodPost, url+"/tokens", strings.NewReader(fmt.Sprintf(`{"name":"%d"}`, n)))
		if err != nil {
			t.Error(err)
			return ""
		}
		r.Header = http.Header{
			"Authorization": {"Bearer " + credential}, "Content-Type": {"application/json"},
			"Idempotency-Key": {fmt.Sprintf("request-number-%d", n)},
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			time.Sleep(time.Millisecond)
			continue
		}
		var made struct{ Token string }
		err = json.NewDecoder(answer.Body).Decode(&made)
		answer.Body.Close()
		switch {
		case answer.StatusCode == http.StatusOK && err == nil:
			return made.Token
		case answer.StatusCode == http.StatusConflict, answer.StatusCode == http.StatusServiceUnavailable, err != nil:
			time.Sleep(5 * time.Millisecond)
		default:
			t.Errorf("request %d: %d", n, answer.StatusCode)
			return ""
		}
	}
}

// TestLostAnswers creates tokens through a proxy that loses answers, on two servers that are killed now and then: every
// client gets a secret that works, there is one token for each key, and no secret is in what PostgreSQL has written.
func TestLostAnswers(t *testing.T) {
	databaseURL := pgtest.URL(t)
	first := child.NewServer(t, databaseURL)
	proxy := &lossy{servers: []*child.Server{first, first.Replica(t, databaseURL)}}
	front := httptest.NewServer(proxy)
	t.Cleanup(front.Close)

	secrets := make([]string, requests)
	var next atomic.Int64
	var working sync.WaitGroup
	for range clients {
		working.Go(func() {
			for n := next.Add(1) - 1; n < requests; n = next.Add(1) - 1 {
				secrets[n] = persist(t, front.URL, first.Secret, int(n))
			}
		})
	}
	for end := range ends {
		for next.Load() < int64((end+1)*requests/(ends+1)) {
			time.Sleep(time.Millisecond)
		}
		s := proxy.servers[end%2]
		s.Kill()
		s.Restart()
	}
	working.Wait()

	distinct := map[string]bool{}
	for n, secret := range secrets {
		distinct[secret] = true
		if status := proxy.servers[n%2].Get("/verify", secret); status != http.StatusNoContent {
			t.Fatalf("the secret of request %d gets %d", n, status)
		}
	}
	tokens, claims := counted(t, databaseURL)
	if len(distinct) != requests || tokens != requests || claims != requests {
		t.Errorf("%d requests, %d secrets, %d tokens, %d claims", requests, len(distinct), tokens, claims)
	}
	var all []*entry
	for _, secret := range secrets {
		all = append(all, &entry{id: "muninx", secret: secret}) // the dialect has to be in what is searched
	}
	hunt(t, first, databaseURL, all)
	t.Logf("%d requests, %d answers lost, %d kills: %d tokens", requests, proxy.lost.Load(), ends, tokens)
}

// counted is how many tokens were made with a token, and how many claims there are.
func counted(t *testing.T, databaseURL string) (tokens, claims int) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, databaseURL)
	need(t, err)
	defer conn.Close(ctx)
	const query = "SELECT (SELECT count(*) FROM tokens WHERE minted_by IS NOT NULL), (SELECT count(*) FROM claims)"
	need(t, conn.QueryRow(ctx, query).Scan(&tokens, &claims))
	return tokens, claims
}
