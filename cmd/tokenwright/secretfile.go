package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tokenwright/tokenwright/internal/durable"
	"github.com/tokenwright/tokenwright/internal/token"
)

// secretFile is a new file of mode 0600 for one secret. It never overwrites an existing file.
type secretFile struct {
	path string
	flag string // that gave the path
	file *os.File

	written bool // the whole secret is in it
}

// reserve makes the file, empty, and its directory if that is missing.
func (f *secretFile) reserve() error {
	if f.path == "" {
		return unnamed(f.flag)
	}
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return fmt.Errorf("cannot write the credential: %w", err)
	}
	file, err := os.OpenFile(f.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return occupied(f.path, f.flag)
	}
	if err != nil {
		return fmt.Errorf("cannot write the credential: %w", err)
	}
	f.file = file
	return nil
}

func unnamed(flag string) error {
	return fmt.Errorf("no file for the credential: give one with --%s (%s)", flag, variable(flag))
}

func occupied(path, flag string) error {
	return fmt.Errorf("%s already exists and is not overwritten: move it away or name another file with --%s",
		path, flag)
}

// write puts the secret on disk and syncs it. A transaction that is retried calls it again with another secret.
func (f *secretFile) write(secret string) error {
	if f.file == nil {
		if err := f.reserve(); err != nil {
			return err
		}
	}
	f.written = false
	_, err := f.file.Seek(0, io.SeekStart)
	if err == nil {
		err = f.file.Truncate(0)
	}
	if err == nil {
		_, err = f.file.WriteString(secret + "\n")
	}
	if err := errors.Join(err, f.file.Sync(), durable.SyncDir(filepath.Dir(f.path))); err != nil {
		return fmt.Errorf("cannot write the credential: %w", err)
	}
	f.written = true
	return nil
}

// uncertainError is a failure that leaves open whether the secret works.
type uncertainError struct {
	text  string
	cause error
}

func (e *uncertainError) Error() string { return e.text }
func (e *uncertainError) Unwrap() error { return e.cause }

// settle closes the file and returns the outcome of what created the secret. It keeps the file if the secret works, or
// may work because the database was lost or the caller gave up at the commit; the error then says so. Otherwise it
// removes the file.
func (f *secretFile) settle(outcome error) error {
	if f.file == nil {
		return outcome
	}
	f.file.Close()
	if outcome == nil {
		return nil
	}
	if f.written && (errors.Is(outcome, token.Unavailable) || errors.Is(outcome, token.Canceled)) {
		return &uncertainError{
			text: fmt.Sprintf("%v; the credential in %s may or may not work, so the file is kept",
				outcome, f.path),
			cause: outcome,
		}
	}
	os.Remove(f.path) //nolint:errcheck // the secret in it does not work
	f.file = nil
	return outcome
}
