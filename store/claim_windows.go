package store

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lockByte locks one byte of a file for as long as it is open, and reports false if someone else has it.
func lockByte(file *os.File, at int64) (bool, error) {
	place := windows.Overlapped{Offset: uint32(at), OffsetHigh: uint32(at >> 32)} //nolint:gosec // the two halves
	err := windows.LockFileEx(windows.Handle(file.Fd()),
		windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &place)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return false, nil
	}
	return err == nil, err
}
