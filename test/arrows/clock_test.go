package arrows

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// clocks are the only files that may ask for the time, and why. Everything else is told the time by the service, in
// the zone and the precision that the store keeps, and tests can set it.
var clocks = map[string]string{
	"internal/token/service.go": "the clock",
	"cmd/tokenwright/tokens.go": "the client, which has no service: a lifetime is counted from when it is typed",
	"verify/verify.go":          "the library in other people's programs, which have no service; Config.Now replaces it",
}

// TestOneClock finds every mention of time.Now, time.Since and time.Until outside tests and machine-written code.
func TestOneClock(t *testing.T) {
	used := map[string]bool{}
	walk(t, "../..", func(path string, text []byte) {
		found, err := readsClock(path, text)
		if err != nil {
			t.Error(err)
		}
		for _, where := range found {
			if clocks[path] == "" {
				t.Errorf("%s asks for the time itself: take the service's clock", where)
			}
			used[path] = true
		}
	})
	for path := range clocks {
		if !used[path] {
			t.Errorf("%s does not ask for the time any more: take it off the list", path)
		}
	}
}

// walk visits the Go files of the product.
func walk(t *testing.T, root string, visit func(path string, text []byte)) {
	t.Helper()
	skip := []string{"gen", "test", "bench", ".git", "testdata"}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && slices.Contains(skip, entry.Name()) {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		path, err = filepath.Rel(root, path)
		visit(filepath.ToSlash(path), text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// readsClock returns where a file mentions a function of package time that reads the clock.
func readsClock(path string, text []byte) ([]string, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	name := timeName(file)
	var found []string
	ast.Inspect(file, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		of, ok := selector.X.(*ast.Ident)
		if ok && of.Name == name && slices.Contains([]string{"Now", "Since", "Until"}, selector.Sel.Name) {
			at := files.Position(selector.Pos())
			found = append(found, fmt.Sprintf("%s:%d", path, at.Line))
		}
		return true
	})
	return found, nil
}

// timeName is what the file calls package time, "" if it does not import it.
func timeName(file *ast.File) string {
	for _, spec := range file.Imports {
		if path, err := strconv.Unquote(spec.Path.Value); err != nil || path != "time" {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return "time"
	}
	return ""
}

// TestReadsClock holds that the search finds what it is there to find.
func TestReadsClock(t *testing.T) {
	for text, want := range map[string]int{
		`import "time"; var t = time.Now()`:              1,
		`import "time"; var now = time.Now`:              1,
		`import "time"; var d = time.Since(time.Time{})`: 1,
		`import c "time"; var t = c.Now()`:               1,
		`import "time"; var t = time.Unix(0, 0)`:         0,
		`var time struct{ Now int }; var t = time.Now`:   0,
		`import "time"; type s struct{ Now time.Time }`:  0,
	} {
		if got, err := readsClock("x.go", []byte("package x; "+text)); err != nil || len(got) != want {
			t.Errorf("%s: %v, %v, want %d", text, got, err, want)
		}
	}
}
