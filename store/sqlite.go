package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
	"github.com/ncruces/go-sqlite3/gormlite"
	"gorm.io/gorm"
)

// sqliteBusyMillis is how long a statement waits for a lock of another process.
const sqliteBusyMillis = "5000"

// sqliteReaders is how many connections read if the options do not say.
const sqliteReaders = 4

type pragma struct{ name, value string }

// sqlitePragmas are the settings of a connection. Unknown ones would be ignored in silence, hence [checkPragmas].
func sqlitePragmas(queryOnly string) []pragma {
	return []pragma{
		{"busy_timeout", sqliteBusyMillis}, // first: the others may have to wait
		{"journal_mode", "wal"},
		{"synchronous", "2"}, // FULL: a commit that was answered survives a loss of power
		{"foreign_keys", "1"},
		{"query_only", queryOnly},
	}
}

// openSQLite opens the file with one writing connection, because SQLite has one writer at a time and waiting in our
// own queue is faster and fairer than in SQLite's, and with several reading ones.
func openSQLite(ctx context.Context, path string, opts Options) (*DB, error) {
	path, err := createFile(path)
	if err != nil {
		return nil, err
	}
	lock := fileLock(path + ".lock")
	unlock, err := lock(ctx) // turning a new file into write-ahead mode is no more for two than a migration is
	if err != nil {
		return nil, err
	}
	defer unlock()
	writer, err := openSQLitePool(ctx, path, "immediate", 1, "0")
	if err != nil {
		return nil, err
	}
	reader, err := openSQLitePool(ctx, path, "deferred", cmp.Or(opts.MaxConns, sqliteReaders), "1")
	if err != nil {
		return nil, errors.Join(err, closeGORM(writer))
	}
	d := &DB{backend: backend{name: sqliteName, lockSchema: lock}, writer: writer, reader: reader}
	if err := narrowModes(path); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// createFile makes the file, for its owner only, with its directory, and returns its absolute path.
func createFile(path string) (string, error) {
	if path == "" || strings.ContainsRune(path, 0) {
		return "", errors.New("sqlite: must be followed by the path of a file")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", err
	}
	return path, file.Close()
}

// narrowModes gives the files that SQLite has put beside the database the mode of the database. The driver does so
// itself for those to come, except for the shared memory, which holds no data.
func narrowModes(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.Chmod(path+suffix, info.Mode().Perm()); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// fileLock returns a function that takes a lock among the processes of this machine.
func fileLock(path string) func(context.Context) (func(), error) {
	return func(ctx context.Context) (func(), error) {
		lock := flock.New(path)
		if _, err := lock.TryLockContext(ctx, 10*time.Millisecond); err != nil {
			return nil, err
		}
		return func() { _ = lock.Unlock() }, nil
	}
}

func openSQLitePool(ctx context.Context, path, txlock string, conns int, queryOnly string) (*gorm.DB, error) {
	pragmas := sqlitePragmas(queryOnly)
	pool, err := driver.Open(sqliteDSN(path, txlock, pragmas))
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	if err := checkPragmas(ctx, pool, pragmas); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return gorm.Open(gormlite.OpenDB(pool), gormConfig())
}

// sqliteDSN is the file as a URI; modeof makes the driver create the files beside it with its mode.
func sqliteDSN(path, txlock string, pragmas []pragma) string {
	dsn := "file:" + escape(path) + "?_txlock=" + txlock + "&modeof=" + escape(path)
	for _, p := range pragmas {
		dsn += fmt.Sprintf("&_pragma=%s(%s)", p.name, p.value)
	}
	return dsn
}

// escape writes all but the plainest characters as %HH, which SQLite and net/url undo in the same way.
func escape(path string) string {
	var b strings.Builder
	for _, c := range []byte(path) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("/-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func checkPragmas(ctx context.Context, pool *sql.DB, pragmas []pragma) error {
	for _, p := range pragmas {
		var value string
		if err := pool.QueryRowContext(ctx, "PRAGMA "+p.name).Scan(&value); err != nil {
			return err
		}
		if value != p.value {
			return fmt.Errorf("SQLite has set %s to %s instead of %s", p.name, value, p.value)
		}
	}
	return nil
}

// sqliteUnavailable reports whether the error says that the file cannot be used now.
func sqliteUnavailable(err error) bool {
	var code sqlite3.ErrorCode
	if !errors.As(err, &code) {
		return false
	}
	switch code {
	case sqlite3.BUSY, sqlite3.LOCKED, sqlite3.IOERR, sqlite3.FULL, sqlite3.CANTOPEN, sqlite3.READONLY:
		return true
	default:
		return false
	}
}
