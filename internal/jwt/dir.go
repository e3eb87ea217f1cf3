package jwt

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
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
	keys     []*key // by file name
	active   *key   // the one that signs
	left     *key   // one that an unfinished rotation left active, nil if there is none
	names    []string
	known    records
	document []byte // the public keys, as they are published
}

func (r *ring) byID(id string) *key {
	for _, k := range r.keys {
		if k.id == id {
			return k
		}
	}
	return nil
}

// public is the key set, the active key first.
func (r *ring) public() jose.JSONWebKeySet {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{r.active.public}}
	for _, key := range r.keys {
		if key != r.active {
			set.Keys = append(set.Keys, key.public)
		}
	}
	return set
}

// listing is the names in a directory that mean something.
type listing struct {
	keys  []string // of key files, in order
	all   []string
	known records
}

// list reads the names. What does not end like one of ours is none.
func list(dir string) (listing, error) {
	l := listing{known: records{}}
	info, err := os.Stat(dir)
	if err != nil {
		return l, fmt.Errorf("key directory: %w", err)
	}
	if !info.IsDir() {
		return l, fmt.Errorf("key directory %s is not a directory", dir)
	}
	if err := private(dir, info, dirMode); err != nil {
		return l, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return l, fmt.Errorf("key directory: %w", err)
	}
	for _, e := range entries {
		l.add(e.Name())
	}
	return l, nil
}

func (l *listing) add(name string) {
	switch {
	case strings.HasSuffix(name, keySuffix):
		l.keys = append(l.keys, name)
	case strings.HasSuffix(name, recordSuffix):
		l.known.add(name)
	default:
		return
	}
	l.all = append(l.all, name)
}

// maxReads is how often a directory is read that changes under the reading.
const maxReads = 10

// load reads all keys of a directory, or refuses it. A listing may show a file that is being renamed twice or not at
// all, so what was read counts only if the names are the same afterwards.
func load(dir string) (*ring, error) {
	for range maxReads {
		before, err := list(dir)
		if err != nil {
			return nil, err
		}
		r, err := before.load(dir)
		after, again := list(dir)
		if again != nil {
			return nil, again
		}
		if slices.Equal(before.all, after.all) {
			return r, err
		}
	}
	return nil, fmt.Errorf("key directory %s: %w", dir, errUnsteady)
}

var errUnsteady = errors.New("it does not stop changing")

func (l *listing) load(dir string) (*ring, error) {
	if len(l.keys) == 0 {
		return nil, fmt.Errorf("key directory %s holds no key: %w", dir, fs.ErrNotExist)
	}
	r := &ring{names: l.keys, known: l.known}
	for _, name := range l.keys {
		k, err := loadKey(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		if r.byID(k.id) != nil {
			return nil, fmt.Errorf("key directory %s: the key %s is there in two states: remove one of its files", dir, k.id)
		}
		if end := l.known[k.id][until]; !end.IsZero() {
			k.promised.Store(end.Unix())
		}
		r.keys = append(r.keys, k)
	}
	if err := r.choose(); err != nil {
		return nil, fmt.Errorf("key directory %s %w", dir, err)
	}
	text, err := json.Marshal(r.public())
	if err != nil {
		return nil, fmt.Errorf("encode the key set: %w", err)
	}
	r.document = text
	return r, nil
}

// choose finds the key that signs. During a rotation two are active for a moment; of those the one signs that has not
// been recorded as replaced.
func (r *ring) choose() error {
	var heirs, others []*key
	for _, k := range r.keys {
		switch {
		case k.state != active:
		case r.known[k.id][replaced].IsZero():
			heirs = append(heirs, k)
		default:
			others = append(others, k)
		}
	}
	all := slices.Concat(heirs, others)
	switch {
	case len(all) == 0:
		return errors.New("holds no active key: rename one to <kid>.active.pem")
	case len(all) == 1:
	case len(all) == 2 && len(heirs) == 1:
		r.left = others[0]
	default:
		return fmt.Errorf("holds two active keys, %s and %s: rename one to <kid>.retired.pem", all[0].id, all[1].id)
	}
	r.active = all[0]
	return nil
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
