package server

import (
	"log/slog"
	"net/netip"
	"time"

	"github.com/tokenwright/tokenwright/handlers"
	"github.com/tokenwright/tokenwright/internal/oidc"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/store"
)

// Config is what a server needs to know.
type Config struct {
	Listen        string // HOST:PORT
	PublicURL     string // without a slash at its end; "" if it follows from the address that the listener gets
	MetricsListen string // HOST:PORT; "": no metrics
	TLSCert       string // files; "": no TLS
	TLSKey        string
	TrustedProxy  bool           // whoever connects is a proxy, which says from where requests come
	Proxies       []netip.Prefix // or these are
	ProxyHeader   string         // in which they say it, see [handlers.Proxies]

	Limits        handlers.Limits
	Connections   Connections
	HeaderTimeout time.Duration // how long the head of a request may take; 0: 5 seconds
	IdleTimeout   time.Duration // how long a connection may wait for the next request; 0: 2 minutes

	Ephemeral    bool // database and keys are in memory only, and the members about them mean nothing
	DatabaseURL  string
	Database     store.Options
	KeyDirectory string
	AuditWitness string // a file or a URL that gets the checkpoints of the audit log; "": none
	CacheSize    int64  // bytes for rows of tokens; 0: none

	Dialects      token.Dialects      // nil are the published ones
	Contracts     []handlers.Contract // beside the published ones
	UnleashStrict bool
	IgnoreUnknown bool // see [handlers.Config]

	Policies             map[*token.Dialect]token.Policy
	StatusTTL            time.Duration
	OIDC                 *oidc.Config // nil: no other issuer. The server sets who we are, and the clock.
	FederatedMaxLifetime time.Duration

	RequestTimeout  time.Duration
	ShutdownTimeout time.Duration

	Log   *slog.Logger
	Clock token.Clock         // nil is the system's
	Wrap  func(Stores) Stores // puts something before the database, for tests that plant faults; nil: nothing
}

func (c Config) proxies() handlers.Proxies {
	return handlers.Proxies{Networks: c.Proxies, Anyone: c.TrustedProxy, Header: c.ProxyHeader}
}

// Limits say how often callers and clients may do things.
type Limits = handlers.Limits

// Stores is what a server asks of its database.
type Stores struct {
	Tokens   token.Store
	Registry token.Registry
	Statuses token.StatusStore
}

// ConfigError says that the configuration cannot be right, whatever else happens.
type ConfigError struct{ error }
