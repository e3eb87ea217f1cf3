package store

import (
	"context"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
)

// HasSigned reports whether the database has tokens that are of use only with the key that signed them: JWTs that are neither
// deleted, revoked nor expired. It asks no column that is younger than the first schema, since it is asked before a migration.
func (d *DB) HasSigned(ctx context.Context, now time.Time) (bool, error) {
	exists, err := d.hasTable(ctx, "tokens")
	if err != nil || !exists {
		return false, d.translate(ctx, err)
	}
	signing := d.dialects.Names(func(d *token.Dialect) bool { return d.Secrets.Signed })
	var count int64
	err = d.reader.WithContext(ctx).Raw(`SELECT count(*) FROM (SELECT 1 FROM tokens WHERE deleted_at IS NULL AND dialect IN ?
		AND state <> ? AND (expires_at IS NULL OR expires_at > ?) LIMIT 1) AS found`,
		signing, string(token.Revoked), now.UnixMilli()).Scan(&count).Error
	return count > 0, d.translate(ctx, err)
}
