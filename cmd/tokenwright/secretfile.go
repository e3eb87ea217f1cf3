package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// secretFile is a new file of mode 0600 for one secret. It never overwrites a file that was there.
type secretFile struct {
	path string
	flag string // which named it
	file *os.File
}

// reserve makes the file, empty, and its directory if that is missing.
func (f *secretFile) reserve() error {
	if f.path == "" {
		return fmt.Errorf("the credential needs a file: name one with --%s (%s)", f.flag, variable(f.flag))
	}
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return fmt.Errorf("cannot write the credential: %w", err)
	}
	file, err := os.OpenFile(f.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already and is never overwritten: move it away or name another file with --%s",
			f.path, f.flag)
	}
	if err != nil {
		return fmt.Errorf("cannot write the credential: %w", err)
	}
	f.file = file
	return nil
}

// write puts the secret on disk for good. It may be called again with another secret, as a transaction that is
// repeated does.
func (f *secretFile) write(secret string) error {
	if f.file == nil {
		if err := f.reserve(); err != nil {
			return err
		}
	}
	_, err := f.file.Seek(0, io.SeekStart)
	if err == nil {
		err = f.file.Truncate(0)
	}
	if err == nil {
		_, err = f.file.WriteString(secret + "\n")
	}
	if err := errors.Join(err, f.file.Sync(), syncDirectory(filepath.Dir(f.path))); err != nil {
		return fmt.Errorf("cannot write the credential: %w", err)
	}
	return nil
}

// settle ends the writing: the file stays if the secret works, and goes if it does not.
func (f *secretFile) settle(works bool) {
	if f.file == nil {
		return
	}
	f.file.Close()
	if !works {
		os.Remove(f.path) //nolint:errcheck // what is in it opens nothing
		f.file = nil
	}
}

// syncDirectory makes the names in a directory durable.
func syncDirectory(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
