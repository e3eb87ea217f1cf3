//go:build unix

package main

import (
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestSeveralLinksOfAFile: after a crash what was committed last is in the log beside the name that the file was opened by. By
// another name a token that was revoked would work again.
func TestSeveralLinksOfAFile(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	p := launch(t, dir)
	id, secret := p.newToken(t, "muninx")
	p.cli(t, "token", "revoke", "muninx", id, "--admin").ok(t)
	hard := filepath.Join(elsewhere, "tokenwright.db")
	link := func() {
		t.Helper()
		if err := os.Link(filepath.Join(dir, "tokenwright.db"), hard); err != nil {
			t.Fatal(err)
		}
	}
	refuseAll := func() {
		t.Helper()
		for _, args := range [][]string{
			{"serve", "--listen", "127.0.0.1:0"}, {"migrate", "status"}, {"migrate", "up"},
			{"bootstrap", "--credential-file", filepath.Join(elsewhere, "new")},
		} {
			command(t, nil, append(args, "--database-url", "sqlite:"+hard)...).refused(t, exitFailure, "has several names (hard links)")
		}
		if left, err := os.ReadDir(elsewhere); err != nil || len(left) != 1 {
			t.Errorf("there is %v (%v)", left, err)
		}
	}
	link()
	refuseAll()
	p.signal(t, syscall.SIGKILL)
	p.Exit()
	refuseAll()
	if err := os.Remove(hard); err != nil {
		t.Fatal(err)
	}
	s, _ := start(t, dir)
	if status, body := s.ask(t, "GET", "/service/me", secret, ""); status != http.StatusUnauthorized {
		t.Errorf("the revoked token got %d: %s", status, body)
	}
}
