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

// restate gives a key another state by hand, as in an editor.
func restate(t *testing.T, dir, id string, st state) {
	t.Helper()
	rewrite(t, dir, func(m *manifest) {
		for i := range m.Keys {
			if m.Keys[i].ID == id {
				m.Keys[i].State = st
			}
		}
	})
}

// rewrite changes the manifest by hand.
func rewrite(t *testing.T, dir string, change func(*manifest)) {
	t.Helper()
	m, err := parseManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	change(&m)
	if err := m.write(dir); err != nil {
		t.Fatal(err)
	}
}

// kid is the id of the key in a file.
func kid(file string) string { return strings.TrimSuffix(filepath.Base(file), keySuffix) }

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
	for path, want := range map[string]fs.FileMode{
		dir: dirMode, file: fileMode, filepath.Join(dir, manifestName): fileMode,
	} {
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
	if kid(file) != keys.Active() {
		t.Errorf("file %s, want it to be named by %s", file, keys.Active())
	}
	if leftovers, _ := filepath.Glob(filepath.Join(dir, ".tmp-*")); len(leftovers) > 0 {
		t.Errorf("left over: %v", leftovers)
	}
}

func TestCreateNeverAddsToKeys(t *testing.T) {
	for _, st := range []state{next, active, retired} {
		dir, file := keyDir(t)
		restate(t, dir, kid(file), st)
		if err := Create(dir); err == nil || st == active && !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v, want fs.ErrExist", st, err)
		}
		if got := onlyKey(t, dir); got != file {
			t.Errorf("%s: key %s, want %s", st, got, file)
		}
	}
}

// TestCreateInterrupted: a key file without a manifest is not used yet, but the next Create uses it.
func TestCreateInterrupted(t *testing.T) {
	dir, file := keyDir(t)
	if err := os.Remove(filepath.Join(dir, manifestName)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, testIssuer); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v, want fs.ErrNotExist", err)
	}
	keys, err := OpenOrCreate(dir, testIssuer)
	if err != nil {
		t.Fatal(err)
	}
	if got := onlyKey(t, dir); got != file || keys.Active() != kid(file) {
		t.Errorf("%s signs, want %s", keys.Active(), kid(file))
	}
}

// TestManifestByHand: times may be written with any offset, and what is the same is not read again.
func TestManifestByHand(t *testing.T) {
	dir, _ := keyDir(t)
	path := filepath.Join(dir, manifestName)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	put(t, path, []byte(strings.ReplaceAll(string(text), `Z"`, `+05:30"`)), 0o600)
	keys, err := Open(dir, testIssuer)
	if err != nil {
		t.Fatal(err)
	}
	before := keys.ring()
	if err := keys.refresh(); err != nil || keys.ring() != before {
		t.Errorf("read again, or %v", err)
	}
}

// TestManifestLost: which of several keys signs cannot be guessed, and nothing may be made in their place.
func TestManifestLost(t *testing.T) {
	dir, file := keyDir(t)
	path, empty := filepath.Join(dir, manifestName), manifest{}
	rename(t, path, path+".away")
	for name, spoil := range map[string]func() error{
		"two keys":                    func() error { return (Directory{Path: dir}).add(&empty, next) },
		"a key with a name as of old": func() error { return os.Link(file, filepath.Join(dir, kid(file)+".active.pem")) },
		"garbage":                     func() error { return os.WriteFile(file, []byte("no key"), 0o600) },
	} {
		good, err := os.ReadFile(file)
		if err := errors.Join(err, spoil()); err != nil {
			t.Fatal(err)
		}
		if keys, err := OpenOrCreate(dir, testIssuer); err == nil {
			t.Errorf("%s: %s signs", name, keys.Active())
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: a manifest was made", name)
		}
		files, err := filepath.Glob(filepath.Join(dir, "*.pem"))
		for _, other := range files {
			err = errors.Join(err, os.Remove(other))
		}
		if err != nil {
			t.Fatal(err)
		}
		put(t, file, good, 0o600)
	}
	rename(t, path+".away", path)
	if _, err := Open(dir, testIssuer); err != nil {
		t.Error(err)
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
	rewrite(t, dir, func(m *manifest) {
		if err := (Directory{Path: dir}).add(m, next); err != nil {
			t.Fatal(err)
		}
	})
	both, err := Open(dir, testIssuer)
	if err != nil {
		t.Fatal(err)
	}
	if got := both.Public().Keys; len(got) != 2 || got[0].KeyID != old.Active() {
		t.Fatalf("published %v, want the active key first of two", got)
	}
	coming := both.Public().Keys[1].KeyID
	rewrite(t, dir, func(m *manifest) { m.Keys[0].State, m.Keys[1].State = retired, active })
	rotated, err := Open(dir, testIssuer)
	if err != nil {
		t.Fatal(err)
	}
	if got := rotated.Public().Keys; len(got) != 2 || got[0].KeyID != coming || got[1].KeyID != kid(file) {
		t.Errorf("published %v, want the active key first of two", got)
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
		"no active key": {func(t *testing.T, file string) { restate(t, filepath.Dir(file), kid(file), retired) }, "no active key"},
		"only next":     {func(t *testing.T, file string) { restate(t, filepath.Dir(file), kid(file), next) }, "no active key"},
		"two active keys": {func(t *testing.T, file string) {
			rewrite(t, filepath.Dir(file), func(m *manifest) {
				if err := (Directory{Path: filepath.Dir(file)}).add(m, active); err != nil {
					t.Fatal(err)
				}
			})
		}, "two active keys"},
		"one key in two states": {func(t *testing.T, file string) {
			rewrite(t, filepath.Dir(file), func(m *manifest) {
				m.Keys = append(m.Keys, m.Keys[0])
				m.Keys[1].State = retired
			})
		}, "is listed twice"},
		"unknown state": {func(t *testing.T, file string) { restate(t, filepath.Dir(file), kid(file), "current") }, "unknown state"},
		"no state":      {func(t *testing.T, file string) { restate(t, filepath.Dir(file), kid(file), "") }, "unknown state"},
		"no kid": {func(t *testing.T, file string) {
			rewrite(t, filepath.Dir(file), func(m *manifest) { m.Keys[0].ID = "" })
		}, "does not match"},
		"no keys": {func(t *testing.T, file string) { rewrite(t, filepath.Dir(file), func(m *manifest) { m.Keys = nil }) }, "no active key"},
		"file elsewhere": {func(t *testing.T, file string) {
			rewrite(t, filepath.Dir(file), func(m *manifest) { m.Keys[0].File = "../keys/" + m.Keys[0].File })
		}, "is not in the directory"},
		"no file": {func(t *testing.T, file string) {
			rewrite(t, filepath.Dir(file), func(m *manifest) { m.Keys[0].File = "" })
		},
			"is not in the directory"},
		"key file gone":  {func(t *testing.T, file string) { rename(t, file, file+".away") }, "is missing"},
		"newer manifest": {manifestIs(`{"version":2,"keys":[]}`), "version 2"},
		"empty manifest": {manifestIs(""), "damaged"},
		"no manifest":    {manifestIs("-----BEGIN PRIVATE KEY-----\nhello"), "damaged"},
		"member twice":   {manifestIs(`{"version":1,"version":1}`), "damaged"},
		"manifest open to group": {func(t *testing.T, file string) { chmod(t, filepath.Join(filepath.Dir(file), manifestName), 0o640) },
			"chmod 0600"},
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
		"a directory as a key": {func(t *testing.T, file string) {
			if err := errors.Join(os.Remove(file), os.Mkdir(file, 0o600)); err != nil {
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

func manifestIs(text string) func(*testing.T, string) {
	return func(t *testing.T, file string) {
		put(t, filepath.Join(filepath.Dir(file), manifestName), []byte(text), 0o600)
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
	put(t, filepath.Join(dir, "unnamed.pem"), []byte("half a key"), 0o600)
	put(t, filepath.Join(dir, "unnamed.active.pem"), []byte("half a key"), 0o600)
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
