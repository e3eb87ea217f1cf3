package clients

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/test/world"
)

// variables tell a program in another language about the world.
func variables(w world.World) []string {
	var all []string
	for name, value := range w.Variables() {
		all = append(all, name+"="+value)
	}
	return all
}

// local keeps programs from fetching anything, and from asking a proxy for what is on this machine.
var local = []string{"GOPROXY=off", "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1"}

// run runs a program until it ends, at the latest with the test, and returns what it printed.
func run(t *testing.T, folder string, variables []string, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir, cmd.Env = folder, slices.Concat(os.Environ(), local, variables)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// bearer sends a credential with each request of a generated client.
func bearer(credential string) func(context.Context, *http.Request) error {
	return func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+credential)
		return nil
	}
}
