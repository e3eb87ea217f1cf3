package readme

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	yaml "go.yaml.in/yaml/v3"

	"github.com/tokenwright/tokenwright/test/loopback"
)

// workflow is what of a GitHub workflow is needed to do what it says.
type workflow struct {
	Jobs map[string]struct {
		Steps []struct{ Name, Run string }
	}
}

// TestWorkflow runs the steps of docs/ci.md one after the other, as GitHub does. Only what the first installs is not a
// release, but what is here.
func TestWorkflow(t *testing.T) {
	home := t.TempDir()
	address, err := loopback.Free()
	if err != nil {
		t.Fatal(err)
	}
	steps := stepsOf(t)
	const install = "go install github.com/tokenwright/tokenwright/cmd/tokenwright@v"
	if len(steps) != 5 || !strings.HasPrefix(steps[0].Run, install) {
		t.Fatalf("the workflow has other steps: %+v", steps)
	}
	_, rest, _ := strings.Cut(steps[0].Run, "\n")
	here, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	steps[0].Run = "(cd '" + here + "' && go install ./cmd/tokenwright)\n" + rest
	for _, step := range steps {
		if out, err := runStep(t, home, strings.ReplaceAll(step.Run, "127.0.0.1:8080", address.String())); err != nil {
			_ = exec.Command("sh", "-c", `. "$0" && kill "$TOKENWRIGHT_PID"`, filepath.Join(home, "environment")).Run() // if it runs
			log, _ := os.ReadFile(filepath.Join(home, "tokenwright.log"))
			t.Fatalf("%s: %v\n%s\n%s", step.Name, err, out, log)
		}
	}
}

// runStep gives a step what the steps before it left in GITHUB_ENV and GITHUB_PATH.
func runStep(t *testing.T, home, script string) ([]byte, error) {
	t.Helper()
	cache, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	environment, paths := filepath.Join(home, "environment"), filepath.Join(home, "paths")
	set, _ := os.ReadFile(environment) // which a step makes
	added, _ := os.ReadFile(paths)
	cmd := exec.Command("bash", "-e", "-c", script)
	cmd.Dir = home
	cmd.Env = append(os.Environ(), "GITHUB_ENV="+environment, "GITHUB_PATH="+paths, "GOPATH="+filepath.Join(home, "go"), "GOBIN=",
		"GOMODCACHE="+strings.TrimSpace(string(cache)), "PATH="+strings.Join(append(strings.Fields(string(added)), os.Getenv("PATH")), ":"))
	cmd.Env = append(cmd.Env, strings.Fields(string(set))...)
	return cmd.CombinedOutput()
}

func stepsOf(t *testing.T) []struct{ Name, Run string } {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "ci.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(text), "```yaml\n")
	block, _, _ = strings.Cut(block, "```")
	var w workflow
	if err := yaml.Unmarshal([]byte(block), &w); err != nil {
		t.Fatal(err)
	}
	return w.Jobs["test"].Steps
}
