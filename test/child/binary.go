//go:build unix

package child

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

var built struct {
	sync.Once
	program string
	err     error
}

// Binary is the path of the program, built as it is shipped, once for all tests of a package. The package needs [Main], or
// that of pgtest.
func Binary(t testing.TB) string {
	t.Helper()
	built.Do(build)
	need(t, built.err)
	return built.program
}

func build() {
	dir, err := os.MkdirTemp("", "tokenwright-test-")
	if err != nil {
		built.err = err
		return
	}
	built.program = filepath.Join(dir, "tokenwright")
	cmd := exec.Command("go", "build", "-o", built.program, "github.com/tokenwright/tokenwright/cmd/tokenwright")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		built.err = fmt.Errorf("%w\n%s", err, out)
	}
}

// Main runs the tests of a package and removes the program that they may have built. It is for TestMain.
func Main(m *testing.M) int {
	code := m.Run()
	if built.program != "" {
		_ = os.RemoveAll(filepath.Dir(built.program))
	}
	return code
}

func need(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
