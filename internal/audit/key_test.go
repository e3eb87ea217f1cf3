package audit

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestKeysThatOthersCanRead are refused: whoever has one signs a history of its own.
func TestKeysThatOthersCanRead(t *testing.T) {
	dir := t.TempDir()
	made, err := OpenOrCreateKey(dir, "https://tokens.example")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := OpenOrCreateKey(dir, "https://elsewhere.example"); err != nil || again.Public() != made.Public() {
		t.Errorf("%v, %v", again, err)
	}
	if err := os.Chmod(filepath.Join(dir, keyFile), 0o640); err != nil {
		t.Fatal(err)
	}
	if key, err := OpenOrCreateKey(dir, "https://tokens.example"); err == nil || !strings.Contains(err.Error(), "run chmod 0600") {
		t.Errorf("%v, %v", key, err)
	}
}
