package jwt

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// lockName is locked while the keys are changed. The kernel lets go of it when its holder dies.
const lockName = ".lock"

// Create makes the directory, if it is missing, and one active ES256 key in it. It fails with an error that matches
// [fs.ErrExist] if a key is there already, so of processes that start together exactly one makes the key and the
// others [Open] it.
func Create(dir string) error { return Directory{Path: dir}.Create() }

// Create is [Create].
func (d Directory) Create() error {
	if err := makeDir(d.Path); err != nil {
		return err
	}
	return d.locked(func() error {
		l, err := list(d.Path)
		if err != nil {
			return err
		}
		if len(l.keys) > 0 {
			return fmt.Errorf("key directory %s: a key is there: %w", d.Path, fs.ErrExist)
		}
		return d.createKey(active)
	})
}

// locked makes a change that no other process makes at the same time.
func (d Directory) locked(change func() error) error {
	lock := flock.New(filepath.Join(d.Path, lockName), flock.SetPermissions(fileMode))
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("lock key directory: %w", err)
	}
	defer lock.Unlock() //nolint:errcheck // closing the file, which cannot lose anything, unlocks it too
	return change()
}

// OpenOrCreate opens the directory, and makes it first if it is missing or holds no key.
func OpenOrCreate(dir, issuer string) (*Keys, error) {
	keys, err := Open(dir, issuer)
	if !errors.Is(err, fs.ErrNotExist) {
		return keys, err
	}
	if err := Create(dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return Open(dir, issuer)
}

func makeDir(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return nil // what is wrong with it, if anything is, [list] says
	}
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return fmt.Errorf("make key directory: %w", err)
	}
	return syncDir(filepath.Dir(filepath.Clean(dir)))
}

// generate makes a key whose id does not begin with a hyphen: on a command line it would be taken for a flag.
func generate() (*ecdsa.PrivateKey, *key, error) {
	for {
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, nil, fmt.Errorf("generate key: %w", err)
		}
		k, err := newKey(private)
		if err != nil || k.id[0] != '-' {
			return private, k, err
		}
	}
}

// createKey writes a new key under a temporary name and renames it when it is safely on disk, so that no reader ever
// sees half a key.
func (d Directory) createKey(st state) error {
	private, k, err := generate()
	if err != nil {
		return err
	}
	text, err := encodeKey(private)
	if err != nil {
		return err
	}
	if err := record(d.Path, k.id, created, d.now()); err != nil {
		return err
	}
	if err := writeFile(d.Path, fileName(k.id, st), text); err != nil {
		return err
	}
	return record(d.Path, k.id, published, d.now())
}

func writeFile(dir, name string, text []byte) error {
	f, err := os.CreateTemp(dir, ".tmp-*") // of mode 0600
	if err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		return fmt.Errorf("write key: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return syncDir(dir)
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	return nil
}
