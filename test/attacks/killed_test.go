//go:build attacks

package attacks

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tokenwright/tokenwright/test/child"
)

const (
	kills   = 20 // of the server, on each database
	workers = 8
)

// entry is a token in the ledger: what the server has said of it.
type entry struct {
	dialect, id, secret string
	state               string // that was answered last
	asked               string // for a change without an answer, the state that it leads to
}

// moves are the changes that a state allows, and where they lead.
var moves = map[string]map[string]string{
	"active":    {"suspend": "suspended", "revoke": "revoked"},
	"suspended": {"activate": "active", "revoke": "revoked"},
}

// ledger is what one worker has done since the last start.
type ledger struct {
	entries          []*entry
	creates, changes int
}

// work creates and changes tokens until there is no answer, because the server was killed.
func (l *ledger) work(t *testing.T, s *child.Server, worker int) {
	for n := 0; ; n++ {
		if len(l.entries) == 0 || rand.IntN(2) == 0 {
			dialect := []string{"muninx", "apitoken", "unleash"}[n%3]
			secret, id, err := s.Create(dialect, s.Secret, fmt.Sprintf("%d-%d-%d", time.Now().UnixNano(), worker, n))
			if err != nil {
				return
			}
			l.creates++
			l.entries = append(l.entries, &entry{dialect: dialect, id: id, secret: secret, state: "active"})
			continue
		}
		e := l.entries[rand.IntN(len(l.entries))]
		for action, next := range moves[e.state] { // in random order
			e.asked = next
			status, answer, err := s.Call(http.MethodPost, "/service/tokens/"+e.dialect+"/"+e.id+"/"+action, s.Secret, "")
			if err != nil {
				return
			}
			if status != http.StatusOK {
				t.Errorf("%s of a token that is %s: %d %v", action, e.state, status, answer)
				return
			}
			e.state, e.asked = next, ""
			l.changes++
			break
		}
	}
}

// audit compares what the server says of the tokens with the ledger.
func audit(t *testing.T, s *child.Server, entries []*entry) (lost int) {
	t.Helper()
	for _, e := range entries {
		status, answer, err := s.Call(http.MethodGet, "/service/tokens/"+e.dialect+"/"+e.id, s.Secret, "")
		need(t, err)
		now := fmt.Sprint(answer["status"])
		if status != http.StatusOK || now != e.state && now != e.asked {
			lost++
			t.Errorf("a token that was answered to be %s (asked to be %q) is %d %s", e.state, e.asked, status, now)
		}
		want := http.StatusUnauthorized
		if now == "active" {
			want = http.StatusNoContent
		}
		if got := s.Get("/verify", e.secret); got != want {
			t.Errorf("the credential of a token that is %s gets %d", now, got)
		}
		e.state, e.asked = now, ""
	}
	return lost
}

// TestKilledServer kills the server amid creates and changes, again and again. What it has answered is so after the next
// start: no token is lost, no revoked one works again. In all that it has written there is no secret.
func TestKilledServer(t *testing.T) {
	databases(t, func(t *testing.T, databaseURL string) {
		s := child.NewServer(t, databaseURL, "--unleash-max-tokens", "0")
		var all []*entry
		creates, changes, lost := 0, 0, 0
		for range kills {
			ledgers := make([]ledger, workers)
			var working sync.WaitGroup
			for i := range ledgers {
				working.Go(func() { ledgers[i].work(t, s, i) })
			}
			time.Sleep(time.Duration(200+rand.IntN(600)) * time.Millisecond)
			s.Kill()
			working.Wait()
			s.Restart()
			for _, l := range ledgers {
				creates, changes = creates+l.creates, changes+l.changes
				lost += audit(t, s, l.entries)
				all = append(all, l.entries...)
			}
		}
		lost += audit(t, s, all)
		searched := hunt(t, s, databaseURL, all)
		fmt.Printf("%s: %d kills, %d creates and %d changes answered, %d lost; %d secrets looked for in %d MB\n",
			t.Name(), kills, creates, changes, lost, min(len(all), sample), searched>>20)
		if creates < 10*kills || changes < 10*kills {
			t.Error("too little was done to say anything")
		}
	})
}

// sample is how many secrets are looked for, from the last one back.
const sample = 300

// hunt looks for secrets in all that the server and its database have written, and returns how many bytes that were.
func hunt(t *testing.T, s *child.Server, databaseURL string, all []*entry) (searched int) {
	t.Helper()
	var needles []string
	for _, e := range all[max(0, len(all)-sample):] {
		needles = append(needles, e.secret[len(e.secret)-32:]) // of a JWT a part of the signature
	}
	found, known := false, all[max(0, len(all)-sample)].id // which has to be there
	root := s.Dir
	search := func(where, text string) {
		searched += len(text)
		found = found || strings.Contains(text, known)
		for _, needle := range needles {
			if strings.Contains(text, needle) {
				t.Errorf("a secret is in %s", where)
			}
		}
	}
	look := func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.Contains(path, "/keys/") || d.Name() == "first" {
			return nil //nolint:nilerr // PostgreSQL removes files of its own
		}
		if text, err := os.ReadFile(path); err == nil { // as above
			search(path, string(text))
		}
		return nil
	}
	search("the log", s.Log.String())
	search("what is printed", s.Out.String())
	need(t, filepath.WalkDir(root, look))
	if databaseURL != "" {
		need(t, filepath.WalkDir(dataDirectory(t, databaseURL), look))
	}
	if !found {
		t.Error("the id of a token is nowhere, so the search says nothing")
	}
	return searched
}

// dataDirectory is where PostgreSQL keeps its files, with the write-ahead log.
func dataDirectory(t *testing.T, databaseURL string) (path string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, databaseURL)
	need(t, err)
	defer conn.Close(ctx)
	need(t, conn.QueryRow(ctx, "SHOW data_directory").Scan(&path))
	return path
}
