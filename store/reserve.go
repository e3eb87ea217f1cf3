package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"github.com/ncruces/go-sqlite3"

	"github.com/tokenwright/tokenwright/internal/token"
)

const (
	// reserveSize is larger than SQLite's write-ahead log at a checkpoint, and so is enough for the log to start over:
	// changes that take rights away then need no more space, however many there are.
	reserveSize = 8 << 20
	// reserveMargin is the additional space that lets the database grow for a while.
	reserveMargin = 256 << 10
)

// errNoRoom is the error for changes that have to wait until there is disk space.
var errNoRoom = errors.New("the disk is full: the rest is reserved for changes that take rights away")

// reserve is a file beside a SQLite database that reserves disk space. It is removed when the disk is full, only for
// changes that take rights away, and created again when there is space.
type reserve struct {
	path  string
	write func(file *os.File, from, to int64) error

	mu    sync.Mutex // of the file
	spent atomic.Bool
}

// room runs a transaction; urgent says that it takes rights away.
func (d *DB) room(urgent bool, run func() error) error {
	if d.reserve == nil {
		return run()
	}
	if !urgent && d.reserve.spent.Load() {
		return token.Wrap(token.Unavailable, errNoRoom)
	}
	err := run()
	if urgent && noRoom(err) && d.reserve.spend() {
		return run()
	}
	return err
}

func noRoom(err error) bool {
	var code sqlite3.ErrorCode
	return errors.As(err, &code) && (code == sqlite3.FULL || code == sqlite3.IOERR)
}

// spend frees the reserved space, and reports whether it, or a concurrent call, freed any.
func (r *reserve) spend() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.spent.Swap(true)
	return os.Remove(r.path) == nil || was
}

// keep creates the file if it is missing, and checks whether there is space beside it.
func (r *reserve) keep() error {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	file, err := os.OpenFile(r.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("cannot reserve disk space: %w", err)
	}
	defer file.Close()
	if err := r.fill(file); err != nil {
		r.spent.Store(true)
		file.Close()
		return fmt.Errorf("%w: %w", errNoRoom, errors.Join(err, os.Remove(r.path)))
	}
	r.spent.Store(false)
	if err := errors.Join(r.write(file, reserveSize, reserveSize+reserveMargin), file.Truncate(reserveSize)); err != nil {
		return fmt.Errorf("%w: %w", errNoRoom, err)
	}
	return nil
}

func (r *reserve) fill(file *os.File) error {
	info, err := file.Stat()
	if err != nil || info.Size() >= reserveSize {
		return err
	}
	return r.write(file, info.Size(), reserveSize)
}

// writeNoise writes data that no file system can compress.
func writeNoise(file *os.File, from, to int64) error {
	if _, err := file.Seek(from, io.SeekStart); err != nil {
		return err
	}
	_, err := io.CopyN(file, rand.Reader, to-from)
	return err
}
