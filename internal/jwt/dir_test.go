package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// keyDir makes a directory with one active key and returns it with the key's file.
func keyDir(t *testing.T) (dir, file string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "keys")
	if err := Create(dir); err != nil {
		t.Fatal(err)
	}
	return dir, onlyKey(t, dir)
}

func onlyKey(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.pem"))
	if err != nil || len(files) != 1 {
		t.Fatalf("key files %v, %v; want one", files, err)
	}
	return files[0]
}

// put writes a key file of the given mode.
func put(t *testing.T, path string, text []byte, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, text, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// restate renames a key file to another state.
func restate(t *testing.T, file string, st state) string {
	t.Helper()
	id, _, err := parseName(filepath.Base(file))
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(filepath.Dir(file), fileName(id, st))
	rename(t, file, to)
	return to
}

func pkcs8(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der})
}

func TestCreate(t *testing.T) {
	dir, file := keyDir(t)
	for path, want := range map[string]fs.FileMode{dir: dirMode, file: fileMode} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", path, got, want)
		}
	}
	keys, err := Open(dir, testIssuer)
	if err != nil {
		t.Fatal(err)
	}
	if want := keys.ring().active.id + ".active.pem"; filepath.Base(file) != want {
		t.Errorf("file %s, want %s", file, want)
	}
	if leftovers, _ := filepath.Glob(filepath.Join(dir, ".tmp-*")); len(leftovers) > 0 {
		t.Errorf("left over: %v", leftovers)
	}
}

func TestCreateNeverAddsToKeys(t *testing.T) {
	for _, st := range []state{next, active, retired} {
		dir, file := keyDir(t)
		file = restate(t, file, st)
		if err := Create(dir); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v, want fs.ErrExist", st, err)
		}
		if got := onlyKey(t, dir); got != file {
			t.Errorf("%s: key %s, want %s", st, got, file)
		}
	}
}

func TestCreateInAnEmptyDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Create(dir); err == nil || !strings.Contains(err.Error(), "chmod 0700 "+dir) {
		t.Fatalf("open directory: %v", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, testIssuer); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no key yet: %v, want fs.ErrNotExist", err)
	}
	if err := Create(dir); err != nil {
		t.Error(err)
	}
	if _, err := Open(dir, testIssuer); err != nil {
		t.Error(err)
	}
}

func TestOpenKeepsTheKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "keys")
	first, err := OpenOrCreate(dir, testIssuer)
	if err != nil {
		t.Fatal(err)
	}
	second, err := OpenOrCreate(dir, testIssuer)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Verify(sign(t, first)); err != nil {
		t.Error(err)
	}
}

// TestStates: the active key signs, all verify.
func TestStates(t *testing.T) {
	dir, file := keyDir(t)
	old, err := Open(dir, testIssuer)
	if err != nil {
		t.Fatal(err)
	}
	jwt := sign(t, old)
	if err := (Directory{Path: dir}).createKey(next); err != nil {
		t.Fatal(err)
	}
	both, err := Open(dir, testIssuer)
	if err != nil {
		t.Fatal(err)
	}
	if got := both.Public().Keys; len(got) != 2 || got[0].KeyID != old.ring().active.id {
		t.Fatalf("published %v, want the active key first of two", got)
	}
	coming := both.Public().Keys[1].KeyID
	restate(t, file, retired)
	restate(t, filepath.Join(dir, fileName(coming, next)), active)
	rotated, err := Open(dir, testIssuer)
	if err != nil {
		t.Fatal(err)
	}
	if err := rotated.Verify(jwt); err != nil {
		t.Errorf("retired key: %v", err)
	}
	fresh := sign(t, rotated)
	if err := both.Verify(fresh); err != nil {
		t.Errorf("next key: %v", err)
	}
	if err := old.Verify(fresh); err == nil {
		t.Error("verified by a key that was not there")
	}
}

func TestOpenRefuses(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text := func(key crypto.Signer) func(*testing.T, string) {
		return func(t *testing.T, file string) { put(t, file, pkcs8(t, key), 0o600) }
	}
	raw := func(s string) func(*testing.T, string) {
		return func(t *testing.T, file string) { put(t, file, []byte(s), 0o600) }
	}
	for name, c := range map[string]struct {
		spoil func(t *testing.T, file string)
		want  string
	}{
		"no active key": {func(t *testing.T, file string) { restate(t, file, retired) }, "no active key"},
		"only next":     {func(t *testing.T, file string) { restate(t, file, next) }, "no active key"},
		"two active keys": {func(t *testing.T, file string) {
			if err := (Directory{Path: filepath.Dir(file)}).createKey(active); err != nil {
				t.Fatal(err)
			}
		}, "two active keys"},
		"one key in two states": {func(t *testing.T, file string) {
			if err := os.Link(file, strings.Replace(file, "active", "retired", 1)); err != nil {
				t.Fatal(err)
			}
		}, "in two states"},
		"empty file":  {raw(""), "not one PEM block"},
		"garbage":     {raw("-----BEGIN PRIVATE KEY-----\nhello"), "not one PEM block"},
		"PEM garbage": {raw("-----BEGIN PRIVATE KEY-----\naGVsbG8=\n-----END PRIVATE KEY-----\n"), "not a PKCS #8"},
		"SEC 1 key": {func(t *testing.T, file string) {
			k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			der, err := x509.MarshalECPrivateKey(k)
			if err != nil {
				t.Fatal(err)
			}
			put(t, file, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), 0o600)
		}, "not one PEM block"},
		"two keys in a file": {func(t *testing.T, file string) {
			one, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			put(t, file, append(one, one...), 0o600)
		}, "not one PEM block"},
		"wrong curve":    {text(p384), "P-256"},
		"RSA key":        {text(rsaKey), "P-256"},
		"Ed25519 key":    {text(edKey), "P-256"},
		"key of another": {func(t *testing.T, file string) { put(t, file, pkcs8(t, freshKey(t)), 0o600) }, "does not match"},
		"file open to group": {func(t *testing.T, file string) { chmod(t, file, 0o640) },
			"chmod 0600"},
		"file open to others": {func(t *testing.T, file string) { chmod(t, file, 0o604) }, "chmod 0600"},
		"directory open to group": {func(t *testing.T, file string) { chmod(t, filepath.Dir(file), 0o750) },
			"chmod 0700"},
		"directory open to others": {func(t *testing.T, file string) { chmod(t, filepath.Dir(file), 0o701) },
			"chmod 0700"},
		"unknown state": {func(t *testing.T, file string) {
			rename(t, file, strings.Replace(file, "active", "current", 1))
		}, "its name is not"},
		"no state": {func(t *testing.T, file string) { rename(t, file, strings.Replace(file, ".active", "", 1)) },
			"its name is not"},
		"no kid": {func(t *testing.T, file string) { rename(t, file, filepath.Join(filepath.Dir(file), ".active.pem")) },
			"its name is not"},
		"a directory as a key": {func(t *testing.T, file string) {
			if err := os.Mkdir(filepath.Join(filepath.Dir(file), "0.retired.pem"), 0o700); err != nil {
				t.Fatal(err)
			}
		}, "key file"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, file := keyDir(t)
			c.spoil(t, file)
			_, err := Open(dir, testIssuer)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "BEGIN") {
				t.Errorf("not one clear line: %q", err)
			}
			if errors.Is(err, fs.ErrNotExist) {
				t.Error("matches fs.ErrNotExist, so a new key would be made")
			}
			if _, err := OpenOrCreate(dir, testIssuer); err == nil {
				t.Error("OpenOrCreate accepts it")
			}
		})
	}
}

func freshKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func chmod(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func TestOpenMissing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	if _, err := Open(dir, testIssuer); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), dir) {
		t.Errorf("missing: %v", err)
	}
	put(t, dir, nil, 0o600)
	if _, err := Open(dir, testIssuer); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file: %v", err)
	}
	if _, err := Open(t.TempDir(), ""); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no issuer: %v", err)
	}
}

func TestOpenIgnoresOtherFiles(t *testing.T) {
	dir, _ := keyDir(t)
	put(t, filepath.Join(dir, "README"), []byte("keys"), 0o644)
	put(t, filepath.Join(dir, ".tmp-123"), []byte("half a key"), 0o600)
	if _, err := Open(dir, testIssuer); err != nil {
		t.Error(err)
	}
}

// TestCreateTogether starts many at once, in this process.
func TestCreateTogether(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	keys := make([]*Keys, 16)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			var err error
			if keys[i], err = OpenOrCreate(dir, testIssuer); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	onlyKey(t, dir)
	for _, k := range keys {
		if err := k.Verify(sign(t, keys[0])); err != nil {
			t.Error(err)
		}
	}
}

// childDir tells the test binary that it is a child of TestCreateByProcesses.
const childDir = "TOKENWRIGHT_TEST_KEY_DIR"

// TestCreateByProcesses starts several processes at once: exactly one key wins and all use it.
func TestCreateByProcesses(t *testing.T) {
	if dir := os.Getenv(childDir); dir != "" {
		if _, err := OpenOrCreate(dir, testIssuer); err != nil {
			t.Fatal(err)
		}
		return
	}
	dir := filepath.Join(t.TempDir(), "keys")
	var wg sync.WaitGroup
	for range 6 {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCreateByProcesses$")
		cmd.Env = append(os.Environ(), childDir+"="+dir)
		wg.Go(func() {
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	wg.Wait()
	onlyKey(t, dir)
}
