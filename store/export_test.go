package store

import "testing"

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
