package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tokenwright/tokenwright/internal/durable"
	"github.com/tokenwright/tokenwright/internal/token"
)

// credentialFile is the file for a credential that a transaction creates. Until the commit it has another name, so that
// a later run recognizes what a killed run left behind, and finishes or replaces it. No other file is ever overwritten.
type credentialFile struct {
	path string
	flag string // that gave the path
	part secretFile
}

const unfinishedSuffix = ".unfinished"

func newCredentialFile(path, flag string) *credentialFile {
	return &credentialFile{path: path, flag: flag, part: secretFile{path: path + unfinishedSuffix, flag: flag}}
}

// write is called inside the transaction, and again if the transaction is retried.
func (f *credentialFile) write(secret string) error {
	if f.part.file == nil {
		if err := f.makeRoom(); err != nil {
			return err
		}
	}
	return f.part.write(secret)
}

// makeRoom removes what an earlier run left behind. The database does not know that secret: [credentialFile.resume]
// would otherwise have finished its file.
func (f *credentialFile) makeRoom() error {
	if f.path == "" {
		return unnamed(f.flag)
	}
	if !missing(f.path) {
		return occupied(f.path, f.flag)
	}
	if _, err := f.left(); err != nil {
		return nil //nolint:nilerr // nothing of ours is there; any other file makes the write fail
	}
	return os.Remove(f.part.path)
}

// left reads what an earlier run left behind: a credential or the beginning of one. Anything else is not ours.
func (f *credentialFile) left() (string, error) {
	info, err := os.Lstat(f.part.path)
	if err != nil {
		return "", err
	}
	file, err := os.Open(f.part.path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, maxCredentialFile))
	text := strings.Trim(string(raw), "\x00\n")
	if err == nil && !(info.Mode().IsRegular() && maybeSecret(text)) {
		err = fs.ErrExist
	}
	return text, err
}

// maxCredentialFile is larger than any file with a credential, in bytes.
const maxCredentialFile = 1 << 10

// maybeSecret reports whether the text is a credential as the first start makes it, or the beginning of one.
func maybeSecret(text string) bool {
	return token.CredentialDialect.Secrets.Fits(text) || token.CredentialDialect.Secrets.Begins(text)
}

// settle ends the writing with the outcome of the transaction, and returns it.
func (f *credentialFile) settle(outcome error) error {
	begun := f.part.file != nil
	err := f.part.settle(outcome)
	if uncertain := (*uncertainError)(nil); errors.As(err, &uncertain) {
		uncertain.text += "; the next run with this file finds out"
	}
	if err != nil || !begun {
		return err
	}
	return f.finish()
}

// finish gives the file its name. Another server that starts may do the same.
func (f *credentialFile) finish() error {
	err := os.Link(f.part.path, f.path)
	if err != nil && missing(f.path) {
		err = os.Rename(f.part.path, f.path) // a file system without links
	}
	switch {
	case err == nil, missing(f.part.path) && !missing(f.path), sameFile(f.part.path, f.path):
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("the credential is in %s: %w", f.part.path, occupied(f.path, f.flag))
	default:
		return fmt.Errorf("cannot rename the credential file: %w", err)
	}
	if err := os.Remove(f.part.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot rename the credential file: %w", err)
	}
	return durable.SyncDir(filepath.Dir(f.path))
}

func sameFile(a, b string) bool {
	first, err := os.Stat(a)
	second, other := os.Stat(b)
	return err == nil && other == nil && os.SameFile(first, second)
}

// resume finishes the file of an earlier run whose transaction was committed, and removes one of a transaction that was
// not.
func (f *credentialFile) resume(ctx context.Context, tokens *token.Service) (bool, error) {
	if f.path == "" {
		return false, nil
	}
	secret, err := f.left()
	if err != nil {
		return false, nil //nolint:nilerr // nothing of ours is there
	}
	switch _, err := tokens.Authenticate(ctx, secret); {
	case err == nil:
		return true, f.finish()
	case errors.Is(err, token.CredentialInvalid), errors.Is(err, token.CredentialMissing):
		return false, os.Remove(f.part.path)
	default:
		return false, err
	}
}
