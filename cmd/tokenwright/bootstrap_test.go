package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
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
	command(t, nil, "migrate", "up", "--database-url", "sqlite:"+filepath.Join(dir, "tokenwright.db")).ok(t)
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

// failing is a store whose commit fails after the credential was delivered.
type failing struct {
	token.Registry
	token.Store
	cause   error
	deliver bool
}

func (f failing) Initialize(_ context.Context, _ token.Seed, deliver func() error) (bool, error) {
	if !f.deliver {
		return false, f.cause
	}
	return false, errors.Join(deliver(), f.cause)
}

func (failing) FirstAdmin(context.Context) (token.User, error) {
	return token.User{ID: 1, Role: token.RoleAdmin, AccountID: "a"}, nil
}

func (f failing) Create(_ context.Context, in token.Insert) (token.Token, error) {
	if !f.deliver {
		return token.Token{}, f.cause
	}
	admin, account := token.User{ID: 1, Role: token.RoleAdmin, AccountID: "a"}, token.Account{ID: "a"}
	return token.Token{}, errors.Join(in.Permit.Judge(token.Identity{User: &admin, Account: &account}),
		in.Decide(&in.Token, token.Facts{User: &admin, Account: &account}), f.cause)
}

// TestCredentialOfAFailedCommit: the file goes, unless nobody can say whether the commit happened.
func TestCredentialOfAFailedCommit(t *testing.T) {
	cause := errors.New("the commit failed")
	ways := map[string]func(*token.Service, *credentialFile) error{
		"first start": func(s *token.Service, file *credentialFile) error {
			_, _, err := initialize(t.Context(), s, file)
			return err
		},
		"rescue": func(s *token.Service, file *credentialFile) error {
			_, err := rescue(t.Context(), s, 0, file)
			return err
		},
	}
	for name, c := range map[string]struct {
		failing
		kept bool
	}{
		"certain":                {failing{cause: cause, deliver: true}, false},
		"certain with a kind":    {failing{cause: token.Wrap(token.Internal, cause), deliver: true}, false},
		"unknown":                {failing{cause: token.Wrap(token.Unavailable, cause), deliver: true}, true},
		"unknown, as it stopped": {failing{cause: token.Wrap(token.Canceled, cause), deliver: true}, true},
		"before the delivery":    {failing{cause: token.Wrap(token.Unavailable, cause)}, false},
	} {
		for way, try := range ways {
			t.Run(name+" at "+way, func(t *testing.T) {
				file := newCredentialFile(filepath.Join(t.TempDir(), "credential"), "x")
				err := try(&token.Service{Registry: c.failing, Store: c.failing}, file)
				if err == nil || !strings.Contains(err.Error(), cause.Error()) {
					t.Fatalf("the error is %v", err)
				}
				text, failed := os.ReadFile(file.part.path)
				if (failed == nil) != c.kept {
					t.Errorf("the file: %v", failed)
				}
				told := strings.Contains(err.Error(), file.part.path+" is kept, because it is not known whether the credential in it works")
				if told != c.kept || c.kept && len(text) < 40 {
					t.Errorf("the file has %d bytes; the error is %v", len(text), err)
				}
				if report(io.Discard, err) != exitFailure {
					t.Error("the exit code is another")
				}
			})
		}
	}
}

// A signal to stop must not hide that a file was kept.
func TestStoppedStartTellsOfAFileThatWasKept(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	log := slog.New(slog.DiscardHandler)
	if err := stoppedWhileStarting(ctx, log, &uncertainError{text: "kept"}); err == nil {
		t.Error("the error is lost")
	}
	if err := stoppedWhileStarting(ctx, log, errors.New("canceled")); err != nil {
		t.Error(err)
	}
}

func TestSecretFileOfARepeatedTransaction(t *testing.T) {
	file := newCredentialFile(filepath.Join(t.TempDir(), "credential"), "x")
	for _, secret := range []string{"a longer first", "second"} {
		if err := file.write(secret); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.settle(nil); err != nil {
		t.Fatal(err)
	}
	if got := readSecret(t, file.path); got != "second" {
		t.Errorf("the file has %q", got)
	}
}

// TestNoCredentialFile: where none is named, nothing in the working directory is taken for one.
func TestNoCredentialFile(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile(unfinishedSuffix, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if resumed, err := newCredentialFile("", "bootstrap-credential-file").resume(t.Context(), &token.Service{}); resumed || err != nil {
		t.Errorf("resumed %t, %v", resumed, err)
	}
	if _, err := os.Stat(unfinishedSuffix); err != nil {
		t.Errorf("somebody else's file is gone: %v", err)
	}
}
