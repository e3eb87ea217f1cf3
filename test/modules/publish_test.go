package modules

import (
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// proxy is a folder with all modules of the workspace in the version in which they require each other.
type proxy struct {
	folder  string
	version string
	modules []string
}

// publish makes the proxy of what is here, committed or not.
func publish(t *testing.T) proxy {
	t.Helper()
	p := proxy{folder: t.TempDir()}
	p.version = requirements(t, ".")[own+"/verify"]
	for line := range strings.Lines(run(t, root, nil, "go", "list", "-m", "-f", "{{.Path}} {{.Dir}}")) {
		path, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
		p.modules = append(p.modules, path)
		p.add(t, path, dir)
	}
	return p
}

// add writes the files of one module (https://go.dev/ref/mod#goproxy-protocol).
func (p proxy) add(t *testing.T, path, dir string) {
	t.Helper()
	versions := filepath.Join(p.folder, path, "@v")
	if err := os.MkdirAll(versions, 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(name string, text []byte) {
		if err := os.WriteFile(filepath.Join(versions, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	write("list", []byte(p.version))
	write(p.version+".mod", mod)
	write(p.version+".info", []byte(`{"Version":`+quote(p.version)+`}`))
	var packed strings.Builder
	if err := zip.Create(&packed, module.Version{Path: path, Version: p.version}, files(t, dir)); err != nil {
		t.Fatal(err)
	}
	write(p.version+".zip", []byte(packed.String()))
}

// file is one of those that git knows, or would take.
type file struct{ dir, path string }

func (f file) Path() string                 { return f.path }
func (f file) Lstat() (fs.FileInfo, error)  { return os.Lstat(filepath.Join(f.dir, f.path)) }
func (f file) Open() (io.ReadCloser, error) { return os.Open(filepath.Join(f.dir, f.path)) }

func files(t *testing.T, dir string) []zip.File {
	t.Helper()
	var all []zip.File
	for line := range strings.Lines(run(t, dir, nil, "git", "ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate")) {
		f := file{dir, strings.TrimSpace(line)}
		if _, err := f.Lstat(); err == nil { // it is not deleted
			all = append(all, f)
		}
	}
	return all
}

// env has Go take modules from the proxy, and what they need of others from what is on this machine; it fetches nothing. What
// it takes goes to a new folder, so that it shows.
func (p proxy) env(t *testing.T) []string {
	t.Helper()
	cache := strings.TrimSpace(run(t, root, nil, "go", "env", "GOMODCACHE"))
	return []string{
		"GOPROXY=file://" + p.folder + ",file://" + filepath.Join(cache, "cache", "download"), "GOMODCACHE=" + t.TempDir(),
		"GOFLAGS=-modcacherw -trimpath", "GOSUMDB=off", "GOWORK=off", "GOTOOLCHAIN=local", "CGO_ENABLED=0",
	}
}

// downloads is the modules whose code was taken.
func downloads(t *testing.T, folder string, env []string) []string {
	t.Helper()
	cache := strings.TrimSpace(run(t, folder, env, "go", "env", "GOMODCACHE"))
	download := filepath.Join(cache, "cache", "download")
	var taken []string
	err := filepath.WalkDir(download, func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".zip" {
			taken = append(taken, strings.TrimPrefix(filepath.Dir(filepath.Dir(path)), download+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(taken)
	return taken
}

// run is what a program says on standard output.
func run(t *testing.T, folder string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), env...)
	var failure strings.Builder
	cmd.Stderr = &failure
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s\n%s", name, strings.Join(args, " "), err, out, &failure)
	}
	return string(out)
}

func quote(text string) string { return strconv.Quote(text) }
