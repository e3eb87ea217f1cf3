package clients

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tokenwright/tokenwright/test/harness"
)

const npmPackage = "../../clients/typescript"

// published are the files of the npm package, and no others.
var published = []string{
	"LICENSE", "README.md",
	"dist/generated/apitoken.d.ts", "dist/generated/apitoken.js", "dist/generated/muninx.d.ts", "dist/generated/muninx.js",
	"dist/generated/service.d.ts", "dist/generated/service.js", "dist/generated/unleash.d.ts", "dist/generated/unleash.js",
	"dist/generated/versions.d.ts", "dist/generated/versions.js", "dist/index.d.ts", "dist/index.js", "package.json",
}

// TestTypeScript packs the npm package as it would be published, installs that in another program, and compiles and
// runs the package's tests and the lines of the documents there.
func TestTypeScript(t *testing.T) {
	root, node, w := absolute(t, npmPackage), absolute(t, nodeProgram(t)), harness.StartWorld(t)
	run(t, root, nil, node, "scripts/generate.mjs", "--check")
	consumer := t.TempDir()
	install(t, root, consumer, pack(t, root, consumer))
	if err := os.CopyFS(filepath.Join(consumer, "test"), os.DirFS(filepath.Join(root, "test"))); err != nil {
		t.Fatal(err)
	}
	documents(t, w, root, filepath.Join(consumer, "test"))
	configure(t, root, consumer)
	run(t, consumer, nil, node, filepath.Join(root, "node_modules/typescript/bin/tsc"), "-p", ".")
	tests, err := filepath.Glob(filepath.Join(consumer, "build", "*.test.js"))
	if err != nil || len(tests) < 3 {
		t.Fatalf("%d tests: %v", len(tests), err)
	}
	// They share one user, so they take turns.
	t.Log(run(t, root, variables(w), node, append([]string{"--test", "--test-concurrency=1"}, tests...)...))
	for _, document := range []string{"guide", "readme"} {
		expect(t, run(t, consumer, variables(w), node, "build/"+document+".js"))
		refused(t, consumer, variables(w), node, "build/"+document+".js")
	}
}

// documents writes the lines of the documents into a folder, and what the guide has its readers generate.
func documents(t *testing.T, w harness.World, root, folder string) {
	t.Helper()
	write(t, filepath.Join(folder, "guide.ts"), lines(t, w, guide, "TypeScript", "ts"))
	write(t, filepath.Join(folder, "readme.ts"), lines(t, w, npmPackage+"/README.md", "", "ts"))
	link := filepath.Join(folder, "node_modules") // where npx looks first
	if err := os.Symlink(filepath.Join(root, "node_modules"), link); err != nil {
		t.Fatal(err)
	}
	run(t, folder, npmSettings(t), "sh", "-ec", lines(t, w, guide, "TypeScript", "sh"))
	if err := os.Remove(link); err != nil { // so that what is compiled there finds the packages of the program only
		t.Fatal(err)
	}
}

// npmSettings let npm run offline, with the Node.js of the tests and nothing of the user's own settings.
func npmSettings(t *testing.T) []string {
	t.Helper()
	return []string{
		"PATH=" + filepath.Dir(absolute(t, nodeProgram(t))) + string(os.PathListSeparator) + os.Getenv("PATH"),
		"npm_config_offline=true", "npm_config_audit=false", "npm_config_fund=false", "npm_config_update_notifier=false",
		"npm_config_cache=" + t.TempDir(),
	}
}

func npm(t *testing.T, folder string, args ...string) {
	t.Helper()
	program, err := exec.LookPath("npm")
	if err != nil {
		t.Fatal("there is no npm: run `make node`")
	}
	run(t, folder, npmSettings(t), program, args...)
}

// pack makes the tarball that npm would publish and checks what is in it.
func pack(t *testing.T, root, to string) string {
	t.Helper()
	npm(t, root, "pack", "--pack-destination", to)
	made, err := filepath.Glob(filepath.Join(to, "tokenwright-client-*.tgz"))
	if err != nil || len(made) != 1 {
		t.Fatalf("npm pack made %v: %v", made, err)
	}
	if got := contents(t, made[0]); !slices.Equal(got, published) {
		t.Errorf("the package has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(published, "\n"))
	}
	return made[0]
}

// contents lists the files of a package in order.
func contents(t *testing.T, tarball string) []string {
	t.Helper()
	file, err := os.Open(tarball)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	plain, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for archive := tar.NewReader(plain); ; {
		entry, err := archive.Next()
		if errors.Is(err, io.EOF) {
			slices.Sort(names)
			return names
		} else if err != nil {
			t.Fatal(err)
		}
		names = append(names, strings.TrimPrefix(entry.Name, "package/"))
	}
}

// install makes a program that has the package and nothing else. What the package needs is taken from where it is
// installed already, so that npm asks nobody for it.
func install(t *testing.T, root, consumer, tarball string) {
	t.Helper()
	wanted, pinned := map[string]string{"@tokenwright/client": "file:" + tarball}, map[string]string{}
	for _, name := range []string{"openapi-fetch", "openapi-typescript-helpers"} {
		wanted[name], pinned[name] = "file:"+filepath.Join(root, "node_modules", name), "$"+name
	}
	manifest, err := json.Marshal(map[string]any{
		"private": true, "type": "module", "dependencies": wanted, "overrides": pinned,
	})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(consumer, "package.json"), string(manifest))
	npm(t, consumer, "install", "--ignore-scripts", "--install-links")
}

// configure has the compiler be as strict as for the package itself.
func configure(t *testing.T, root, consumer string) {
	t.Helper()
	config, err := json.Marshal(map[string]any{
		"extends": filepath.Join(root, "tsconfig.json"), "include": []string{"test"},
		"compilerOptions": map[string]any{
			"noEmit": false, "rootDir": "test", "outDir": "build", "typeRoots": []string{root + "/node_modules/@types"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(consumer, "tsconfig.json"), string(config))
}
