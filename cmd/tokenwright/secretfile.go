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

// secretFile is a new file of mode 0600 for one secret. It never overwrites a file that was there.
type secretFile struct {
	path string
	flag string // which named it
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
	return fmt.Errorf("the credential needs a file: name one with --%s (%s)", flag, variable(flag))
}

func occupied(path, flag string) error {
	return fmt.Errorf("%s is there already and is never overwritten: move it away or name another file with --%s",
		path, flag)
}

// write puts the secret on disk for good. It may be called again with another secret, as a transaction that is
// repeated does.
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

// settle ends the writing with the outcome of what made the secret, and returns it. The file stays if the secret works
// or may work, which the error then says, and goes if it does not: a database that was lost at the commit, or a caller
// who gave up then, leaves open whether the commit happened.
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
			text: fmt.Sprintf("%v; the file %s is kept, because it is not known whether the credential in it works",
				outcome, f.path),
			cause: outcome,
		}
	}
	os.Remove(f.path) //nolint:errcheck // what is in it opens nothing
	f.file = nil
	return outcome
}
