package main

import (
	"database/sql"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/ncruces/go-sqlite3/driver" // for databases of older releases
)

const saysMaxima = "a token lives at most 1825d, and an account has at most 100000 apitoken tokens"

// createUntil asks for an apitoken token with an expiry.
func (s *instance) createUntil(t *testing.T, expiry time.Time) (int, string) {
	t.Helper()
	return s.ask(t, "POST", "/api/v1/api_token", s.credential(t),
		fmt.Sprintf(`{"token_scope":"account","expires_at":%q}`, expiry.Format(time.RFC3339)))
}

// muninxExpiry is that of a new muninx token, "null" for none.
func (s *instance) muninxExpiry(t *testing.T) string {
	t.Helper()
	s.ask(t, "POST", "/tokens", s.credential(t), `{"name":"x"}`)
	_, list := s.ask(t, "GET", "/tokens?limit=1", s.credential(t), "")
	items := decoded[map[string]any](t, list)["items"].([]any)
	return fmt.Sprint(items[0].(map[string]any)["expires_at"])
}

// TestNewInstallationHasMaxima, and says so: when it begins, in the log, and to who exceeds them. The flags go before
// them.
func TestNewInstallationHasMaxima(t *testing.T) {
	dir := t.TempDir()
	s, stop := start(t, dir)
	const most = 1825 * 24 * time.Hour
	if !strings.Contains(s.out.String(), saysMaxima) || !strings.Contains(s.log.String(), "max_lifetime=1825d apitoken_max_tokens=100000") {
		t.Errorf("the maxima are not told: %s %s", s.out, s.log)
	}
	if status, body := s.createUntil(t, time.Now().Add(most+time.Hour)); status != http.StatusBadRequest ||
		!strings.Contains(body, "since tokens live at most 1825 days on this server") {
		t.Errorf("%d %s", status, body)
	}
	if status, body := s.createUntil(t, time.Now().Add(most-time.Hour)); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
	if expiry, err := time.Parse(time.RFC3339, s.muninxExpiry(t)); err != nil || time.Until(expiry) > most || time.Until(expiry) < most-time.Hour {
		t.Errorf("a muninx token expires at %v %v", expiry, err)
	}
	stop()
	s, stop = start(t, dir, "--apitoken-max-tokens", "3")
	if strings.Contains(s.out.String(), saysMaxima) {
		t.Error("a later start says that the installation is new")
	}
	if status, _ := s.createUntil(t, time.Now().Add(most+time.Hour)); status != http.StatusBadRequest {
		t.Errorf("after a restart the lifetime is not limited: %d", status)
	}
	for range 2 {
		s.createUntil(t, time.Now().Add(time.Hour))
	}
	if status, body := s.createUntil(t, time.Now().Add(time.Hour)); status != http.StatusForbidden ||
		!strings.Contains(body, "the account has reached its limit of 3 tokens") {
		t.Errorf("a fourth token gets %d %s", status, body)
	}
	stop()
	s, _ = start(t, dir, "--apitoken-max-tokens", "0", "--max-lifetime", "0s")
	if status, body := s.createUntil(t, time.Now().Add(10*most)); status != http.StatusOK {
		t.Errorf("without maxima: %d %s", status, body)
	}
	if expiry := s.muninxExpiry(t); expiry != "<nil>" {
		t.Errorf("without maxima a muninx token expires at %s", expiry)
	}
}

// TestOlderInstallationHasNoMaxima: tokens of one may exceed them, and what made these must go on.
func TestOlderInstallationHasNoMaxima(t *testing.T) {
	dir := t.TempDir()
	_, stop := start(t, dir)
	stop()
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, "tokenwright.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "DROP TABLE settings; DELETE FROM goose_db_version WHERE version_id >= 9"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	s, _ := start(t, dir)
	if strings.Contains(s.out.String(), saysMaxima) || strings.Contains(s.log.String(), "max_lifetime") {
		t.Errorf("it has maxima: %s %s", s.out, s.log)
	}
	if status, body := s.createUntil(t, time.Now().Add(100*365*24*time.Hour)); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
	if expiry := s.muninxExpiry(t); expiry != "<nil>" {
		t.Errorf("a muninx token expires at %s", expiry)
	}
}

// TestBootstrapTellsTheMaxima where it fills an empty database.
func TestBootstrapTellsTheMaxima(t *testing.T) {
	dir := t.TempDir()
	database := "sqlite:" + filepath.Join(dir, "tokenwright.db")
	command(t, nil, "migrate", "up", "--database-url", database).ok(t)
	out := command(t, nil, "bootstrap", "--database-url", database, "--credential-file", filepath.Join(dir, "first")).ok(t)
	if !strings.Contains(out, saysMaxima) {
		t.Errorf("it says %s", out)
	}
	out = command(t, nil, "bootstrap", "--database-url", database, "--credential-file", filepath.Join(dir, "second")).ok(t)
	if strings.Contains(out, saysMaxima) {
		t.Errorf("the database is filled, and it says %s", out)
	}
}
