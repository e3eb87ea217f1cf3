//go:build linux || darwin

package store

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// lockByte locks one byte of a file for as long as it is open, and reports false if someone else has it. The lock
// belongs to this opening of the file: SQLite's closing of another in the same process does not end it.
func lockByte(file *os.File, at int64) (bool, error) {
	lock := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart, Start: at, Len: 1}
	err := unix.FcntlFlock(file.Fd(), setLock, &lock)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return false, nil
	}
	return err == nil, err
}
