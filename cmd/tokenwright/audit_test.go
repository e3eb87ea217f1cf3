package main

import (
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/ncruces/go-sqlite3/driver"
)

// TestAuditCommands list, export, prove and verify what a server has done, and find out what somebody has changed since.
func TestAuditCommands(t *testing.T) {
	dir := t.TempDir()
	witness, database := filepath.Join(dir, "witness"), filepath.Join(dir, "tokenwright.db")
	s, stop := start(t, dir, "--audit-witness", witness)
	s.cli(t, "token", "create", "--dialect", "muninx", "--name", "one").ok(t)
	events := s.objects(t, "audit", "list", "--action", "token.create")
	if len(events) != 2 || events[0]["agent"] != "tokenwright/"+programVersion() || events[0]["actor"] != "user:1" {
		t.Errorf("the events are %v", events)
	}
	if table := s.cli(t, "audit", "list", "--limit", "1").ok(t); !strings.Contains(table, "token.create") {
		t.Errorf("the table is %q", table)
	}
	lines := strings.Split(strings.TrimSpace(s.cli(t, "audit", "export").ok(t)), "\n")
	if rest := s.cli(t, "audit", "export", "--after", "1", "--since", "2020-01-01T00:00:00Z").ok(t); rest != strings.Join(lines[1:], "\n")+"\n" {
		t.Errorf("after the first event there is %q", rest)
	}
	for _, line := range lines {
		if !json.Valid([]byte(line)) {
			t.Errorf("the line %q", line)
		}
	}
	stop() // which brings everything into the log

	key := strings.TrimSpace(command(t, nil, "audit", "key", "--key-directory", filepath.Join(dir, "keys")).ok(t))
	verify := []string{"audit", "verify", "--database-url", "sqlite:" + database}
	if told := command(t, nil, verify...).ok(t); !strings.Contains(told, "All 6 events in the log are as they were. Not in the log yet: 0.") ||
		!strings.Contains(told, "--checkpoint") {
		t.Errorf("verified: %q", told)
	}
	verify = append(verify, "--checkpoint", witness, "--verifier-key", key)
	command(t, nil, verify...).ok(t)

	s, stop = start(t, dir)
	if told := s.cli(t, "audit", "proof", "3", "--verifier-key", key).ok(t); !strings.Contains(told, "at position 2 of the log of 6 events") {
		t.Errorf("proved: %q", told)
	}
	s.cli(t, "audit", "proof", "99").refused(t, exitFailure, "404")
	s.cli(t, "audit", "proof", "3", "--verifier-key", "other+12345678+AAAA").refused(t, exitFailure, "not proved")
	stop()

	raw, err := sql.Open("sqlite3", "file:"+database)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	change := func(statement string) {
		if _, err := raw.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	change("UPDATE audit_events SET actor = 'user:7' WHERE id = 6")
	r := command(t, nil, verify...)
	if r.code != exitFailure || r.out != "at position 5: event 6 was altered\n" || !strings.Contains(r.errors, "first at position 5: event 6 was altered") {
		t.Errorf("an event was altered: exit %d, %q, %q", r.code, r.out, r.errors)
	}
	change("DELETE FROM audit_events WHERE id > 0; DELETE FROM audit_log WHERE first >= 0")
	if r := command(t, nil, verify...); r.code != exitFailure || !strings.Contains(r.out, "cut off") {
		t.Errorf("everything was removed: exit %d, %q, %q", r.code, r.out, r.errors)
	}
	command(t, nil, verify[:4]...).ok(t) // nobody could know without the checkpoint
}

// TestKeysOfTheLog: one that is lost cannot be made anew without a word, and one that is no key is refused.
func TestKeysOfTheLog(t *testing.T) {
	dir := t.TempDir()
	command(t, nil, "audit", "key", "--key-directory", dir).refused(t, exitFailure, "no such file")
	first := command(t, nil, "audit", "key", "--key-directory", dir, "--origin", "https://tokens.example/").ok(t)
	again := command(t, nil, "audit", "key", "--key-directory", dir, "--origin", "https://other.example").ok(t)
	if first != again || !strings.HasPrefix(first, "tokens.example/audit+") {
		t.Errorf("the keys are %q and %q", first, again)
	}
	path := filepath.Join(dir, "audit.key")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key file is %v, %v", info, err)
	}
	if err := os.WriteFile(path, []byte("PRIVATE+KEY+x+secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, nil, "audit", "key", "--key-directory", dir).refused(t, exitFailure, "is no key of an audit log")
}
