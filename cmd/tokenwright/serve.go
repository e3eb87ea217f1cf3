package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/tokenwright/tokenwright/internal/server"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/store"
)

// serveCmd runs the server.
type serveCmd struct {
	Listen                  string `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"${help_serve_listen}"`
	PublicURL               string `name:"public-url" placeholder:"URL" help:"${help_serve_public_url}"`
	databaseFlags           `embed:""`
	Ephemeral               bool   `help:"${help_serve_ephemeral}"`
	Migrate                 bool   `default:"true" negatable:"" help:"${help_serve_migrate}"`
	KeyDirectory            string `placeholder:"DIR" help:"${help_serve_key_directory}"`
	BootstrapCredentialFile string `placeholder:"FILE" help:"${help_serve_bootstrap_credential_file}"`
	TLSCert                 string `name:"tls-cert" placeholder:"FILE" help:"${help_serve_tls_cert}"`
	TLSKey                  string `name:"tls-key" placeholder:"FILE" help:"Key (PEM) of the certificate."`
	TrustedProxy            bool   `help:"${help_serve_trusted_proxy}"`
	MetricsListen           string `placeholder:"HOST:PORT" help:"Where to serve /metrics for Prometheus. Off by default."`
	CacheSize               int    `default:"10000" help:"How many tokens' rows are kept in memory; 0: none."`
	StatusListTTL           span   `name:"status-list-ttl" default:"1m" help:"${help_serve_status_list_ttl}"`
	RequestTimeout          span   `default:"10s" help:"How long one request may take."`
	ShutdownTimeout         span   `default:"20s" help:"How long requests in flight may take when the server stops."`
	UnleashStrict           bool   `help:"${help_serve_unleash_strict}"`
	IgnoreUnknownMembers    bool   `help:"${help_serve_ignore_unknown_members}"`
	policyFlags             `embed:""`
	oidcFlags               `embed:""`
	logFlags                `embed:""`
}

// settings is the flags with what follows from them.
type settings struct {
	serveCmd
	host       string // to listen on
	credential string // of the first admin, where [serveCmd.Ephemeral]
}

// settings judges the flags. Nothing has been touched before they are all right.
func (c *serveCmd) settings() (settings, error) {
	s := settings{serveCmd: *c}
	for _, check := range []func() error{
		s.readAddresses, s.checkStorage, s.checkLimits, c.policyFlags.check, c.oidcFlags.check,
	} {
		if err := check(); err != nil {
			return s, err
		}
	}
	return s, nil
}

func (s *settings) readAddresses() (err error) {
	if s.host, err = hostOf("listen", s.Listen); err != nil {
		return err
	}
	if _, err := hostOf("metrics-listen", s.MetricsListen); s.MetricsListen != "" && err != nil {
		return err
	}
	if s.PublicURL == "" && !loopback(s.host) {
		return wrong("public-url", "is needed when listening beyond loopback, on %s", s.Listen)
	}
	if s.PublicURL != "" {
		s.PublicURL, err = checkPublicURL(s.PublicURL)
	}
	return err
}

func (s *settings) checkStorage() error {
	if s.Ephemeral {
		return s.checkEphemeral()
	}
	if err := s.databaseFlags.check(); err != nil {
		return err
	}
	return s.readFiles()
}

// checkEphemeral refuses what would have to be kept.
func (s *settings) checkEphemeral() error {
	for _, kept := range []struct{ flag, value, none string }{
		{"database-url", s.DatabaseURL, defaultDatabaseURL}, {"database-url-file", s.DatabaseURLFile, ""},
		{"key-directory", s.KeyDirectory, ""}, {"bootstrap-credential-file", s.BootstrapCredentialFile, ""},
	} {
		if kept.value != kept.none {
			return wrong(kept.flag, "does not go with --ephemeral, which keeps nothing")
		}
	}
	if !s.Migrate {
		return &usageError{
			"--no-migrate (" + variable("migrate") + "=false) does not go with --ephemeral, whose database is always new",
		}
	}
	s.DatabaseURL = "" // not even its default
	return s.checkTLS()
}

// bootstrapVariable holds the first credential of an ephemeral server. It is no flag, since command lines can be seen
// by other users of a machine.
const bootstrapVariable = "TOKENWRIGHT_BOOTSTRAP_CREDENTIAL"

func (s *settings) readCredential(getenv func(string) string) error {
	if !s.Ephemeral {
		return nil
	}
	s.credential = getenv(bootstrapVariable)
	if token.Published.OfSecret(s.credential) != token.CredentialDialect {
		return &usageError{bootstrapVariable + " must hold what `tokenwright secret` prints, for --ephemeral"}
	}
	return nil
}

func (s *settings) readFiles() error {
	s.KeyDirectory = cmp.Or(s.KeyDirectory, s.beside("keys"))
	s.BootstrapCredentialFile = cmp.Or(s.BootstrapCredentialFile, s.beside("bootstrap-credential"))
	if s.KeyDirectory == "" {
		return wrong("key-directory", "is needed with PostgreSQL: all servers of one database share its keys")
	}
	return s.checkTLS()
}

func (s *settings) checkTLS() error {
	if (s.TLSCert == "") != (s.TLSKey == "") {
		return wrong("tls-cert", "and --tls-key go together: give both or none")
	}
	return nil
}

func (s *settings) checkLimits() error {
	ttl := time.Duration(s.StatusListTTL)
	switch {
	case s.CacheSize < 0:
		return wrong("cache-size", "must not be negative")
	case ttl < time.Second || ttl > 24*time.Hour || ttl%time.Second != 0:
		return wrong("status-list-ttl", "must be 1s to 24h, in whole seconds")
	case s.RequestTimeout <= 0:
		return wrong("request-timeout", "must be above zero")
	case s.ShutdownTimeout <= 0:
		return wrong("shutdown-timeout", "must be above zero")
	}
	return nil
}

// errHurried is the end of a server that was told twice to stop.
var errHurried = errors.New("stopped at once by a second signal")

// Run starts the server and returns when it has stopped.
func (c *serveCmd) Run(ctx context.Context, out *streams) error {
	tuneCollector(out.getenv)
	s, err := c.settings()
	if err == nil {
		err = s.readCredential(out.getenv)
	}
	if err != nil {
		return err
	}
	log := s.logger(out)
	if out.exposed != "" {
		log.Warn(out.exposed)
	}
	return untilTwice(ctx, func(ctx context.Context) error { return serve(ctx, s, log, out.stdout) })
}

// untilTwice does the work until a first signal to stop, which ends its context, and does not wait for it after a
// second.
func untilTwice(ctx context.Context, work func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	signals, ended := make(chan os.Signal, 2), make(chan error, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	go func() { ended <- work(ctx) }()
	for stopped := false; ; stopped = true {
		select {
		case err := <-ended:
			return err
		case <-signals:
			if stopped {
				return errHurried
			}
			cancel()
		}
	}
}

// serve brings a server up, prints how to call it, and returns when ctx has ended and everything is closed.
func serve(ctx context.Context, s settings, log *slog.Logger, stdout io.Writer) error {
	config, err := s.config(log)
	if err != nil {
		return err
	}
	srv, err := server.Open(ctx, config)
	if err != nil {
		return stoppedWhileStarting(ctx, log, err)
	}
	defer srv.Close()
	first, err := s.begin(ctx, srv.Tokens)
	if err != nil {
		return stoppedWhileStarting(ctx, log, err)
	}
	s.warnPlainText(log)
	return srv.Serve(ctx, func() { s.welcome(stdout, log, srv, first) })
}

// config is what the server needs to know of the settings.
func (s *settings) config(log *slog.Logger) (server.Config, error) {
	issuer, err := s.issuer()
	schema := store.RequireSchema
	if s.Migrate {
		schema = store.MigrateSchema
	}
	return server.Config{
		Listen: s.Listen, PublicURL: s.PublicURL, MetricsListen: s.MetricsListen, TLSCert: s.TLSCert, TLSKey: s.TLSKey,
		TrustedProxy: s.TrustedProxy, Ephemeral: s.Ephemeral, DatabaseURL: s.DatabaseURL, Database: s.options(schema),
		KeyDirectory: s.KeyDirectory, CacheSize: s.CacheSize, UnleashStrict: s.UnleashStrict,
		IgnoreUnknown: s.IgnoreUnknownMembers, Policies: s.policies(), StatusTTL: time.Duration(s.StatusListTTL),
		OIDC: issuer, FederatedMaxLifetime: time.Duration(s.OIDCMaxLifetime),
		RequestTimeout: time.Duration(s.RequestTimeout), ShutdownTimeout: time.Duration(s.ShutdownTimeout), Log: log,
	}, err
}

// begin fills an empty database, and reports whether this start has done so, or has finished what another began.
func (s *settings) begin(ctx context.Context, tokens *token.Service) (first bool, err error) {
	if s.Ephemeral {
		return tokens.InitializeWith(ctx, s.credential, func(string) error { return nil })
	}
	file := newCredentialFile(s.BootstrapCredentialFile, "bootstrap-credential-file")
	first, resumed, err := initialize(ctx, tokens, file)
	return first || resumed, err
}

// warnPlainText says what a server does that neither has TLS nor a proxy that does.
func (s *settings) warnPlainText(log *slog.Logger) {
	if s.TLSCert == "" && !s.TrustedProxy && !loopback(s.host) {
		log.Warn("secrets travel in plain text to " + s.Listen +
			": give --tls-cert and --tls-key, or --trusted-proxy if a proxy in front of this server has TLS")
	}
}

// stoppedWhileStarting is nil where the start failed because the server was told to stop, unless that left a file that
// somebody must know of.
func stoppedWhileStarting(ctx context.Context, log *slog.Logger, err error) error {
	if uncertain := (*uncertainError)(nil); ctx.Err() == nil || errors.As(err, &uncertain) {
		return err
	}
	log.Info("stopped while starting")
	return nil
}

// collectAt is how far, in percent, the heap may grow before it is collected. This heap is a few megabytes, which the
// usual 100 would collect hundreds of times a second; a check costs a tenth less this way.
const collectAt = 400

// tuneCollector leaves the decision to who runs the server, if they made one.
func tuneCollector(getenv func(string) string) {
	if getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
}
