package pgtest

import (
	"cmp"
	"errors"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// errNoServer is what a test says that cannot get a server.
var errNoServer = errors.New("pgtest: no PostgreSQL server programs found: run `make postgres`, or set " +
	"TOKENWRIGHT_PG_BIN to the directory that holds initdb and postgres")

// findBinaries returns the first directory that holds both programs.
func findBinaries() (string, error) {
	for _, dir := range candidates() {
		if isProgram(filepath.Join(dir, "initdb")) && isProgram(filepath.Join(dir, "postgres")) {
			return dir, nil
		}
	}
	return "", errNoServer
}

// candidates lists where to look, best first.
func candidates() []string {
	if dir := os.Getenv("TOKENWRIGHT_PG_BIN"); dir != "" {
		return []string{dir} // whoever names one wants no other
	}
	var dirs []string
	if initdb, err := exec.LookPath("initdb"); err == nil {
		if target, err := filepath.EvalSymlinks(initdb); err == nil {
			dirs = append(dirs, filepath.Dir(target))
		}
	}
	dirs = append(dirs, newestFirst("/usr/lib/postgresql/*/bin")...)
	dirs = append(dirs, newestFirst("/opt/homebrew/opt/postgresql*/bin")...)
	if dir, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(dir)))
	}
	return dirs
}

func newestFirst(pattern string) []string {
	dirs, _ := filepath.Glob(pattern) // the only error is a bad pattern
	slices.SortFunc(dirs, func(a, b string) int { return cmp.Compare(release(b), release(a)) })
	return dirs
}

// release is the number in a path such as /usr/lib/postgresql/17/bin or /opt/homebrew/opt/postgresql@17/bin, else 0.
func release(dir string) int {
	name := filepath.Base(filepath.Dir(dir))
	number, _ := strconv.Atoi(name[strings.LastIndexByte(name, '@')+1:])
	return number
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// serverUser is the user to run the server as, nil for the present one: PostgreSQL refuses to run as root.
func serverUser() *syscall.Credential {
	if os.Geteuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if found, err := user.Lookup(name); err == nil {
			uid, _ := strconv.ParseUint(found.Uid, 10, 32)
			gid, _ := strconv.ParseUint(found.Gid, 10, 32)
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	return &syscall.Credential{Uid: 65534, Gid: 65534} // by custom nobody's
}
