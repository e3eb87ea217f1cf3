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

// TestWorkflow runs the steps of docs/ci.md one after the other, as GitHub does, but for the first, which gets a release.
func TestWorkflow(t *testing.T) {
	home := t.TempDir()
	bin := filepath.Dir(build(t, home))
	address, err := loopback.Free()
	if err != nil {
		t.Fatal(err)
	}
	steps := stepsOf(t)
	if len(steps) != 5 || !strings.Contains(steps[0].Run, "go install") {
		t.Fatalf("the workflow has other steps: %+v", steps)
	}
	environment := filepath.Join(home, "environment")
	for _, step := range steps[1:] {
		cmd := exec.Command("bash", "-e", "-o", "pipefail", "-c", strings.ReplaceAll(step.Run, "127.0.0.1:8080", address.String()))
		cmd.Dir = home
		cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "GITHUB_ENV="+environment)
		set, _ := os.ReadFile(environment) // which the first step makes
		cmd.Env = append(cmd.Env, strings.Fields(string(set))...)
		if out, err := cmd.CombinedOutput(); err != nil {
			_ = exec.Command("sh", "-c", `. "$0" && kill "$TOKENWRIGHT_PID"`, environment).Run() // if it runs
			log, _ := os.ReadFile(filepath.Join(home, "tokenwright.log"))
			t.Fatalf("%s: %v\n%s\n%s", step.Name, err, out, log)
		}
	}
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
