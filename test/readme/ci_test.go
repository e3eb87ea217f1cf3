package readme

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	yaml "go.yaml.in/yaml/v3"

	"github.com/tokenwright/tokenwright/test/child"
)

// step is what of a step of a GitHub workflow is needed to do what it says.
type step struct {
	Name, Run, Uses string
	With            struct{ Path string }
}

type workflow struct {
	Jobs map[string]struct{ Steps []step }
}

// TestWorkflow runs the steps of docs/ci.md one after the other, as GitHub does. The checkout is the one that is here. A
// credential that is not the server's fails the test step, which says why.
func TestWorkflow(t *testing.T) {
	home := t.TempDir()
	address, err := child.Free()
	if err != nil {
		t.Fatal(err)
	}
	steps := stepsOf(t)
	if len(steps) != 6 || !strings.HasPrefix(steps[0].Uses, "actions/checkout@") {
		t.Fatalf("the workflow has other steps: %+v", steps)
	}
	here, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(here, filepath.Join(home, steps[0].With.Path)); err != nil {
		t.Fatal(err)
	}
	for _, step := range steps[1:] {
		script := strings.ReplaceAll(step.Run, "127.0.0.1:8080", address.String())
		if step.Name == "Test" {
			out, err := runStep(t, home, "TOKENWRIGHT_BOOTSTRAP_CREDENTIAL=muninx_unknown\n"+script)
			if err == nil || !strings.Contains(string(out), "401") || strings.Count(string(out), "\n") != 1 {
				t.Errorf("a wrong credential has to end the step with one line that says so: %v\n%s", err, out)
			}
		}
		if out, err := runStep(t, home, script); err != nil {
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

func stepsOf(t *testing.T) []step {
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
