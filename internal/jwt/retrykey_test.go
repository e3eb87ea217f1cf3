package jwt

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tokenwright/tokenwright/internal/token"
)

// TestRetryKeyIsCreatedOnce: servers that start together have the same key, which only its owner can read.
func TestRetryKeyIsCreatedOnce(t *testing.T) {
	dir := t.TempDir()
	keys := make([][]byte, 16)
	var all sync.WaitGroup
	for i := range keys {
		all.Go(func() {
			var err error
			if keys[i], err = RetryKey(dir); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, key := range keys {
		if len(key) != token.RetryKeySize || !bytes.Equal(key, keys[0]) {
			t.Errorf("the keys are %x", keys)
		}
	}
	info, err := os.Stat(filepath.Join(dir, retryKeyName))
	if err != nil || info.Mode().Perm() != fileMode {
		t.Errorf("%v, %v", info, err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("%v, %v", files, err)
	}
}

// TestRetryKeysThatAreNone: a damaged file is not replaced, nor repeated in the error, and one that others can read is
// refused.
func TestRetryKeysThatAreNone(t *testing.T) {
	good := hex.EncodeToString(NewRetryKey())
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
	}{
		"empty": {"", fileMode}, "short": {good[2:], fileMode}, "long": {good + "00", fileMode},
		"no number": {"x" + good[1:], fileMode}, "readable by all": {good, 0o644},
	} {
		path := filepath.Join(t.TempDir(), retryKeyName)
		if err := os.WriteFile(path, []byte(c.text), c.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		key, err := RetryKey(filepath.Dir(path))
		if err == nil || key != nil || strings.Contains(err.Error(), good[8:40]) {
			t.Errorf("%s: %x, %v", name, key, err)
		}
		if after, err := os.ReadFile(path); err != nil || string(after) != c.text {
			t.Errorf("%s: the file became %q, %v", name, after, err)
		}
	}
}
