package pgtest

import (
	"os"
	"path/filepath"
	"syscall"
)

// lockName is a file that a test binary keeps locked for as long as it lives, in the directory of its server. A binary
// that was killed cannot remove its directory, so that the next one does.
const lockName = "lock"

// makeDir makes a directory that is short enough for the path of a socket and belongs to the server's user. The file
// returned holds the lock.
func makeDir() (string, *os.File, error) {
	parent := os.TempDir()
	if len(parent) > 60 {
		parent = "/tmp"
	}
	removeAbandoned(parent)
	dir, err := os.MkdirTemp(parent, "pgtest")
	if err != nil {
		return "", nil, err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return "", nil, err
	}
	if who := serverUser(); who != nil {
		err = os.Chown(dir, int(who.Uid), int(who.Gid))
	}
	return dir, lock, err
}

// lockDir locks the file before it has its name, so that nobody sees it unlocked.
func lockDir(dir string) (*os.File, error) {
	file, err := os.Create(filepath.Join(dir, lockName+".new"))
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, err
	}
	return file, os.Rename(file.Name(), filepath.Join(dir, lockName))
}

// removeAbandoned removes what killed test binaries have left. Failures are no matter: someone else's may stay.
func removeAbandoned(parent string) {
	locks, _ := filepath.Glob(filepath.Join(parent, "pgtest*", lockName))
	for _, path := range locks {
		file, err := os.Open(path)
		if err != nil {
			continue
		}
		if syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(filepath.Dir(path))
		}
		_ = file.Close()
	}
}
