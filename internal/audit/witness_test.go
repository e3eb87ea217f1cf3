package audit_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tokenwright/tokenwright/internal/audit"
)

// TestFileWitness: checkpoints are appended, the last one is found again, and shows what was cut off.
func TestFileWitness(t *testing.T) {
	r := newTrail(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db"))
	path := filepath.Join(t.TempDir(), "witness")
	w := audit.NewWitness(path)
	for range 3 {
		if err := w.SendLast(t.Context(), r.db); err != nil {
			t.Fatal(err)
		}
		r.grow(2)
	}
	text, err := os.ReadFile(path)
	if err != nil || strings.Count(string(text), "tokens.example/audit\n") != 3 {
		t.Fatalf("the file is %q, %v", text, err)
	}
	last := audit.LastOf(string(text))
	c, err := audit.ReadCheckpoint(last, r.log.Key.Public())
	if err != nil || c.Size != steps*eventsOfStep+4 || !strings.Contains(string(text), last) {
		t.Errorf("the last checkpoint is %q, %+v, %v", last, c, err)
	}
	if report := r.verify(last); len(report.Findings) != 0 {
		t.Errorf("the findings are %v", report.Findings)
	}
}

// TestWebWitness: a witness that refuses gets the last checkpoint later, and is sent each one once.
func TestWebWitness(t *testing.T) {
	r := newTrail(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db"))
	var refusing atomic.Bool
	refusing.Store(true)
	refused, received := make(chan struct{}, 100), make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		if refusing.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			refused <- struct{}{}
			return
		}
		received <- string(body)
	}))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	reports := make(chan error, 100)
	var running sync.WaitGroup
	running.Go(func() { audit.NewWitness(server.URL).Run(ctx, r.db, func(err error) { reports <- err }) })
	<-refused
	if err := <-reports; err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("reported: %v", err)
	}
	refusing.Store(false)
	want := r.clean(steps * eventsOfStep)
	if got := <-received; got != want {
		t.Errorf("received %q, want %q", got, want)
	}
	if err := <-reports; err != nil {
		t.Errorf("reported: %v", err)
	}
	r.grow(1)
	want = r.clean(steps*eventsOfStep + 1)
	if got := <-received; got != want {
		t.Errorf("received %q, want %q", got, want)
	}
	cancel()
	running.Wait()
	if len(received) != 0 {
		t.Errorf("%d checkpoints were sent again", len(received))
	}
}

// TestWitnessHidesItsURL: a URL may hold a secret.
func TestWitnessHidesItsURL(t *testing.T) {
	r := newTrail(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db"))
	err := audit.NewWitness("http://user:hunter2@127.0.0.1:1/?key=hunter2").SendLast(t.Context(), r.db)
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error is %v", err)
	}
}

// TestGatherersTakeTurns: several servers extend one log, each event once, whoever commits meanwhile.
func TestGatherersTakeTurns(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		r := newTrail(t, url)
		done := make(chan struct{})
		var working sync.WaitGroup
		for range 3 {
			working.Go(func() {
				for {
					if err := r.log.Gather(t.Context()); err != nil {
						t.Error(err)
					}
					select {
					case <-done:
						return
					default:
					}
				}
			})
		}
		var changing sync.WaitGroup
		errs := make(chan error, 8)
		for i := range 8 {
			changing.Go(func() { errs <- r.changes(i, 50) })
		}
		changing.Wait()
		close(done)
		working.Wait()
		for range 8 {
			if err := <-errs; err != nil {
				t.Fatal(err)
			}
		}
		if err := r.log.Gather(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.clean(steps*eventsOfStep + 8*50)
	})
}
