package readme

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{root}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// found is what an expression has in its parentheses.
func found(t *testing.T, expression, text string) string {
	t.Helper()
	match := regexp.MustCompile(expression).FindStringSubmatch(text)
	if match == nil {
		t.Fatalf("nothing is like %s", expression)
	}
	return match[1]
}

// TestVersionsGoTogether holds the first row of the table in docs/versions.md to what is here: the top of the changelog,
// the contracts and the npm package.
func TestVersionsGoTogether(t *testing.T) {
	want := []string{strings.ToLower(found(t, `(?m)^## (\S+)`, read(t, "CHANGELOG.md")))}
	for _, contract := range []string{"muninx", "apitoken", "unleash", "service"} {
		want = append(want, found(t, `(?m)^  version: (\S+)$`, read(t, "openapi", contract+".yaml")))
	}
	var manifest struct{ Version string }
	if err := json.Unmarshal([]byte(read(t, "clients", "typescript", "package.json")), &manifest); err != nil {
		t.Fatal(err)
	}
	want = append(want, manifest.Version)
	row := found(t, `(?m)^\|---.*\n\| (.*) \|$`, read(t, "docs", "versions.md"))
	if got := strings.Split(row, " | "); !slices.Equal(got, want) {
		t.Errorf("the first row of docs/versions.md has %v, and here is %v", got, want)
	}
}

// unpublished are instructions that would have a registry deliver what it does not have.
var unpublished = regexp.MustCompile(`github\.com/tokenwright/tokenwright\S*@v|go get github\.com/tokenwright|npm (i|install|add) @tokenwright`)

// TestNothingUnpublishedIsFetched holds that no document has its readers fetch what is not there, as long as the table of
// versions has no release.
func TestNothingUnpublishedIsFetched(t *testing.T) {
	if regexp.MustCompile(`(?m)^\| \d`).MatchString(read(t, "docs", "versions.md")) {
		return // there is a release
	}
	guides, err := fs.Glob(os.DirFS(root), "docs/*.md")
	if err != nil || len(guides) == 0 {
		t.Fatal(guides, err)
	}
	for _, path := range append(guides, "README.md", "clients/typescript/README.md") {
		if told := unpublished.FindString(read(t, path)); told != "" {
			t.Errorf("%s says %q", path, told)
		}
	}
}
