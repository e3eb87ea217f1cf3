package store

import (
	"os"
	"testing"
)

// Exec runs a statement that no method of the store would.
func Exec(t testing.TB, d *DB, statement string, args ...any) {
	t.Helper()
	if err := d.writer.WithContext(t.Context()).Exec(statement, args...).Error; err != nil {
		t.Fatal(err)
	}
}

// ExecReader runs a statement on a connection that is for reading.
func ExecReader(t testing.TB, d *DB, statement string) error {
	return d.reader.WithContext(t.Context()).Exec(statement).Error
}

// Setting is what a connection of PostgreSQL is set to.
func Setting(t testing.TB, d *DB, name string) (value string) {
	t.Helper()
	if err := d.writer.WithContext(t.Context()).Raw("SELECT current_setting(?)", name).Scan(&value).Error; err != nil {
		t.Fatal(err)
	}
	return value
}

// OnDisk has SQLite use the file system that is registered by this name.
func OnDisk(o Options, vfs string) Options {
	o.vfs = vfs
	return o
}

// KeepRoom has the reserve written in this way.
func KeepRoom(d *DB, write func(file *os.File, from, to int64) error) { d.reserve.write = write }

// Prove does once what [DB.Watch] does every few seconds.
func Prove(t testing.TB, d *DB) error {
	t.Helper()
	err := d.prove(t.Context())
	d.trouble.Store(&err)
	return err
}

// Unrecorded has changes of tokens stored without events, which no server does: to be compared with.
func Unrecorded(d *DB) { d.backend.record = func([]*eventRow) []statement { return nil } }
