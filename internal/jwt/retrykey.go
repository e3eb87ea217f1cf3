package jwt

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/tokenwright/tokenwright/internal/durable"
	"github.com/tokenwright/tokenwright/internal/token"
)

// retryKeyName is the file with [token.Service.RetryKey], in hexadecimal. It is not in the database, so that a copy of
// that opens no kept answer.
const retryKeyName = "retry.secret"

// RetryKey reads the key of the directory, and creates it if it is missing, as in a new directory or one of an earlier
// release. Of servers that start together exactly one creates it.
func RetryKey(dir string) ([]byte, error) {
	key, err := readRetryKey(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	err = durable.Create(filepath.Join(dir, retryKeyName), []byte(hex.EncodeToString(NewRetryKey())+"\n"))
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("cannot create %s in the key directory: %w", retryKeyName, err)
	}
	return readRetryKey(dir)
}

func readRetryKey(dir string) ([]byte, error) {
	path := filepath.Join(dir, retryKeyName)
	text, err := durable.ReadPrivate(path)
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != token.RetryKeySize {
		return nil, fmt.Errorf("%s must have %d bytes in hexadecimal", path, token.RetryKeySize) // and no more of it
	}
	return key, nil
}

// NewRetryKey is a key for servers that keep nothing beyond their end.
func NewRetryKey() []byte {
	key := make([]byte, token.RetryKeySize)
	_, _ = rand.Read(key) // which never fails
	return key
}
