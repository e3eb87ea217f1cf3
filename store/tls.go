package store

import (
	"errors"
	"net/netip"
	"os"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// requireTLS disables the driver's default fallback to plain text with a server that does not offer TLS, or with an
// attacker in between who pretends so. Servers on this machine are exempt.
func requireTLS(config *pgx.ConnConfig, address string) {
	if saysTLS(address) {
		return
	}
	config.Fallbacks = slices.DeleteFunc(config.Fallbacks, func(f *pgconn.FallbackConfig) bool {
		return f.TLSConfig == nil && !local(f.Host, f.Port)
	})
}

// saysTLS reports whether URL or environment set an sslmode.
func saysTLS(address string) bool {
	return queryOf(address).Has("sslmode") || os.Getenv("PGSSLMODE") != ""
}

// local reports whether connections to the host stay on this machine.
func local(host string, port uint16) bool {
	network, _ := pgconn.NetworkAddress(host, port)
	ip, err := netip.ParseAddr(host)
	return network == "unix" || host == "localhost" || err == nil && ip.IsLoopback()
}

// hintTLS adds a hint to the error of a connection that the driver would have retried in plain text.
func hintTLS(config *pgx.ConnConfig, address string, err error) error {
	if saysTLS(address) || local(config.Host, config.Port) {
		return err
	}
	return errors.Join(err, errors.New("(a server on another machine needs TLS, unless its URL has sslmode=disable)"))
}
