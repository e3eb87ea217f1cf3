package clients

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/test/harness"
)

// variables tell a program in another language about the world.
func variables(w harness.World) []string {
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
	out, err := try(t, folder, variables, program, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return out
}

// try is run for a program that may fail.
func try(t *testing.T, folder string, variables []string, program string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir, cmd.Env = folder, slices.Concat(os.Environ(), local, variables)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// refused runs the lines of a document, made into a program, with a credential that does not work. They have to say so in
// one line and fail, as programs do whose authors thought of it.
func refused(t *testing.T, folder string, variables []string, program string, args ...string) {
	t.Helper()
	wrong := "TOKENWRIGHT_CREDENTIAL=muninx_unknown"
	out, err := try(t, folder, append(slices.Clone(variables), wrong), program, args...)
	var failed *exec.ExitError
	if !errors.As(err, &failed) || !failed.Exited() {
		t.Errorf("with a wrong credential the lines end with %v, and have to fail\n%s", err, out)
	}
	if !strings.Contains(out, "401") || !strings.Contains(out, "the credential is not valid") || strings.Contains(strings.TrimSpace(out), "\n") {
		t.Errorf("with a wrong credential the lines have to say so in one line; they print\n%s", out)
	}
}

// bearer sends a credential with each request of a generated client.
func bearer(credential string) func(context.Context, *http.Request) error {
	return func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+credential)
		return nil
	}
}
