package store

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgresConn prepares each text once, which pgx does for every connection.
type postgresConn struct{ *pgx.Conn }

func onPostgres(raw any) conn {
	return postgresConn{raw.(*stdlib.Conn).Conn()} //nolint:forcetypeassert // the pool is pgx's
}

func (c postgresConn) run(ctx context.Context, statements ...statement) error {
	if len(statements) == 1 {
		return c.runOne(ctx, statements[0])
	}
	var batch pgx.Batch
	for _, s := range statements {
		batch.Queue(s.text, s.args...)
	}
	results := c.SendBatch(ctx, &batch)
	defer func() { _ = results.Close() }()
	for _, s := range statements {
		rows, err := results.Query()
		if err != nil {
			return err
		}
		if err := eachRow(rows, s.each); err != nil {
			return err
		}
	}
	return results.Close()
}

func (c postgresConn) runOne(ctx context.Context, s statement) error {
	rows, err := c.Query(ctx, s.text, s.args...)
	if err != nil {
		return err
	}
	return eachRow(rows, s.each)
}

func eachRow(rows pgx.Rows, each func(columns) error) error {
	defer rows.Close()
	for rows.Next() {
		if each == nil {
			continue
		}
		row := postgresRow{values: rows.RawValues(), fields: rows.FieldDescriptions()}
		if err := each(&row); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (c postgresConn) rollBack(ctx context.Context) {
	if c.IsClosed() || c.PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endWait)
	defer cancel()
	if _, err := c.Exec(ctx, "ROLLBACK"); err != nil {
		_ = c.Close(ctx) // and the pool uses another
	}
}

// postgresRow reads the formats that the server sends.
type postgresRow struct {
	values [][]byte
	fields []pgconn.FieldDescription
	next   int
}

// value is the next column, and whether it is in the text format.
func (r *postgresRow) value() (value []byte, text bool) {
	r.next++
	return r.values[r.next-1], r.fields[r.next-1].Format == pgtype.TextFormatCode
}

func (r *postgresRow) int() int64 {
	value, text := r.value()
	switch {
	case text:
		n, _ := strconv.ParseInt(string(value), 10, 64)
		return n
	case len(value) == 8:
		return int64(binary.BigEndian.Uint64(value)) //nolint:gosec // as the server wrote it
	case len(value) == 4:
		return int64(int32(binary.BigEndian.Uint32(value))) //nolint:gosec // as the server wrote it
	}
	return 0
}

func (r *postgresRow) text() string {
	value, _ := r.value()
	return string(value)
}

func (r *postgresRow) bytes() []byte {
	value, text := r.value()
	if text {
		value, _ = hex.DecodeString(string(value[min(len(value), len(`\x`)):]))
	}
	return value
}

func (r *postgresRow) bool() bool {
	value, _ := r.value()
	return len(value) == 1 && (value[0] == 1 || value[0] == 't')
}

func (r *postgresRow) null() bool { return r.values[r.next] == nil }
func (r *postgresRow) skip(n int) { r.next += n }
