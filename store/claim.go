package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// claimedByte is the byte of a SQLite file that a server locks. It is far beyond the end of any file, and beyond the
// bytes that SQLite locks itself.
const claimedByte = 1 << 62

// Claim keeps other servers off a SQLite file.
type Claim struct {
	file   *os.File     // one byte of it is locked: the same lock whatever name, link or mount leads to the file
	beside *flock.Flock // for a file that is replaced while a server uses the previous one
}

// ClaimFile claims the SQLite file at the path for one server, and makes the file if there is none. The claim ends with
// [Claim.Close], or with the process. A running server would not notice the changes of a second one.
func ClaimFile(path string) (*Claim, error) {
	if err := Inspect(path); err != nil {
		return nil, err
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if path, err = createFile(path); err != nil {
		return nil, fmt.Errorf("cannot open the database: %w", err)
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot open the database: %w", err)
	}
	c := &Claim{file: file, beside: flock.New(path+".serve.lock", flock.SetPermissions(0o600))}
	mine, err := lockByte(file, claimedByte)
	if mine {
		mine, err = c.beside.TryLock()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot lock the database: %w", err), c.Close())
	}
	if !mine {
		c.Close() //nolint:errcheck // nothing was written
		return nil, fmt.Errorf("another server is using %s: servers can share a PostgreSQL database, but not a file", path)
	}
	return c, nil
}

// Close releases the claim.
func (c *Claim) Close() error { return errors.Join(c.beside.Close(), c.file.Close()) }
