package durable

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
)

const (
	privateMode = 0o600
	// mostBytes is more than any of the files has.
	mostBytes = 1 << 20
)

// CheckPrivate rejects a file that anyone but its owner can access. Windows has no such mode bits.
func CheckPrivate(path string, info fs.FileInfo, want fs.FileMode) error {
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return fmt.Errorf("%s is accessible to group or others (mode %04o): run chmod %04o %s", path, mode, want, path)
	}
	return nil
}

// ReadPrivate reads a key file that only its owner can access. It checks the mode of the open file, not of its path.
func ReadPrivate(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if err := CheckPrivate(path, info, privateMode); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, mostBytes))
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	return text, nil
}
