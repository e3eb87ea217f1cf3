package clients

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/test/harness"
)

// guide is the document whose lines the tests run.
const guide = "../../docs/clients.md"

// lines returns what a document has in fenced parts of one language, as one text that calls the running server. Of the
// guide it takes the part under one heading; other documents have one language.
func lines(t *testing.T, w harness.World, document, heading, language string) string {
	t.Helper()
	var found strings.Builder
	inside, wanted := false, heading == ""
	for line := range strings.Lines(read(t, document)) {
		title, isTitle := strings.CutPrefix(line, "## ")
		switch fence := strings.HasPrefix(line, "```"); {
		case isTitle && heading != "":
			wanted = strings.TrimSpace(title) == heading
		case fence:
			inside = wanted && strings.TrimSpace(line) == "```"+language
		case inside:
			found.WriteString(line)
		}
	}
	if found.Len() == 0 {
		t.Fatalf("%s has no lines of %s", document, language)
	}
	return strings.ReplaceAll(found.String(), "http://127.0.0.1:8080", w.URL)
}

// expect holds what the lines of a document printed: they end with an error that they handle.
func expect(t *testing.T, printed string) {
	t.Helper()
	if !strings.Contains(printed, "404") || !strings.Contains(printed, "there is no such token") {
		t.Errorf("the lines of the document print\n%s", printed)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	full, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return full
}

// TestGuideNamesTheVersions holds that the guide tells people to use what the tests use.
func TestGuideNamesTheVersions(t *testing.T) {
	text := read(t, guide)
	for where, pinned := range map[string]*regexp.Regexp{
		"../../go.mod":                    regexp.MustCompile(`(?m)^\tgithub\.com/oapi-codegen/oapi-codegen/v2 (v\S+)`),
		"ogen/go.mod":                     regexp.MustCompile(`github\.com/ogen-go/ogen (v\S+)`),
		npmPackage + "/package.json":      regexp.MustCompile(`"openapi-typescript": "(\S+)"`),
		npmPackage + "/package-lock.json": regexp.MustCompile(`"node_modules/openapi-fetch": \{\s+"version": "(\S+)"`),
		"python/requirements.in":          regexp.MustCompile(`openapi-python-client==(\S+)`),
		"java/pom.xml":                    regexp.MustCompile(`<generator\.version>(\S+)</`),
	} {
		found := pinned.FindStringSubmatch(read(t, where))
		if found == nil {
			t.Errorf("%s does not say %v", where, pinned)
			continue
		}
		if version := found[len(found)-1]; !strings.Contains(text, version) {
			t.Errorf("%s has %s, and the guide does not name it", where, version)
		}
	}
}

// TestGuideForGo runs the lines for Go, in a program of this module.
func TestGuideForGo(t *testing.T) {
	w := harness.StartWorld(t)
	if err := os.MkdirAll("testdata", 0o700); err != nil {
		t.Fatal(err)
	}
	folder, err := os.MkdirTemp("testdata", "guide-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	programs := t.TempDir()
	for program, module := range map[string]string{"oapi-codegen": "../..", "ogen": "ogen"} {
		built := strings.TrimSpace(run(t, module, nil, "go", "tool", "-n", program))
		if err := os.Symlink(built, filepath.Join(programs, program)); err != nil {
			t.Fatal(err)
		}
	}
	made := filepath.Join(folder, "made")
	if err := os.Mkdir(made, 0o700); err != nil {
		t.Fatal(err)
	}
	path := "PATH=" + programs + string(os.PathListSeparator) + os.Getenv("PATH")
	run(t, made, []string{path}, "sh", "-ec", lines(t, w, guide, "Go", "sh"))
	run(t, ".", nil, "go", "build", "./"+made)
	if _, err := os.Stat(filepath.Join(made, "muninx", "oas_client_gen.go")); err != nil {
		t.Error(err)
	}
	write(t, filepath.Join(folder, "main.go"), program(lines(t, w, guide, "Go", "go")))
	built := filepath.Join(programs, "guide")
	run(t, ".", nil, "go", "build", "-o", built, "./"+folder)
	expect(t, run(t, ".", variables(w), built))
	refused(t, ".", variables(w), built)
}

// program makes a program of lines that name no package of the standard library.
func program(lines string) string {
	imports, body, _ := strings.Cut(lines, "\n\n")
	text := "package main\n\n" + imports + "\n"
	for _, path := range []string{"context", "fmt", "log", "net/http", "os"} {
		if strings.Contains(body, filepath.Base(path)+".") {
			text += fmt.Sprintf("import %q\n", path)
		}
	}
	return text + "\nfunc main() {\n" + body + "}\n"
}
