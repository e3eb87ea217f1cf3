package server

import (
	"log/slog"
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
	TrustedProxy  bool // a proxy in front says from where requests come

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

// Stores is what a server asks of its database.
type Stores struct {
	Tokens   token.Store
	Registry token.Registry
	Statuses token.StatusStore
}

// ConfigError says that the configuration cannot be right, whatever else happens.
type ConfigError struct{ error }
