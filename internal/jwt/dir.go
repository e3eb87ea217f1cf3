package jwt

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

const (
	dirMode     = 0o700
	fileMode    = 0o600
	keySuffix   = ".pem"
	maxFileSize = 16 << 10
)

// state is the part of a key's life that its file name says, so that a rename changes it atomically.
type state string

// A next key is published before it signs; the active one signs; a retired one only verifies.
const (
	next    state = "next"
	active  state = "active"
	retired state = "retired"
)

// ring is what a directory held when it was read. It never changes.
type ring struct {
	keys   []*key // by file name
	active *key
}

func (r *ring) byID(id string) *key {
	for _, k := range r.keys {
		if k.id == id {
			return k
		}
	}
	return nil
}

// load reads all keys of a directory, or refuses it.
func load(dir string) (*ring, error) {
	names, err := keyFiles(dir)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("key directory %s holds no key: %w", dir, fs.ErrNotExist)
	}
	r := &ring{}
	for _, name := range names {
		k, err := loadKey(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		if err := r.add(k); err != nil {
			return nil, fmt.Errorf("key directory %s: %w", dir, err)
		}
	}
	if r.active == nil {
		return nil, fmt.Errorf("key directory %s holds no active key: rename one to <kid>.active.pem", dir)
	}
	return r, nil
}

func (r *ring) add(k *key) error {
	if r.byID(k.id) != nil {
		return fmt.Errorf("the key %s is there in two states: remove one of its files", k.id)
	}
	if k.state == active {
		if r.active != nil {
			return fmt.Errorf("two active keys, %s and %s: rename one to <kid>.retired.pem", r.active.id, k.id)
		}
		r.active = k
	}
	r.keys = append(r.keys, k)
	return nil
}

// keyFiles returns the names of the key files in order. What does not end like one is none of ours.
func keyFiles(dir string) ([]string, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("key directory: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("key directory %s is not a directory", dir)
	}
	if err := private(dir, info, dirMode); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("key directory: %w", err)
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), keySuffix) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// private refuses what others than the owner may touch. Windows has no such bits.
func private(path string, info fs.FileInfo, want fs.FileMode) error {
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return fmt.Errorf("%s is open to group or others (mode %04o): chmod %04o %s", path, mode, want, path)
	}
	return nil
}

// loadKey reads one key file, whose name must say the key's id and state.
func loadKey(path string) (*key, error) {
	id, st, err := parseName(filepath.Base(path))
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	text, err := readPrivate(path)
	if err != nil {
		return nil, err
	}
	k, err := parseKey(text)
	if err != nil {
		return nil, fmt.Errorf("key file %s %w", path, err)
	}
	if k.id != id {
		return nil, fmt.Errorf("key file %s holds the key %s: its name does not match", path, k.id)
	}
	k.state = st
	return k, nil
}

func fileName(id string, st state) string { return id + "." + string(st) + keySuffix }

// parseName takes `<kid>.<state>.pem` apart.
func parseName(name string) (string, state, error) {
	id, st, ok := strings.Cut(strings.TrimSuffix(name, keySuffix), ".")
	switch state(st) {
	case next, active, retired:
		if ok && id != "" {
			return id, state(st), nil
		}
	}
	return "", "", errors.New("its name is not <kid>.<state>.pem with a state next, active or retired")
}

// readPrivate reads a file that only its owner may touch. The mode is asked of the open file, not of its name.
func readPrivate(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if err := private(path, info, fileMode); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFileSize))
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	return text, nil
}
