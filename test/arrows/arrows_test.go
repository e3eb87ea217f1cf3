// Package arrows holds what the packages of the workspace may import, and where the time may be asked for.
package arrows

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/tokenwright/tokenwright"

// local says what a package may import of this repository. The first row that fits a package is its row; a package that
// fits none may import nothing, as what others import: the clients and verify. In a pattern `*` is one segment, a trailing
// `/...` is the folder and all below it, and {name} is one segment that must be the same on both sides.
var local = []struct {
	from string
	may  []string
}{
	{"cmd/...", []string{"cmd/...", "store", "gen/*/client", "internal/..."}},
	{"handlers", []string{"handlers/...", "openapi", "internal/limit", "internal/token"}},
	{"handlers/authn", []string{"internal/token"}},
	{"handlers/wire", []string{"internal/limit", "internal/token"}},
	{"handlers/{dialect}", []string{"gen/{dialect}", "handlers/authn", "handlers/wire", "internal/token"}},
	{"internal/server", []string{"handlers", "store", "internal/..."}},
	{"internal/token", nil},
	{"internal/durable", nil},
	{"internal/audit", []string{"internal/durable", "internal/token"}},
	{"internal/jwt", []string{"internal/durable", "internal/token"}},
	{"internal/memory", []string{"internal/fresh", "internal/statuslist", "internal/token"}},
	{"internal/statuslist", []string{"internal/fresh", "internal/token"}},
	{"internal/...", []string{"internal/token"}},
	{"store/...", []string{"internal/token"}},
	{"verify/echoverify", []string{"verify"}},
	{"test/...", []string{"..."}}, // test/clients is not in the workspace and not listed; it may import the same
	{"bench/...", []string{"..."}},
}

// foreign says which packages alone may import a third-party library, so that each library has one room. The first
// row that fits an import is its row.
var foreign = []struct {
	library string
	only    []string
}{
	{"github.com/labstack/echo/...", []string{"handlers/...", "gen/...", "verify/echoverify", "test/...", "bench/..."}},
	{"gorm.io/...", []string{"store/...", "test/...", "bench/..."}},
	{"golang.org/x/mod/sumdb/...", []string{"internal/audit"}},
	{"github.com/ncruces/...", []string{"store/...", "test/...", "bench/..."}},
	{"...", []string{"cmd/...", "handlers/...", "gen/...", "store/...", "verify/...", "internal/*", "test/...",
		"bench/..."}},
}

// pure packages import nothing but the standard library, whatever foreign says.
var pure = []string{"internal/token", "openapi"}

// TestArrows holds every import of the workspace's modules against the tables.
func TestArrows(t *testing.T) {
	packages := list(t)
	if len(packages) < 10 {
		t.Fatalf("only %d packages were found", len(packages))
	}
	for _, other := range []string{"verify", "verify/echoverify", "gen/muninx/client"} {
		if packages[other] == nil {
			t.Errorf("%s, which is a module of its own, was not found", other)
		}
	}
	for from, imports := range packages {
		for _, to := range imports {
			if err := judge(from, to); err != nil {
				t.Error(err)
			}
		}
	}
}

// list returns the imports of every package of the workspace's modules, without those of its tests, by the package's path
// within the repository.
func list(t *testing.T) map[string][]string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "work")
	cmd.Dir = "../.."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &stderr)
	}
	packages := map[string][]string{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages[relative(p.ImportPath)] = p.Imports
	}
}

// relative is the path within the repository.
func relative(path string) string { return strings.TrimPrefix(path, module+"/") }

// judge returns an error if the package from, by its path within the repository, may not import to.
func judge(from, to string) error {
	if strings.HasPrefix(to, module+"/") {
		return judgeLocal(from, relative(to))
	}
	if first, _, _ := strings.Cut(to, "/"); !strings.Contains(first, ".") {
		return nil // the standard library
	}
	return judgeForeign(from, to)
}

func judgeLocal(from, to string) error {
	for _, row := range local {
		names, ok := match(row.from, from, nil)
		if !ok {
			continue
		}
		for _, pattern := range row.may {
			if _, ok := match(pattern, to, names); ok {
				return nil
			}
		}
		return fmt.Errorf("%s may not import %s, only %v", from, to, row.may)
	}
	return fmt.Errorf("%s may not import %s: it may import nothing of this repository", from, to)
}

func judgeForeign(from, to string) error {
	if slices.Contains(pure, from) {
		return fmt.Errorf("%s may not import %s: it keeps to the standard library", from, to)
	}
	for _, row := range foreign {
		if _, ok := match(row.library, to, nil); !ok {
			continue
		}
		for _, pattern := range row.only {
			if _, ok := match(pattern, from, nil); ok {
				return nil
			}
		}
		return fmt.Errorf("%s may not import %s, which only %v may", from, to, row.only)
	}
	return fmt.Errorf("%s may not import %s", from, to)
}

var name = regexp.MustCompile(`\\\{(\w+)\\\}`)

// match fits a path to a pattern. names, if it is not nil, says what the {name}s of the pattern stand for; the result
// says what they turned out to be.
func match(pattern, path string, names map[string]string) (map[string]string, bool) {
	for key, value := range names {
		pattern = strings.ReplaceAll(pattern, "{"+key+"}", value)
	}
	text := regexp.QuoteMeta(pattern)
	text = strings.ReplaceAll(text, `/\.\.\.`, `(?:/.*)?`)
	text = strings.ReplaceAll(text, `\.\.\.`, `.*`)
	text = strings.ReplaceAll(text, `\*`, `[^/]+`)
	fit := regexp.MustCompile("^" + name.ReplaceAllString(text, `(?P<$1>[^/]+)`) + "$")
	found := fit.FindStringSubmatch(path)
	if found == nil {
		return nil, false
	}
	got := map[string]string{}
	for i, key := range fit.SubexpNames() {
		if key != "" {
			got[key] = found[i]
		}
	}
	return got, true
}

// TestJudge holds that the check refuses what it is there to refuse.
func TestJudge(t *testing.T) {
	const echo, gorm, kong = "github.com/labstack/echo/v4", "gorm.io/gorm/clause", "github.com/alecthomas/kong"
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{"cmd/tokenwright", module + "/internal/server", true},
		{"cmd/tokenwright", module + "/handlers", false},
		{"cmd/tokenwright", module + "/gen/muninx/client", true},
		{"cmd/tokenwright", module + "/gen/muninx", false},
		{"cmd/tokenwright", module + "/handlers/muninx", false},
		{"cmd/tokenwright", module + "/test/harness", false},
		{"handlers", module + "/handlers/unleash", true},
		{"handlers", module + "/openapi", true},
		{"handlers", module + "/store", false},
		{"handlers", module + "/internal/server", false},
		{"handlers", module + "/gen/muninx", false},
		{"handlers/muninx", module + "/gen/muninx", true},
		{"handlers/muninx", module + "/internal/token", true},
		{"handlers/muninx", module + "/gen/unleash", false},
		{"handlers/muninx", module + "/gen/muninx/client", false},
		{"handlers/muninx", module + "/handlers/unleash", false},
		{"handlers/muninx", module + "/handlers", false},
		{"handlers/muninx", module + "/internal/jwt", false},
		{"handlers/muninx", module + "/store", false},
		{"handlers/authn", module + "/handlers/wire", false},
		{"handlers/authn", module + "/gen/authn", false},
		{"handlers/wire", module + "/handlers/muninx", false},
		{"internal/server", module + "/handlers", true},
		{"internal/server", module + "/store", true},
		{"internal/server", module + "/internal/jwt", true},
		{"internal/server", module + "/handlers/muninx", false},
		{"internal/server", module + "/gen/muninx", false},
		{"internal/jwt", module + "/internal/server", false},
		{"store", module + "/internal/server", false},
		{"internal/token", module + "/internal/jwt", false},
		{"internal/token", module + "/internal/token/storetest", false},
		{"internal/token/storetest", module + "/internal/token", true},
		{"internal/jwt", module + "/internal/token", true},
		{"internal/jwt", module + "/internal/oidc", false},
		{"internal/memory", module + "/internal/statuslist", true},
		{"internal/memory", module + "/store", false},
		{"internal/statuslist", module + "/internal/fresh", true},
		{"internal/statuslist", module + "/internal/memory", false},
		{"internal/fresh", module + "/internal/token", true},
		{"internal/fresh", module + "/internal/statuslist", false},
		{"internal/token", module + "/internal/memory", false},
		{"internal/jwt", module + "/store", false},
		{"store", module + "/internal/token", true},
		{"store", module + "/handlers", false},
		{"store", module + "/internal/jwt", false},
		{"verify", module + "/internal/jwt", false},
		{"verify", module + "/internal/token", false},
		{"verify/echoverify", module + "/verify", true},
		{"verify/echoverify", module + "/internal/jwt", false},
		{"gen/muninx", module + "/internal/token", false},
		{"gen/muninx/client", module + "/gen/muninx", false},
		{"openapi", module + "/internal/token", false},
		{"clients/python", module + "/internal/token", false},
		{"unknown", module + "/internal/token", false},
		{"test/harness", module + "/store", true},
		{"bench", module + "/handlers", true},
		{"handlers/muninx", echo, true},
		{"gen/muninx", echo, true},
		{"verify/echoverify", echo, true},
		{"verify", echo, false},
		{"cmd/tokenwright", echo, false},
		{"internal/server", echo, false},
		{"internal/server", gorm, false},
		{"internal/jwt", echo, false},
		{"store", gorm, true},
		{"handlers", gorm, false},
		{"internal/token/storetest", gorm, false},
		{"cmd/tokenwright", gorm, false},
		{"cmd/tokenwright", kong, true},
		{"internal/token", kong, false},
		{"internal/token", "github.com/google/uuid", false},
		{"internal/token", "crypto/rand", true},
		{"openapi", kong, false},
		{"openapi", "embed", true},
		{"unknown", kong, false},
	} {
		if err := judge(c.from, c.to); (err == nil) != c.want {
			t.Errorf("%s -> %s: %v", c.from, c.to, err)
		}
	}
}
