// Package modules holds what others get who import what this repository offers: it publishes all modules to a proxy in a
// folder, builds a small consumer of each from there, looks at what that needed, and runs clients and middleware against
// the server.
package modules

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"

	"github.com/tokenwright/tokenwright/test/harness"
)

const (
	own  = "github.com/tokenwright/tokenwright"
	root = "../.."
)

// client is what every generated client needs.
var client = []string{
	"github.com/apapsch/go-jsonmerge/v2", "github.com/google/uuid", "github.com/oapi-codegen/nullable",
	"github.com/oapi-codegen/runtime",
}

// verification is what the middleware needs, and withEcho what its adapter does beyond it.
var (
	verification = []string{"github.com/go-jose/go-jose/v4", "github.com/hashicorp/golang-lru/v2"}
	withEcho     = []string{
		"github.com/labstack/echo/v4", "github.com/labstack/gommon", "github.com/mattn/go-colorable", "github.com/mattn/go-isatty",
		"github.com/valyala/bytebufferpool", "github.com/valyala/fasttemplate", "golang.org/x/crypto", "golang.org/x/net",
		"golang.org/x/sys", "golang.org/x/text", own + "/verify",
	}
)

// uses says of each module that others import how they begin to use it, and all that they get with it.
var uses = map[string]struct {
	line  string
	needs []string
}{
	"verify":              {`verify.New(verify.Offline("https://tokens.example"))`, verification},
	"verify/echoverify":   {`echoverify.Middleware(nil)`, slices.Concat(withEcho, verification)},
	"gen/muninx/client":   {`client.NewClientWithResponses("https://tokens.example")`, client},
	"gen/apitoken/client": {`client.NewClientWithResponses("https://tokens.example")`, client},
	"gen/unleash/client":  {`client.NewClientWithResponses("https://tokens.example")`, client},
	"gen/service/client": {
		`client.NewClientWithResponses("https://tokens.example")`, append([]string{"go.yaml.in/yaml/v3"}, client...),
	},
}

// servers is what the server is made of, which is not even to be asked about.
var servers = regexp.MustCompile(`gorm\.io|jackc/|ncruces/|goose|kin-openapi|prometheus/|oapi-codegen/v2|(?m)^` + own + ` `)

// TestConsumers holds what is built into a program that uses one module, and what was downloaded for it.
func TestConsumers(t *testing.T) {
	p := publish(t)
	if len(p.modules) != len(uses)+1 {
		t.Errorf("the workspace has %v, of which this test knows %d", p.modules, len(uses)+1)
	}
	for module, use := range uses {
		t.Run(module, func(t *testing.T) {
			t.Parallel()
			folder, env := t.TempDir(), p.env(t)
			path := own + "/" + module
			program := "package main\n\nimport (\n\t\"net/http\"\n\n\t" + quote(path) + "\n)\n\nfunc main() {\n\thttp.NotFoundHandler()\n\t" +
				use.line + "\n}\n"
			if err := os.WriteFile(filepath.Join(folder, "main.go"), []byte(program), 0o600); err != nil {
				t.Fatal(err)
			}
			run(t, folder, env, "go", "mod", "init", "example.com/consumer")
			run(t, folder, env, "go", "mod", "edit", "-require="+path+"@"+p.version)
			run(t, folder, env, "go", "build", "-mod=mod", "-o", "consumer", ".")
			want := slices.Sorted(slices.Values(append([]string{path}, use.needs...)))
			same(t, "built in", fields(run(t, folder, env, "go", "version", "-m", "consumer"), `(?m)^\tdep\t(\S+)`), want)
			same(t, "downloaded", downloads(t, folder, env), want)
			sums, err := os.ReadFile(filepath.Join(folder, "go.sum"))
			if found := servers.FindString(string(sums)); err != nil || found != "" {
				t.Errorf("go.sum has %q: %v", found, err)
			}
		})
	}
}

// TestVersionsAgree: the workspace tests every module with the newest version that any of them asks for, so they have to ask for
// the same.
func TestVersionsAgree(t *testing.T) {
	server := requirements(t, ".")
	for module := range uses {
		for path, version := range requirements(t, module) {
			if server[path] != version {
				t.Errorf("%s asks for %s %s, the server for %q", module, path, version, server[path])
			}
		}
	}
}

// requirements is what a module asks for, and in which version.
func requirements(t *testing.T, folder string) map[string]string {
	t.Helper()
	path := filepath.Join(root, folder, "go.mod")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := modfile.Parse(path, text, nil)
	if err != nil {
		t.Fatal(err)
	}
	versions := map[string]string{}
	for _, require := range parsed.Require {
		versions[require.Mod.Path] = require.Mod.Version
	}
	return versions
}

// TestInstall: `go install` takes the server, which it would refuse if go.mod had a replace.
func TestInstall(t *testing.T) {
	p := publish(t)
	run(t, t.TempDir(), p.env(t), "go", "install", "-n", own+"/cmd/tokenwright@"+p.version)
}

// TestExamples runs the examples of the clients against the server.
func TestExamples(t *testing.T) {
	var env []string
	for name, value := range harness.StartWorld(t).Variables() {
		env = append(env, name+"="+value)
	}
	for _, contract := range []string{"muninx", "apitoken", "unleash", "service"} {
		out := run(t, root, env, "go", "test", "-count=1", "-v", "./gen/"+contract+"/client")
		if strings.Count(out, "--- PASS: Example") < 2 {
			t.Errorf("%s: the examples did not run: %s", contract, out)
		}
	}
}

// fields is what an expression finds in a text, sorted.
func fields(text, expression string) []string {
	var found []string
	for _, match := range regexp.MustCompile(expression).FindAllStringSubmatch(text, -1) {
		found = append(found, match[1])
	}
	slices.Sort(found)
	return found
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n%s\nwant:\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
