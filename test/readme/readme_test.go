// Package readme runs the commands of the README against a real server and compares the answers with those that it shows.
package readme

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/test/child"
)

const root = "../.."

func TestMain(m *testing.M) { os.Exit(child.Main(m)) }

// block is a fenced part of the README.
type block struct {
	language, text string
	line           int
}

func blocks(t *testing.T) []block {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var all []block
	var current *block
	for i, line := range strings.Split(string(text), "\n") {
		language, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && current == nil:
			current = &block{language: language, line: i + 1}
		case fence:
			all = append(all, *current)
			current = nil
		case current != nil:
			current.text += line + "\n"
		}
	}
	return all
}

// TestRunSaysThatItTakesTime before it builds: the compiler prints nothing for minutes, and the README begins with this.
func TestRunSaysThatItTakesTime(t *testing.T) {
	cmd := exec.Command("make", "--dry-run", "--no-print-directory", "run")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if first, rest, _ := strings.Cut(string(out), "\n"); !strings.HasPrefix(first, "echo ") || !strings.Contains(first, "minutes") ||
		!strings.Contains(rest, "build -trimpath") {
		t.Errorf("make run begins with %q", first)
	}
}

// TestCommands follows the README from top to bottom in an empty directory.
func TestCommands(t *testing.T) {
	home := t.TempDir()
	if err := errors.Join(os.Mkdir(filepath.Join(home, "bin"), 0o700), os.Symlink(child.Binary(t), filepath.Join(home, "bin", "tokenwright"))); err != nil {
		t.Fatal(err)
	}
	address := child.Serve(t, home, os.Environ(), "--listen", "127.0.0.1:0").Address
	all := blocks(t)
	if all[0].text != "make run\n" {
		t.Errorf("the README begins with %q", all[0].text)
	}
	calls := 0
	for i, b := range all {
		if b.language != "sh" || b.text == "make run\n" {
			continue
		}
		script := strings.ReplaceAll(b.text, "127.0.0.1:8080", address)
		cmd := exec.Command("sh", "-ec", script)
		cmd.Dir = home
		cmd.Env = append(os.Environ(), "TOKENWRIGHT_SERVER=http://"+address)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("line %d: %v\n%s\n%s", b.line, err, script, out)
		}
		calls++
		if i+1 < len(all) && all[i+1].language == "json" {
			compare(t, b, all[i+1].text, string(out))
		}
	}
	if calls < 5 {
		t.Errorf("only %d commands were run", calls)
	}
	for n, b := range all {
		if n == 5 && b.line > 40 { // the third call
			t.Errorf("the three calls end at line %d, after line 40", b.line)
		}
	}
}

// compare asks for the same members with the same types, all the way down.
func compare(t *testing.T, b block, shown, got string) {
	t.Helper()
	var want, have any
	if err := json.Unmarshal([]byte(shown), &want); err != nil {
		t.Fatalf("line %d: the answer shown is no JSON: %v", b.line, err)
	}
	if err := json.Unmarshal([]byte(got), &have); err != nil {
		t.Fatalf("line %d: the answer is no JSON: %v: %s", b.line, err, got)
	}
	if w, h := shape(want), shape(have); w != h {
		t.Errorf("line %d: the README shows %s, the server answers %s", b.line, w, h)
	}
}

func shape(v any) string {
	switch v := v.(type) {
	case map[string]any:
		members := map[string]string{}
		for name, value := range v {
			members[name] = shape(value)
		}
		return fmt.Sprint(members)
	case []any:
		parts := make([]string, len(v))
		for i, value := range v {
			parts[i] = shape(value)
		}
		return fmt.Sprint(parts)
	}
	return fmt.Sprintf("%T", v)
}
