package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	gormpostgres "gorm.io/driver/postgres"
	"gorm.io/gorm"
)

const (
	postgresConns          = 10 // if the options do not say
	leaders                = 2  // round trips at a time for changes, for look-ups and for questions that go together
	postgresConnectTimeout = 5 * time.Second
	postgresConnLifetime   = 30 * time.Minute // so that connections move if the host name gets a new address
)

func parsePostgres(address string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		// The parser's error quotes the URL and cannot know for sure which part of a broken one is the password.
		return nil, errors.New("must be a valid PostgreSQL URL: check its port and parameters such as sslmode; " +
			"reserved characters in the password must be percent-encoded")
	}
	for _, value := range queryOf(address)["target_session_attrs"] {
		if value != "read-write" {
			return nil, errors.New("must not set target_session_attrs to anything but read-write: " +
				"a standby may lack the latest revokes")
		}
	}
	requireTLS(config, address)
	return config, nil
}

// queryOf is the query of a URL that the driver has parsed successfully.
func queryOf(address string) url.Values {
	u, err := url.Parse(address)
	if err != nil {
		return nil
	}
	return u.Query()
}

func configOf(address string) (*pgx.ConnConfig, error) {
	config, err := parsePostgres(address)
	if err != nil {
		return nil, err
	}
	config.ConnectTimeout = cmp.Or(config.ConnectTimeout, postgresConnectTimeout)
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "tokenwright"
	}
	return config, nil
}

// reach connects once, and so determines the server.
func reach(ctx context.Context, config *pgx.ConnConfig, address string) error {
	conn, err := pgx.ConnectConfig(ctx, config.Copy())
	if err != nil {
		return unreachable(hintTLS(config, address, err))
	}
	return conn.Close(ctx)
}

func openPostgres(ctx context.Context, address string, opts Options) (*DB, error) {
	sessions := &sessions{unsafe: opts.AllowUnsafe, pooled: opts.DirectURL != ""}
	direct, err := configOf(cmp.Or(opts.DirectURL, address))
	if err != nil {
		return nil, err
	}
	direct.ValidateConnect = sessions.judge
	config := direct
	if sessions.pooled {
		if err := reach(ctx, direct, opts.DirectURL); err != nil {
			return nil, fmt.Errorf("without the pooler: %w", err)
		}
		if config, err = configOf(address); err != nil {
			return nil, err
		}
		throughPooler(config, sessions)
	}
	conns := cmp.Or(opts.MaxConns, postgresConns)
	kept := conns / 5 // for changes that take rights away, and as many for reading, without which nobody is authenticated
	if conns > 2 {
		kept = max(kept, 1)
	}
	db, err := openPostgresPool(ctx, config, address, sessions, conns-kept)
	if err != nil {
		return nil, err
	}
	d := &DB{backend: postgres(feedSource{direct, sessions}), writer: db, reader: db, revoker: db}
	d.reading = newLine(conns - kept)
	d.writing, d.revoking = d.reading, d.reading
	if kept > 0 {
		d.writing, d.revoking = newLine(conns-2*kept), newLine(kept)
		d.writing.within = d.reading
		if d.revoker, err = openPostgresPool(ctx, config, address, sessions, kept); err != nil {
			d.revoker = db
			return nil, errors.Join(err, d.Close())
		}
	}
	changing, looking, asking := newLine(leaders), newLine(leaders), newLine(leaders)
	changing.within, looking.within, asking.within = d.writing, d.reading, d.reading
	d.formCrews(changing, looking, asking)
	return d, nil
}

func openPostgresPool(
	ctx context.Context, config *pgx.ConnConfig, address string, sessions *sessions, conns int,
) (*gorm.DB, error) {
	pool := stdlib.OpenDB(*config, stdlib.OptionResetSession(sessions.reuse))
	if sessions.pooled {
		pool = sql.OpenDB(pooledConnector{stdlib.GetConnector(*config), sessions})
	}
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	pool.SetConnMaxLifetime(postgresConnLifetime)
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(unreachable(hintTLS(config, address, err)), pool.Close())
	}
	db, err := gorm.Open(gormpostgres.New(gormpostgres.Config{Conn: pool}), gormConfig())
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return db, nil
}

// unreachable is the error for a database that accepts no connection.
func unreachable(err error) error {
	if unsafe := (*unsafeError)(nil); errors.As(err, &unsafe) {
		return unsafe
	}
	for _, plain := range []error{errPooler, errOther} {
		if errors.Is(err, plain) {
			return plain
		}
	}
	return oneLine("it cannot be reached", err)
}

// postgresUnavailable reports whether the error says that the server cannot be used now.
func postgresUnavailable(err error) bool {
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) || errors.Is(err, pgconn.ErrConnClosed) || repeatable(err) ||
		errors.Is(err, errReadOnly) || errors.Is(err, errOther) || errors.As(err, new(*unsafeError)) {
		return true
	}
	var answer *pgconn.PgError
	if !errors.As(err, &answer) || len(answer.Code) != 5 {
		return false
	}
	switch answer.Code[:2] {
	case "08", "53", "58": // connection, resources, the system below
		return true
	}
	return slices.Contains([]string{
		"25006",                                     // the server is read-only
		"55P03",                                     // no lock in time
		"57014",                                     // statement timeout; if the caller gave up, its context says so
		"57P01", "57P02", "57P03", "57P04", "57P05", // going down, coming up, dropped, idle for too long
	}, answer.Code)
}

// repeatable reports whether the transaction should be retried: after a deadlock or a serialization failure.
func repeatable(err error) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && (answer.Code == "40P01" || answer.Code == "40001")
}
