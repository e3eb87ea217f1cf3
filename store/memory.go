package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3/vfs/memdb"
	"gorm.io/gorm"

	"github.com/tokenwright/tokenwright/internal/token"
)

// OpenMemory opens an empty SQLite database for tokens of the dialects (nil: [token.Published]) that is in memory only
// and gone when it is closed.
func OpenMemory(ctx context.Context, dialects token.Dialects) (*DB, error) {
	d, err := openMemory(ctx)
	if err != nil {
		return nil, oneLine("cannot open an in-memory database", err)
	}
	d.dialects = dialects.OrPublished()
	if err := d.Migrate(ctx); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func openMemory(ctx context.Context) (*DB, error) {
	name := rand.Text()
	memdb.Create(name, nil) // which outlives its connections
	conns := &sqliteConns{}
	d := &DB{backend: sqlite(conns, nil), forget: func() { memdb.Delete(name) }}
	var err error
	if d.writer, err = conns.openMemory(ctx, name, "immediate", 1, "0"); err != nil {
		d.forget()
		return nil, err
	}
	if d.reader, err = conns.openMemory(ctx, name, "deferred", sqliteReaders, "1"); err != nil {
		d.reader = d.writer
		return nil, errors.Join(err, d.Close())
	}
	d.lineUp(1, sqliteReaders)
	return d, nil
}

// openMemory connects as to a file, but without a write-ahead log, which memory cannot have.
func (k *sqliteConns) openMemory(
	ctx context.Context, name, txlock string, most int, queryOnly string,
) (*gorm.DB, error) {
	pragmas := []pragma{
		{"busy_timeout", sqliteBusyMillis}, {"journal_mode", "memory"}, {"foreign_keys", "1"}, {"query_only", queryOnly},
	}
	dsn := "file:/" + name + "?vfs=memdb&_txlock=" + txlock
	for _, p := range pragmas {
		dsn += fmt.Sprintf("&_pragma=%s(%s)", p.name, p.value)
	}
	return k.open(ctx, dsn, most, pragmas)
}
