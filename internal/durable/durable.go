// Package durable changes files so that a crash leaves either the old content or the new, and reads those that only
// their owner may access. It knows nothing of what is in them. internal/jwt and internal/audit keep the key directory
// with it, and the command line its files of credentials.
package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// Replace makes or replaces a file of mode 0600 in one step. google/renameio would do the same, but does not compile
// for Windows, which releases are built for, and does not sync the directory, so that a crash could undo what it has
// returned from.
func Replace(path string, text []byte) error { return place(path, text, os.Rename) }

// Create makes a file of mode 0600 in one step. Its error matches [fs.ErrExist] if there is a file already.
func Create(path string, text []byte) error {
	return place(path, text, func(from, to string) error { return errors.Join(os.Link(from, to), os.Remove(from)) })
}

// place writes a file beside the path and moves it there.
func place(path string, text []byte, move func(from, to string) error) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".tmp-*") // of mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = move(f.Name(), path)
	}
	if err != nil {
		if left := os.Remove(f.Name()); !errors.Is(left, fs.ErrNotExist) {
			err = errors.Join(err, left)
		}
		return err
	}
	return SyncDir(dir)
}

// SyncDir makes the names in a directory durable. Windows has no call for that.
func SyncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
