package main

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/tokenwright/tokenwright/internal/logline"
	"github.com/tokenwright/tokenwright/internal/oidc"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/store"
)

// wrong is the error for an invalid setting.
func wrong(flag, format string, args ...any) error {
	return &usageError{fmt.Sprintf("--%s (%s) %s", flag, variable(flag), fmt.Sprintf(format, args...))}
}

// span is a duration that can also be written in days, as 30d.
type span time.Duration

// UnmarshalText reads 30d or what [time.ParseDuration] reads.
func (s *span) UnmarshalText(text []byte) error {
	if days, ok := strings.CutSuffix(string(text), "d"); ok {
		const day = 24 * time.Hour
		n, err := strconv.ParseInt(days, 10, 64)
		if err != nil || n < 0 || n > math.MaxInt64/int64(day) {
			return errors.New("must be a number of days like 30d")
		}
		*s = span(time.Duration(n) * day)
		return nil
	}
	d, err := time.ParseDuration(string(text))
	if err != nil || d < 0 {
		return errors.New("must be a duration like 90s, 12h or 30d")
	}
	*s = span(d)
	return nil
}

// size is a number of bytes, written with a unit.
type size int64

// UnmarshalText reads 16MiB and the like. A number alone is refused, since it once was a number of tokens.
func (s *size) UnmarshalText(text []byte) error {
	if string(text) == "0" {
		*s = 0
		return nil
	}
	unit := strings.TrimLeft(string(text), "0123456789")
	factor, known := map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}[unit]
	n, err := strconv.ParseInt(strings.TrimSuffix(string(text), unit), 10, 64)
	if !known || err != nil || n > math.MaxInt64/factor {
		return errors.New("must be a size with a unit, like 512KiB, 16MiB or 1GiB, or 0 for none; " +
			"it is not a number of tokens")
	}
	*s = size(n * factor)
	return nil
}

// defaultDatabaseURL is a file in the working directory.
const defaultDatabaseURL = "sqlite:data/tokenwright.db"

// databaseFlags say where the database is.
type databaseFlags struct {
	DatabaseURL            string `default:"sqlite:data/tokenwright.db" placeholder:"URL" help:"@database_url"`
	DatabaseURLFile        string `name:"database-url-file" placeholder:"FILE" help:"@database_url_file"`
	DirectDatabaseURL      string `placeholder:"URL" help:"@direct_database_url"`
	DirectDatabaseURLFile  string `name:"direct-database-url-file" placeholder:"FILE" help:"@direct_database_url_file"`
	PostgresMaxConnections int    `default:"10" help:"Maximum number of connections to PostgreSQL."`
	AllowUnsafePostgres    bool   `help:"@database_allow_unsafe_postgres"`
}

func (f *databaseFlags) check() error {
	source, err := readURL("database-url", &f.DatabaseURL, &f.DatabaseURLFile, defaultDatabaseURL)
	if err != nil {
		return err
	}
	if err := store.CheckURL(f.DatabaseURL); err != nil {
		return wrong(source, "%v", err)
	}
	if err := f.checkDirect(); err != nil {
		return err
	}
	if f.PostgresMaxConnections < 1 {
		return wrong("postgres-max-connections", "must be at least 1")
	}
	return nil
}

// checkDirect is about the URL without the pooler.
func (f *databaseFlags) checkDirect() error {
	source, err := readURL("direct-database-url", &f.DirectDatabaseURL, &f.DirectDatabaseURLFile, "")
	if err != nil || f.DirectDatabaseURL == "" {
		return err
	}
	_, embedded := store.SQLitePath(f.DatabaseURL)
	_, directly := store.SQLitePath(f.DirectDatabaseURL)
	if embedded || directly {
		return wrong(source, "is for PostgreSQL, where --database-url leads to a pooler")
	}
	if err := store.CheckURL(f.DirectDatabaseURL); err != nil {
		return wrong(source, "%v", err)
	}
	return nil
}

// readURL takes a URL from its file, if one is named, and returns the flag that it came from.
func readURL(flag string, url, file *string, none string) (source string, err error) {
	if *file == "" {
		return flag, nil
	}
	if *url != none {
		return "", wrong(flag+"-file", "cannot be used with --%s: give one of them", flag)
	}
	text, err := os.ReadFile(*file)
	if err != nil {
		return "", fmt.Errorf("cannot read the URL of the database: %w", err)
	}
	*url, *file = strings.TrimSpace(string(text)), ""
	return flag + "-file", nil
}

// options are those of the store.
func (f *databaseFlags) options(schema store.Schema) store.Options {
	return store.Options{
		Schema: schema, MaxConns: f.maxConns(), DirectURL: f.DirectDatabaseURL, AllowUnsafe: f.AllowUnsafePostgres,
	}
}

// exposedPassword warns of a password in a database URL on the command line. It is "" if there is none.
func exposedPassword(command *kong.Context) string {
	for _, step := range command.Path {
		if step.Flag == nil || !strings.HasSuffix(step.Flag.Name, "database-url") || step.Resolved {
			continue
		}
		name := step.Flag.Name
		u, err := url.Parse(step.Flag.Target.String())
		if err != nil {
			continue
		}
		if _, has := u.User.Password(); has || u.Query().Has("password") {
			return "all users of this machine can see the password in --" + name + ": give the URL with " + variable(name) +
				" or --" + name + "-file, or put the password in a file and name it in PGPASSFILE"
		}
	}
	return ""
}

// beside is the path of a file in the directory of the SQLite file, "" if the database is not SQLite.
func (f databaseFlags) beside(name string) string {
	path, embedded := store.SQLitePath(f.DatabaseURL)
	if !embedded {
		return ""
	}
	return filepath.Join(filepath.Dir(path), name)
}

// maxConns is for the store, whose own default suits the embedded database.
func (f databaseFlags) maxConns() int {
	if _, embedded := store.SQLitePath(f.DatabaseURL); embedded {
		return 0
	}
	return f.PostgresMaxConnections
}

// oidcFlags say which OpenID Connect issuer is trusted.
type oidcFlags struct {
	OIDCIssuer    string `name:"oidc-issuer" placeholder:"URL" help:"Also accept JWTs of this OpenID Connect issuer."`
	OIDCAudience  string `name:"oidc-audience" help:"What the aud claim of its JWTs must have; needed with --oidc-issuer."`
	OIDCRoleClaim string `name:"oidc-role-claim" placeholder:"NAME" help:"@oidc_role_claim"`
	OIDCRoles     string `name:"oidc-roles" placeholder:"VALUE=ROLE,…" help:"Roles for the values of that claim."`

	OIDCMaxLifetime span `name:"oidc-max-lifetime" default:"90d" help:"@oidc_max_lifetime"`
}

func (f oidcFlags) check() error {
	if f.OIDCIssuer == "" && (f.OIDCAudience != "" || f.OIDCRoleClaim != "" || f.OIDCRoles != "") {
		return wrong("oidc-issuer", "is required with the other --oidc- flags")
	}
	if f.OIDCIssuer != "" && f.OIDCAudience == "" {
		return wrong("oidc-audience", "is required with --oidc-issuer")
	}
	if f.OIDCRoleClaim != "" && f.OIDCRoles == "" {
		return wrong("oidc-roles", "is required with --oidc-role-claim")
	}
	_, err := f.roles()
	return err
}

// issuer is nil if none is trusted.
func (f oidcFlags) issuer() (*oidc.Config, error) {
	if f.OIDCIssuer == "" {
		return nil, nil //nolint:nilnil // none
	}
	roles, err := f.roles()
	return &oidc.Config{
		IssuerURL: f.OIDCIssuer, Audience: f.OIDCAudience, RoleClaim: f.OIDCRoleClaim, Roles: roles,
	}, err
}

func (f oidcFlags) roles() (map[string]token.Role, error) {
	roles := map[string]token.Role{}
	if f.OIDCRoles == "" {
		return roles, nil
	}
	for pair := range strings.SplitSeq(f.OIDCRoles, ",") {
		value, role, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if _, twice := roles[value]; !ok || value == "" || twice {
			return nil, wrong("oidc-roles", "must be a list like staff=member,ops=admin without duplicate values")
		}
		roles[value] = token.Role(role)
	}
	return roles, nil
}

// hostOf is the host of an address to listen on.
func hostOf(flag, text string) (string, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return "", wrong(flag, "must be HOST:PORT, such as 127.0.0.1:8080")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", wrong(flag, "must have a port from 0 to 65535")
	}
	return host, nil
}

// loopback reports whether nobody outside this machine can reach the host.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// checkPublicURL returns the URL as a prefix, without a slash at its end.
func checkPublicURL(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil ||
		strings.ContainsAny(text, "?#") {
		return "", wrong("public-url", "must be an absolute http or https URL without user, query or fragment")
	}
	return strings.TrimRight(text, "/"), nil
}

// logFlags say how to log.
type logFlags struct {
	LogFormat string `enum:"text,json" default:"text" help:"Log format: text or json."`
	LogLevel  string `enum:"debug,info,warn,error" default:"info" help:"@log_level"`
}

// jsonFormat is the log format for machines.
const jsonFormat = "json"

func (f logFlags) logger(s *streams) *slog.Logger {
	levels := map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	}
	level := levels[f.LogLevel]
	if f.LogFormat == jsonFormat {
		return slog.New(logline.NewJSON(s.stderr, level))
	}
	return slog.New(logline.NewText(s.stderr, level))
}
