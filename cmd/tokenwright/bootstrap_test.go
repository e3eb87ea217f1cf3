package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

func TestBootstrapFillsAnEmptyDatabase(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "deep", "credential")
	out := command(t, nil, "bootstrap", "--database-url", "sqlite:"+filepath.Join(dir, "tokenwright.db"), "--credential-file", file).ok(t)
	if !strings.Contains(out, "was empty") || strings.Contains(out, readSecret(t, file)) {
		t.Errorf("printed: %s", out)
	}
	s, _ := start(t, dir)
	s.works(t, readSecret(t, file))
	if _, err := os.Stat(s.credentialFile); err == nil {
		t.Error("the server has made a second credential")
	}
}

// TestBootstrapRescues takes all credentials away and gets in again.
func TestBootstrapRescues(t *testing.T) {
	dir := t.TempDir()
	s, _ := start(t, dir)
	lost := s.credential(t)
	for _, row := range s.objects(t, "token", "list", "--all") {
		s.cli(t, "token", "revoke", row["dialect"].(string), row["id"].(string), "--admin").ok(t)
	}
	if status, _ := s.ask(t, "GET", "/service/me", lost, ""); status != 401 {
		t.Fatalf("the revoked credential got %d", status)
	}
	url, file := "sqlite:"+filepath.Join(dir, "tokenwright.db"), filepath.Join(dir, "rescued")
	out := command(t, nil, "bootstrap", "--database-url", url, "--credential-file", file).ok(t)
	if !strings.Contains(out, "User 1 ") || strings.Contains(out, readSecret(t, file)) {
		t.Errorf("printed: %s", out)
	}
	s.works(t, readSecret(t, file))
	before := readSecret(t, file)
	command(t, nil, "bootstrap", "--database-url", url, "--credential-file", file).
		refused(t, exitFailure, "is there already and is never overwritten: move it away or name another file with --credential-file")
	if readSecret(t, file) != before {
		t.Error("the file was overwritten")
	}
}

func TestBootstrapForOneAdmin(t *testing.T) {
	dir := t.TempDir()
	s, _ := start(t, dir)
	account := s.objects(t, "account", "list")[0]["id"].(string)
	for _, role := range []string{"member", "admin"} {
		s.cli(t, "user", "create", "--subject", "new-"+role, "--name", role, "--role", role, "--account", account).ok(t)
	}
	file := filepath.Join(dir, "new")
	bootstrap := func(user string) result {
		return command(t, nil, "bootstrap", "--database-url", "sqlite:"+filepath.Join(dir, "tokenwright.db"), "--credential-file", file, "--user", user)
	}
	for user, want := range map[string]string{"2": "not an enabled admin", "99": "no such enabled admin"} {
		bootstrap(user).refused(t, exitFailure, want)
		if _, err := os.Stat(file); err == nil {
			t.Fatalf("a refusal for user %s left the file", user)
		}
	}
	bootstrap("3").ok(t)
	s.credentialFile = file
	if me := decoded[map[string]any](t, s.me(t)); me["user"].(map[string]any)["subject"] != "new-admin" {
		t.Errorf("the credential is of %v", me)
	}
}

func (s *instance) me(t *testing.T) string {
	t.Helper()
	_, body := s.ask(t, "GET", "/service/me", s.credential(t), "")
	return body
}

func TestBootstrapWithoutDatabase(t *testing.T) {
	cluster := pgtest.NewCluster(t)
	url, file := cluster.URL(t), filepath.Join(t.TempDir(), "credential")
	cluster.Stop(t)
	command(t, nil, "bootstrap", "--database-url", url, "--credential-file", file).refused(t, exitFailure, "cannot be reached")
	if _, err := os.Stat(file); err == nil {
		t.Error("the file was made")
	}
}

// failing is a registry whose commit fails after the credential was delivered.
type failing struct{ token.Registry }

func (failing) Initialize(_ context.Context, _ token.Seed, deliver func() error) (bool, error) {
	return false, errors.Join(deliver(), errors.New("the commit failed"))
}

func TestCredentialOfAFailedCommitGoes(t *testing.T) {
	file := &secretFile{path: filepath.Join(t.TempDir(), "credential"), flag: "x"}
	_, err := initialize(t.Context(), &token.Service{Registry: failing{}}, file)
	if err == nil || !strings.Contains(err.Error(), "the commit failed") {
		t.Errorf("the error is %v", err)
	}
	if _, err := os.Stat(file.path); err == nil {
		t.Error("the file is still there")
	}
}

func TestSecretFileOfARepeatedTransaction(t *testing.T) {
	file := &secretFile{path: filepath.Join(t.TempDir(), "credential"), flag: "x"}
	for _, secret := range []string{"a longer first", "second"} {
		if err := file.write(secret); err != nil {
			t.Fatal(err)
		}
	}
	file.settle(true)
	if got := readSecret(t, file.path); got != "second" {
		t.Errorf("the file has %q", got)
	}
}
