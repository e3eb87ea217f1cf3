package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestTokenRotation takes a token of each dialect through rotations.
func TestTokenRotation(t *testing.T) {
	dir := t.TempDir()
	s, _ := start(t, dir)
	for dialect := range creations {
		t.Run(dialect, func(t *testing.T) {
			id, first := s.newToken(t, dialect)
			rotate := func(overlap string, more ...string) result {
				return s.cli(t, append([]string{"token", "rotate", dialect, id, "--overlap", overlap}, more...)...)
			}
			lines := strings.Split(rotate("1h").ok(t), "\n")
			if len(lines) != 3 || lines[0] != "Rotated the "+dialect+" token "+id+". Its secret is shown only this once:" {
				t.Fatalf("printed %q", lines)
			}
			second := lines[1]
			s.works(t, first)
			s.works(t, second)
			rotate("1h").refused(t, exitFailure, "409 Conflict: the secret before the current one works until ")
			s.cli(t, "token", "cancel-rotation", dialect, id).ok(t)
			s.stopped(t, second)
			file := filepath.Join(dir, dialect)
			if text := rotate("30m", "--secret-file", file).ok(t); text != "Rotated the "+dialect+" token "+id+". Its secret is in "+file+".\n" {
				t.Errorf("printed %s", text)
			}
			s.cli(t, "token", "finish-rotation", dialect, id).ok(t)
			s.stopped(t, first)
			s.works(t, readSecret(t, file))
			s.cli(t, "token", "finish-rotation", dialect, id).refused(t, exitFailure, "409 Conflict: no rotation is under way")
			made := s.object(t, "token", "rotate", dialect, id, "--overlap", "0s")
			if made["id"] != id || made["rotated_at"] == nil || made["previous_ends_at"] != nil {
				t.Errorf("rotated %v", made)
			}
			s.stopped(t, readSecret(t, file))
			s.works(t, made["token"].(string))
		})
	}
	s.cli(t, "token", "rotate", "muninx", "x", "--overlap", "169h").refused(t, exitUsage, "must be from 0s to 168h")
	s.cli(t, "token", "rotate", "muninx", "x").refused(t, exitUsage, "--overlap")
}

// stopped fails the test if the credential still works.
func (s *instance) stopped(t *testing.T, credential string) {
	t.Helper()
	if status, body := s.ask(t, "GET", "/service/me", credential, ""); status != 401 {
		t.Errorf("a secret that was replaced: %d %s", status, body)
	}
}

// TestTokenEdit changes the terms of tokens.
func TestTokenEdit(t *testing.T) {
	s, _ := start(t, t.TempDir(), "--max-lifetime", "0s")
	id, _ := s.newToken(t, "muninx")
	changed := s.object(t, "token", "edit", "muninx", id, "--name", "another", "--expires", "2100-01-01T00:00:00Z", "--self-rotation", "yes")
	if changed["name"] != "another" || changed["expires_at"] != "2100-01-01T00:00:00Z" || changed["self_rotation"] != true {
		t.Errorf("changed %v", changed)
	}
	if changed = s.object(t, "token", "edit", "muninx", id, "--self-rotation", "no"); changed["self_rotation"] != false || changed["name"] != "another" {
		t.Errorf("changed %v", changed)
	}
	s.cli(t, "token", "edit", "muninx", id, "--expires", "2100-01-01T00:00:01Z").
		refused(t, exitFailure, "/expires_at must not be later than 2100-01-01T00:00:00Z, when the token expires now")
	s.cli(t, "token", "edit", "muninx", id).refused(t, exitUsage, "there is nothing to change")
}
