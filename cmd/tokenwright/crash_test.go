package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/store"
	"github.com/tokenwright/tokenwright/test/child"
)

// errCrash stands for the end of the process.
var errCrash = errors.New("crash")

// crashing is a database whose program ends at a certain moment.
type crashing struct {
	*store.DB
	afterCommit bool
}

func (c crashing) Initialize(ctx context.Context, seed token.Seed, deliver func() error) (bool, error) {
	made, err := c.DB.Initialize(ctx, seed, func() error {
		if err := deliver(); err != nil {
			return err
		}
		if !c.afterCommit {
			panic(errCrash) // which rolls back
		}
		return nil
	})
	if made && c.afterCommit {
		panic(errCrash)
	}
	return made, err
}

func (c crashing) Create(ctx context.Context, in token.Insert) (token.Token, error) {
	decide := in.Decide
	in.Decide = func(t *token.Token, f token.Facts) error {
		if err := decide(t, f); err != nil {
			return err
		}
		if !c.afterCommit {
			panic(errCrash)
		}
		return nil
	}
	t, err := c.DB.Create(ctx, in)
	if err == nil && c.afterCommit {
		panic(errCrash)
	}
	return t, err
}

// crash runs what ends the process.
func crash(t *testing.T, path string, afterCommit bool, do func(*token.Service) error) {
	t.Helper()
	db, err := store.Open(t.Context(), "sqlite:"+path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	defer func() {
		if recover() != errCrash {
			t.Error("it did not crash")
		}
	}()
	c := crashing{db, afterCommit}
	err = do(&token.Service{Registry: c, Store: c})
	t.Errorf("the error is %v", err)
}

// TestCrashOfTheFirstStart between the writing of the credential and the commit, or between the commit and the end of the
// writing, leaves what the next start finishes.
func TestCrashOfTheFirstStart(t *testing.T) {
	for name, afterCommit := range map[string]bool{"before the commit": false, "after it": true} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "tokenwright.db")
			crash(t, path, afterCommit, func(s *token.Service) error {
				_, _, err := initialize(t.Context(), s, newCredentialFile(filepath.Join(dir, "bootstrap-credential"), "x"))
				return err
			})
			s, _ := start(t, dir)
			s.works(t, s.credential(t))
			onlyFile(t, dir, "bootstrap-credential*")
		})
	}
}

// onlyFile fails the test unless one file matches, and that one is for its owner only.
func onlyFile(t *testing.T, dir, pattern string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(files) != 1 {
		t.Fatalf("there are %v (%v)", files, err)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v (%v)", info.Mode(), err)
	}
}

// TestCrashOfARescue likewise.
func TestCrashOfARescue(t *testing.T) {
	for name, afterCommit := range map[string]bool{"before the commit": false, "after it": true} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			_, stop := start(t, dir)
			stop()
			path, file := filepath.Join(dir, "tokenwright.db"), filepath.Join(dir, "rescued")
			crash(t, path, afterCommit, func(s *token.Service) error {
				_, err := rescue(t.Context(), s, 0, newCredentialFile(file, "x"))
				return err
			})
			command(t, nil, "bootstrap", "--database-url", "sqlite:"+path, "--credential-file", file).ok(t)
			s, _ := start(t, dir)
			s.works(t, readSecret(t, file))
			onlyFile(t, dir, "rescued*")
		})
	}
}

// TestKilledFirstStarts kills the real program as soon as there is a file for the credential.
func TestKilledFirstStarts(t *testing.T) {
	for range 8 {
		dir := t.TempDir()
		p := newInstance(dir)
		cmd := exec.Command(child.Binary(t), p.arguments(nil)...)
		cmd.Env = []string{}
		started, err := child.Start(cmd, nil, syscall.SIGKILL)
		if err != nil {
			t.Fatal(err)
		}
		for seen := []string(nil); len(seen) == 0; {
			seen, _ = filepath.Glob(p.credentialFile + "*")
		}
		if err := started.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		<-started.Exited
		s, stop := start(t, dir)
		s.works(t, s.credential(t))
		onlyFile(t, dir, "bootstrap-credential*")
		stop()
	}
}

// TestUnfinishedFileOfAStranger is not touched.
func TestUnfinishedFileOfAStranger(t *testing.T) {
	for _, text := range []string{"somebody's", "user:0123456789abcdef", "muninx_and something else that is longer than any secret is"} {
		dir := t.TempDir()
		file := filepath.Join(dir, "bootstrap-credential.unfinished")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		command(t, nil, "serve", "--listen", "127.0.0.1:0", "--database-url", "sqlite:"+filepath.Join(dir, "tokenwright.db")).
			refused(t, exitFailure, file+" is there already and is never overwritten")
		if got := readSecret(t, file); got != text {
			t.Errorf("the file has %q", got)
		}
		if _, err := os.Stat(filepath.Join(dir, "bootstrap-credential")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("there is a credential: %v", err)
		}
	}
}
