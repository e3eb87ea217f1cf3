package clients

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// nodeProgram finds Node.js where scripts/get-node.sh leaves it: in runtime if the machine's own is too old.
func nodeProgram(t *testing.T) string {
	t.Helper()
	if own, _ := filepath.Glob("runtime/node_modules/node-*/bin/node"); len(own) > 0 {
		return own[0]
	}
	path, err := exec.LookPath("node")
	if err != nil {
		t.Fatal("there is no Node.js: run `make node`")
	}
	return path
}

// node runs a program of this folder and reads the JSON that it prints into result.
func node(t *testing.T, input, result any, environment []string, args ...string) {
	t.Helper()
	stdin, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), nodeProgram(t), args...)
	cmd.Stdin, cmd.Stderr, cmd.Env = bytes.NewReader(stdin), &stderr, environment
	stdout, err := cmd.Output()
	if err != nil {
		hint := ""
		if strings.Contains(stderr.String(), "ERR_MODULE_NOT_FOUND") {
			hint = "run `make node`: "
		}
		t.Fatalf("node %s: %s%v: %s", args[0], hint, err, &stderr)
	}
	if err := json.Unmarshal(stdout, result); err != nil {
		t.Fatalf("node %s: %v: %q", args[0], err, stdout)
	}
}
