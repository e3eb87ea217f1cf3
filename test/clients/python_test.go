package clients

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tokenwright/tokenwright/test/harness"
)

// TestPython checks the types of the generated clients and of all that uses them, and runs that.
func TestPython(t *testing.T) {
	folder := absolute(t, "python")
	python := filepath.Join(folder, ".venv", "bin", "python")
	if _, err := os.Stat(python); err != nil {
		t.Fatal("there is no Python environment: run `make clients-setup`")
	}
	w, programs := harness.StartWorld(t), t.TempDir()
	document := filepath.Join(programs, "guide.py")
	write(t, document, lines(t, w, guide, "Python", "python"))
	run(t, folder, nil, python, "-m", "mypy", ".", document)
	environment := append(variables(w),
		"PATH="+filepath.Dir(python)+string(os.PathListSeparator)+os.Getenv("PATH"), "PYTHONPATH="+filepath.Join(folder, "generated"))
	for _, test := range []string{"test_life.py", "test_errors.py"} {
		t.Log(run(t, folder, environment, python, test))
	}
	// The lines run with what their own command makes.
	environment[len(environment)-1] = "PYTHONPATH="
	run(t, programs, environment, "sh", "-ec", lines(t, w, guide, "Python", "sh"))
	expect(t, run(t, programs, environment, python, document))
	refused(t, programs, environment, python, document)
}
