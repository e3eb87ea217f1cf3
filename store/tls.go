package store

import (
	"errors"
	"net/netip"
	"os"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// requireTLS takes back what the driver does where nobody has said anything: to go on in plain text with a server that
// offers no TLS, or with somebody in between who says that it does not. Servers on this machine are left out.
func requireTLS(config *pgx.ConnConfig, address string) {
	if saysTLS(address) {
		return
	}
	config.Fallbacks = slices.DeleteFunc(config.Fallbacks, func(f *pgconn.FallbackConfig) bool {
		return f.TLSConfig == nil && !local(f.Host, f.Port)
	})
}

// saysTLS reports whether somebody has said whether the server has to have TLS.
func saysTLS(address string) bool {
	return queryOf(address).Has("sslmode") || os.Getenv("PGSSLMODE") != ""
}

// local reports whether nothing leaves this machine on its way to the host.
func local(host string, port uint16) bool {
	network, _ := pgconn.NetworkAddress(host, port)
	ip, err := netip.ParseAddr(host)
	return network == "unix" || host == "localhost" || err == nil && ip.IsLoopback()
}

// hintTLS adds what to do where a connection failed that would have been tried in plain text, too.
func hintTLS(config *pgx.ConnConfig, address string, err error) error {
	if saysTLS(address) || local(config.Host, config.Port) {
		return err
	}
	return errors.Join(err, errors.New(
		"(a server on another machine needs TLS, unless sslmode=disable in its URL says otherwise)"))
}
