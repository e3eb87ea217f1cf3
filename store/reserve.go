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
	// reserveSize is more than SQLite's write-ahead log has when its pages move to the database, and so is enough for that
	// log to begin anew: what takes rights away then needs no more room, however much of it there is.
	reserveSize = 8 << 20
	// reserveMargin is the room beside it that a database needs to go on growing for a while.
	reserveMargin = 256 << 10
)

// errNoRoom is the error for what has to wait until there is room on the disk.
var errNoRoom = errors.New("the disk is full: what is left is kept for changes that take rights away")

// reserve is a file beside a SQLite database that holds room on the disk. It is removed when the disk is full, for
// changes that take rights away and for nothing else, and made again when there is room.
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

// spend gives the room back to the disk and reports whether there was any, or somebody else has just done so.
func (r *reserve) spend() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.spent.Swap(true)
	return os.Remove(r.path) == nil || was
}

// keep makes the file if it is not there, and finds out whether there is room beside it.
func (r *reserve) keep() error {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	file, err := os.OpenFile(r.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("no room on the disk can be kept: %w", err)
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

// writeNoise writes what no file system can make smaller.
func writeNoise(file *os.File, from, to int64) error {
	if _, err := file.Seek(from, io.SeekStart); err != nil {
		return err
	}
	_, err := io.CopyN(file, rand.Reader, to-from)
	return err
}
