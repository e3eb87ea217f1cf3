package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
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

// sqlitePragmas are the settings of a connection. SQLite silently ignores unknown ones, hence [checkPragmas].
func sqlitePragmas(queryOnly string) []pragma {
	return []pragma{
		{"busy_timeout", sqliteBusyMillis}, // first: the others may have to wait
		{"journal_mode", "wal"},
		{"synchronous", "2"}, // FULL: an acknowledged commit survives a power loss
		{"foreign_keys", "1"},
		{"cache_size", "-8000"}, // KiB: the inner pages of the indexes of a million tokens
		{"query_only", queryOnly},
	}
}

// openSQLite opens the file with one writing connection, because SQLite has one writer at a time and waiting in our
// own queue is faster and fairer than in SQLite's, and with several reading ones.
func openSQLite(ctx context.Context, path string, opts Options) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := inspectFile(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if path, err = createFile(path); err != nil {
		return nil, err
	}
	lock := fileLock(path + ".lock")
	unlock, err := lock(ctx) // only one process at a time may switch a new file to write-ahead mode or migrate it
	if err != nil {
		return nil, err
	}
	defer unlock()
	pragmas := sqlitePragmas("0")
	conns := &sqliteConns{}
	writer, err := conns.open(ctx, opts.on(sqliteDSN(path, "immediate", pragmas)), 1, pragmas)
	if err != nil {
		return nil, nameFile(path, err)
	}
	pragmas = sqlitePragmas("1")
	readers := cmp.Or(opts.MaxConns, sqliteReaders)
	reader, err := conns.open(ctx, opts.on(sqliteDSN(path, "deferred", pragmas)), readers, pragmas)
	if err != nil {
		return nil, errors.Join(err, closeGORM(writer))
	}
	d := &DB{backend: sqlite(conns, lock), writer: writer, reader: reader}
	d.lineUp(1, readers)
	d.reserve = &reserve{path: path + ".reserve", write: writeNoise}
	if err := narrowModes(path); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// lineUp creates the lines for the writing pool, where changes that take rights away go first, and for the reading
// pool.
func (d *DB) lineUp(writers, readers int) {
	d.revoker = d.writer
	d.writing, d.reading = newLine(writers), newLine(readers)
	d.revoking = d.writing
	d.formCrews(d.writing, d.reading, d.reading)
}

// lookAtSQLite opens the file read-only, without our lock and without switching to write-ahead mode. If no process has
// it open, it is opened as immutable, since SQLite would otherwise create a write-ahead log even to read it.
func lookAtSQLite(ctx context.Context, path string) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	err = inspectFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no file %s; create it with: tokenwright migrate up", path)
	}
	if err != nil {
		return nil, err
	}
	if path, err = filepath.EvalSymlinks(path); err != nil { // the log is beside the file, not beside the link
		return nil, err
	}
	pragmas := []pragma{{"busy_timeout", sqliteBusyMillis}, {"query_only", "1"}}
	dsn := sqliteDSN(path, "deferred", pragmas) + "&mode=ro"
	if _, err := os.Stat(path + "-wal"); errors.Is(err, fs.ErrNotExist) {
		dsn += "&immutable=1"
	}
	conns := &sqliteConns{}
	db, err := conns.open(ctx, dsn, 1, pragmas)
	if err != nil {
		return nil, nameFile(path, err)
	}
	d := &DB{backend: sqlite(conns, fileLock(path+".lock")), writer: db, reader: db}
	d.lineUp(1, 1)
	return d, nil
}

// errNotSQLite is the error for a file that is not a SQLite database.
var errNotSQLite = errors.New("is not a SQLite database")

// errSeveralLinks is the error for a file with several names. SQLite looks for the log beside the name that it opens,
// so under another name it would miss the latest commits, and later overwrite them.
var errSeveralLinks = errors.New("has several hard links, and the latest commits may be in the log beside another: " +
	"keep the link that the server has used, with the files beside it, and remove the others")

// Inspect rejects a path to anything but a SQLite database, and one with several hard links. It changes nothing.
func Inspect(path string) error {
	if err := inspectFile(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return oneLine("cannot open the database", err)
	}
	return nil
}

// inspectFile checks the file before anything is created beside it. An empty file is a valid database.
func inspectFile(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s %w", path, errNotSQLite)
	}
	if severalLinks(info) {
		return fmt.Errorf("%s %w", path, errSeveralLinks)
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	const magic = "SQLite format 3\x00"
	start, err := io.ReadAll(io.LimitReader(file, int64(len(magic))))
	if err == nil && len(start) > 0 && string(start) != magic {
		err = fmt.Errorf("%s %w", path, errNotSQLite)
	}
	return err
}

// nameFile translates SQLite's error for a file that is not a database, which it reports when a pragma is set.
func nameFile(path string, err error) error {
	if errors.Is(err, sqlite3.NOTADB) {
		return fmt.Errorf("%s %w", path, errNotSQLite)
	}
	return err
}

// createFile makes the file, for its owner only, with its directory. It returns the path without symbolic links, since
// SQLite's files and ours must be beside the file itself.
func createFile(path string) (string, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", err
	}
	if err := file.Close(); err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(path)
}

// narrowModes gives existing files of SQLite beside the database the mode of the database. The driver does so for new
// files, except for the shared memory, which contains no data.
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

func (k *sqliteConns) open(ctx context.Context, dsn string, most int, pragmas []pragma) (*gorm.DB, error) {
	pool, err := driver.Open(dsn, k.opened, k.closing)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(most)
	pool.SetMaxIdleConns(most)
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

// on is the file in the file system of the options.
func (o Options) on(dsn string) string {
	if o.vfs == "" {
		return dsn
	}
	return dsn + "&vfs=" + o.vfs
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
	var version int64
	return pool.QueryRowContext(ctx, "PRAGMA schema_version").Scan(&version) // which is read from the file
}

// sqliteUnavailable reports whether the error means that the file cannot be used now.
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
