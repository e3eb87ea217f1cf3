package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/tokenwright/tokenwright/internal/token"
)

// HasSigned reports whether the database has tokens that work only with the key that signed them: JWTs that are neither
// deleted, revoked nor expired. It reads only columns of the first schema, since it runs before migrations.
func (d *DB) HasSigned(ctx context.Context, now time.Time) (bool, error) {
	exists, err := d.hasTable(ctx, "tokens")
	if err != nil || !exists {
		return false, d.translate(ctx, err)
	}
	var count int64
	err = d.reader.WithContext(ctx).Raw(`SELECT count(*) FROM (SELECT 1 FROM tokens WHERE deleted_at IS NULL
		AND dialect IN ? AND state <> ? AND (expires_at IS NULL OR expires_at > ?) LIMIT 1) AS found`,
		d.signing(), string(token.Revoked), now.UnixMilli()).Scan(&count).Error
	return count > 0, d.translate(ctx, err)
}

// LastExpiry is the latest expiry of all JWTs that the key has signed or may have signed: those without a recorded key,
// from before the third schema, count if they were created since then. It is zero if there are none. Deleted and
// revoked tokens do not count. A secret that another one took the place of counts until it ends.
func (d *DB) LastExpiry(ctx context.Context, keyID string, since time.Time) (time.Time, error) {
	var last *int64
	err := d.read(ctx, func(tx *gorm.DB) error {
		return tx.Raw(`SELECT max(ends) FROM (
			SELECT expires_at AS ends FROM tokens WHERE deleted_at IS NULL AND dialect IN @dialects AND state <> @revoked
				AND (signing_key = @key OR signing_key IS NULL AND created_at >= @since)
			UNION ALL
			SELECT CASE WHEN previous_ends_at < expires_at THEN previous_ends_at ELSE expires_at END FROM tokens
				WHERE deleted_at IS NULL AND dialect IN @dialects AND state <> @revoked AND previous_key = @key) AS signed`,
			map[string]any{
				"dialects": d.signing(), "revoked": string(token.Revoked), "key": keyID, "since": since.UnixMilli(),
			}).Scan(&last).Error
	})
	if err != nil || last == nil {
		return time.Time{}, err
	}
	return time.UnixMilli(*last).UTC(), nil
}

// signing are the dialects whose secrets are JWTs.
func (d *DB) signing() []string {
	return d.dialects.Names(func(dialect *token.Dialect) bool { return dialect.Secrets.Signed })
}
