package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tokenwright/tokenwright/internal/token"
)

// loadCmd fills a database that a server has started on once, so that it has its schema and an account.
type loadCmd struct {
	DatabaseURL string `required:"" placeholder:"URL" help:"sqlite:PATH or postgres://… No server may be running on it."`
	Tokens      int    `default:"10000" help:"How many tokens."`
	Users       int    `default:"100" help:"How many users own them, in turn."`
}

// Run implements the command.
func (c *loadCmd) Run(ctx context.Context) error {
	began := time.Now()
	err := load(ctx, c.DatabaseURL, c.Tokens, c.Users)
	if err == nil {
		fmt.Printf("Loaded %d tokens of %d users in %v.\n", c.Tokens, c.Users, time.Since(began).Round(time.Second/10))
	}
	return err
}

// secret is that of token i of a loaded database, so that whoever measures knows it too. It has the form of a muninx
// secret, which ends with the CRC-32 of what is before.
func secret(i int) string {
	form := token.Muninx.Secrets
	seed := sha256.Sum256(fmt.Appendf(nil, "secret %d", i))
	body := []byte(form.Prefix)
	for _, b := range seed[:form.Length] {
		body = append(body, form.Alphabet[int(b)%len(form.Alphabet)])
	}
	sum, checksum := int(crc32.ChecksumIEEE(body)), make([]byte, form.Checksum)
	for i := form.Checksum - 1; i >= 0; i-- {
		checksum[i] = form.Alphabet[sum%len(form.Alphabet)]
		sum /= len(form.Alphabet)
	}
	return string(body) + string(checksum)
}

// The columns of what is loaded, in the order in which owner and [cargo.token] fill them.
var (
	userColumns = []string{
		"admin_id", "issuer", "subject", "name", "role", "account_id", "disabled", "created_at", "updated_at",
	}
	tokenColumns = []string{
		"dialect", "public_id", "secret_hash", "name", "name_unique", "scope", "user_id", "state", "suspended_by_admin",
		"introspector", "role_limit", "created_by", "created_by_admin_id", "minted_by", "created_at", "updated_at",
	}
)

// cargo is what is loaded.
type cargo struct {
	account       string
	tokens, users int
	firstUser     int64 // id of the first user, known after the users are there
	firstToken    int64 // sequence number of the first token
	now           int64
}

// adminID is an id of the form of [token.NewKey].
func adminID(user int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "user %d", user))
	return base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").EncodeToString(sum[:20])
}

func (c *cargo) user(i int) []any {
	return []any{adminID(i), "", fmt.Sprintf("load-%d", i), fmt.Sprintf("Load %d", i), "member", c.account, false, c.now, c.now}
}

// token is token i. The tokens of a user are minted one by the other, the first by nobody.
func (c *cargo) token(i int) []any {
	hash := token.HashSecret(secret(i))
	owner := c.firstUser + int64(i%c.users)
	at := c.now - int64(c.tokens-i)
	var minter any
	if i >= c.users {
		minter = c.firstToken + int64(i-c.users)
	}
	return []any{
		"muninx", publicID(i, at), hash[:], fmt.Sprintf("token %d", i), false, "user", owner, "active", false, false, "", owner,
		adminID(i % c.users), minter, at, at,
	}
}

// publicID is a UUID version 7.
func publicID(i int, millis int64) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "id %d", i))
	b := binary.BigEndian.AppendUint64(nil, uint64(millis)<<16|0x7000|uint64(sum[0]))
	b = append(b, sum[1]&0x3f|0x80)
	b = append(b, sum[2:9]...)
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// load puts tokens into a database. Indexes are dropped before and made again after, which is faster.
func load(ctx context.Context, databaseURL string, tokens, users int) error {
	c := &cargo{tokens: tokens, users: users, now: time.Now().UnixMilli()}
	if path, ok := strings.CutPrefix(databaseURL, "sqlite:"); ok {
		return c.intoSQLite(ctx, path)
	}
	return c.intoPostgres(ctx, databaseURL)
}

const (
	oneAccount = "SELECT id FROM accounts ORDER BY created_at LIMIT 1"
	firstUser  = "SELECT id FROM users WHERE issuer = '' AND subject = 'load-0'"
	nextToken  = "SELECT coalesce(max(seq), 0) + 1 FROM tokens"
)

func (c *cargo) intoPostgres(ctx context.Context, databaseURL string) error {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if err := conn.QueryRow(ctx, oneAccount).Scan(&c.account); err != nil {
		return fmt.Errorf("start the server on the database once, so that it has an account: %w", err)
	}
	drop, restore, err := postgresIndexes(ctx, conn)
	if err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "SET maintenance_work_mem = '512MB'; SET synchronous_commit = off; "+drop); err != nil {
		return err
	}
	if err := c.copyIn(ctx, conn); err != nil {
		return err
	}
	for _, statement := range []string{restore, "VACUUM ANALYZE tokens", "VACUUM ANALYZE users", "CHECKPOINT"} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

func (c *cargo) copyIn(ctx context.Context, conn *pgx.Conn) error {
	copyRows := func(table string, columns []string, n int, row func(int) []any) error {
		_, err := conn.CopyFrom(ctx, pgx.Identifier{table}, columns,
			pgx.CopyFromSlice(n, func(i int) ([]any, error) { return row(i), nil }))
		return err
	}
	if err := copyRows("users", userColumns, c.users, c.user); err != nil {
		return err
	}
	if err := conn.QueryRow(ctx, firstUser).Scan(&c.firstUser); err != nil {
		return err
	}
	if err := conn.QueryRow(ctx, nextToken).Scan(&c.firstToken); err != nil {
		return err
	}
	return copyRows("tokens", tokenColumns, c.tokens, c.token)
}

// postgresIndexes returns the statements that drop what is checked or written for each new token, and that make it again.
func postgresIndexes(ctx context.Context, conn *pgx.Conn) (drop, restore string, err error) {
	const statements = `SELECT coalesce(string_agg(dropped || ';', ''), ''), coalesce(string_agg(made || ';', ''), '') FROM (
		SELECT format('ALTER TABLE tokens DROP CONSTRAINT %I', conname) AS dropped,
			format('ALTER TABLE tokens ADD CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)) AS made
		FROM pg_constraint WHERE conrelid = 'tokens'::regclass AND contype IN ('u', 'f')
		UNION ALL
		SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid) FROM pg_index
		WHERE indrelid = 'tokens'::regclass
			AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))) AS all_of_them`
	err = conn.QueryRow(ctx, statements).Scan(&drop, &restore)
	return drop, restore, err
}

func (c *cargo) intoSQLite(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite3", "file:"+path+"?_pragma=synchronous(off)&_pragma=cache_size(-65536)")
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if err := db.QueryRowContext(ctx, oneAccount).Scan(&c.account); err != nil {
		return fmt.Errorf("start the server on the database once, so that it has an account: %w", err)
	}
	var drop, restore string
	const indexes = `SELECT coalesce(group_concat('DROP INDEX ' || name || ';', ' '), ''),
		coalesce(group_concat(sql || ';', ' '), '') FROM sqlite_schema
		WHERE type = 'index' AND tbl_name = 'tokens' AND sql IS NOT NULL`
	if err := db.QueryRowContext(ctx, indexes).Scan(&drop, &restore); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, drop); err != nil {
		return err
	}
	if err := insertAll(ctx, db, "users", userColumns, c.users, c.user); err != nil {
		return err
	}
	if err := db.QueryRowContext(ctx, firstUser).Scan(&c.firstUser); err != nil {
		return err
	}
	if err := db.QueryRowContext(ctx, nextToken).Scan(&c.firstToken); err != nil {
		return err
	}
	if err := insertAll(ctx, db, "tokens", tokenColumns, c.tokens, c.token); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, restore+"PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}

// insertAll inserts rows in transactions of many.
func insertAll(ctx context.Context, db *sql.DB, table string, columns []string, n int, row func(int) []any) error {
	const batch = 100_000
	insert := fmt.Sprintf("INSERT INTO %s (%s) VALUES (?%s)",
		table, strings.Join(columns, ", "), strings.Repeat(", ?", len(columns)-1))
	for from := 0; from < n; from += batch {
		if err := insertSome(ctx, db, insert, from, min(n, from+batch), row); err != nil {
			return err
		}
	}
	return nil
}

func insertSome(ctx context.Context, db *sql.DB, insert string, from, to int, row func(int) []any) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	statement, err := tx.PrepareContext(ctx, insert)
	if err != nil {
		return err
	}
	for i := from; i < to; i++ {
		if _, err := statement.ExecContext(ctx, row(i)...); err != nil {
			return err
		}
	}
	return tx.Commit()
}
