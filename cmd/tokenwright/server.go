package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tokenwright/tokenwright/handlers"
	"github.com/tokenwright/tokenwright/internal/jwt"
	"github.com/tokenwright/tokenwright/internal/memory"
	"github.com/tokenwright/tokenwright/internal/oidc"
	"github.com/tokenwright/tokenwright/internal/statuslist"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/store"
)

// server is a server on its way up, at work or on its way down.
type server struct {
	settings
	log         *slog.Logger
	certificate *servingCertificate // nil: no TLS
	listener    net.Listener
	metrics     *metrics     // nil: none
	claimed     *store.Claim // nil: none
	keys        *jwt.Keys
	db          *store.DB
	memory      *memory.Memory
	tokens      *token.Service
	first       bool // this start has filled an empty database, or finished what another began
	stopping    atomic.Bool
}

// serve brings a server up, prints how to call it, and returns when ctx has ended and everything is closed.
func serve(ctx context.Context, s settings, log *slog.Logger, stdout io.Writer) error {
	srv := &server{settings: s, log: log}
	defer srv.close()
	if err := srv.start(ctx); err != nil {
		return stoppedWhileStarting(ctx, log, err)
	}
	return srv.work(ctx, func() { srv.welcome(stdout) })
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

// start takes the addresses before it touches anything: a second server that is started by mistake goes no further,
// and the port that stands for 0 is part of the default public URL.
func (s *server) start(ctx context.Context) (err error) {
	if s.certificate, err = s.loadCertificate(); err != nil {
		return err
	}
	if s.listener, err = listen(ctx, "listen", s.listen); err != nil {
		return err
	}
	if s.publicURL == "" {
		_, port, _ := net.SplitHostPort(s.listener.Addr().String())
		s.publicURL = s.scheme() + "://" + net.JoinHostPort(s.listen.host, port)
	}
	if err := s.startMetrics(ctx); err != nil {
		return err
	}
	if err := s.open(ctx); err != nil {
		return err
	}
	if s.Ephemeral {
		s.first, err = s.tokens.InitializeWith(ctx, s.credential, func(string) error { return nil })
		return err
	}
	made, err := initialize(ctx, s.tokens, newCredentialFile(s.credentialFile, "bootstrap-credential-file"))
	s.first = made != nothingMade
	return err
}

// close ends whatever was begun.
func (s *server) close() {
	if s.db != nil {
		if err := s.db.Close(); err != nil {
			s.log.Error("the database was not closed in order", "error", err)
		}
	}
	if s.claimed != nil {
		s.claimed.Close() //nolint:errcheck // the end of the process lets go of it, too
	}
	s.metrics.close()
	if s.listener != nil {
		s.listener.Close()
	}
}

func listen(ctx context.Context, flag string, a address) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", a.String())
	if err != nil {
		return nil, fmt.Errorf("cannot listen on --%s: %w", flag, err)
	}
	return listener, nil
}

// open makes the service: first the claim on a file, then the keys, then the database.
func (s *server) open(ctx context.Context) (err error) {
	s.tokens = &token.Service{Policies: s.policies(), FederatedMaxLifetime: time.Duration(s.OIDCMaxLifetime)}
	if err := s.federate(); err != nil {
		return err
	}
	if err := s.claim(); err != nil {
		return err
	}
	if s.keys, err = s.openKeys(ctx); err != nil {
		return err
	}
	if s.db, err = s.openDatabase(ctx); err != nil {
		return err
	}
	s.tokens.Store, s.tokens.Registry, s.tokens.Signer = s.db, s.db, s.keys
	lists := statuslist.Config{Store: s.db, Signer: s.keys, TTL: time.Duration(s.StatusListTTL)}
	s.memory = memory.New(s.CacheSize, s.db.Shared(), lists)
	s.tokens.Memory = s.memory
	return nil
}

func (s *server) openDatabase(ctx context.Context) (*store.DB, error) {
	if s.Ephemeral {
		return store.OpenMemory(ctx)
	}
	return store.Open(ctx, s.DatabaseURL, s.options(s.schema()))
}

// claim keeps a second server off the embedded database, of whose changes the cache of this one would not hear.
func (s *server) claim() (err error) {
	if path, embedded := s.sqlitePath(); embedded {
		s.claimed, err = store.ClaimFile(path)
	}
	return err
}

func (s *server) federate() error {
	if s.OIDCIssuer == "" {
		return nil
	}
	roles, err := s.roles()
	if err != nil {
		return err
	}
	issuer, err := oidc.New(oidc.Config{
		IssuerURL: s.OIDCIssuer, Audience: s.OIDCAudience, OurIssuer: s.publicURL,
		RoleClaim: s.OIDCRoleClaim, Roles: roles, Now: s.tokens.Now,
	})
	if err != nil {
		return &usageError{err.Error()}
	}
	s.tokens.OIDC = issuer
	return nil
}

// openKeys makes keys only beside the embedded database: servers that share one must share the keys, too.
func (s *server) openKeys(ctx context.Context) (*jwt.Keys, error) {
	if s.Ephemeral {
		return jwt.Ephemeral(s.publicURL)
	}
	keys, err := jwt.Open(s.keyDirectory, s.publicURL)
	if !errors.Is(err, fs.ErrNotExist) {
		return keys, err
	}
	if _, embedded := s.sqlitePath(); !embedded {
		return nil, fmt.Errorf("%w: make keys with: tokenwright keys init --key-directory %s", err, s.keyDirectory)
	}
	if lost := s.keysLost(ctx, err); lost != nil {
		return nil, lost
	}
	return jwt.OpenOrCreate(s.keyDirectory, s.publicURL)
}

// keysLost is an error if the database has tokens that keys have signed, which new keys would end without a word. It
// only looks.
func (s *server) keysLost(ctx context.Context, missing error) error {
	options := s.options(store.AnySchema)
	options.ReadOnly = true
	db, err := store.Open(ctx, s.DatabaseURL, options)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing was written
	signed, err := db.HasSigned(ctx, s.tokens.Now())
	if err != nil {
		return fmt.Errorf("cannot look for tokens that need the keys: %w", err)
	}
	if signed {
		return fmt.Errorf("%w, and the database has JWTs that need their keys: "+
			"restore the directory, or make a new key with "+
			"tokenwright keys init --key-directory %s and create these tokens again", missing, s.keyDirectory)
	}
	return nil
}

// beginning is what [initialize] found to do.
type beginning int

const (
	nothingMade beginning = iota
	firstMade             // the database was empty
	madeBefore            // an earlier run had committed a credential and left its file unfinished
)

// initialize fills an empty database. In one that is filled it looks after what a run has left that was killed.
func initialize(ctx context.Context, tokens *token.Service, file *credentialFile) (beginning, error) {
	first, err := tokens.Initialize(ctx, file.write)
	if err := file.settle(err); err != nil {
		return nothingMade, fmt.Errorf("cannot make the first credential: %w", err)
	}
	if first {
		return firstMade, nil
	}
	resumed, err := file.resume(ctx, tokens)
	if err != nil {
		return nothingMade, fmt.Errorf("cannot finish the file of a credential: %w", err)
	}
	if resumed {
		return madeBefore, nil
	}
	return nothingMade, nil
}

// ready is nil while the server can work.
func (s *server) ready(ctx context.Context) error {
	if s.stopping.Load() {
		return token.Errorf(token.Unavailable, "the server is stopping")
	}
	return s.db.Ping(ctx)
}

// work answers requests until ctx ends.
func (s *server) work(ctx context.Context, ready func()) error {
	handler, err := handlers.New(handlers.Config{
		Tokens: s.tokens, Keys: s.keys.Document, Ready: s.ready, PublicURL: s.publicURL, UnleashStrict: s.UnleashStrict,
		IgnoreUnknown: s.IgnoreUnknownMembers, TrustedProxy: s.TrustedProxy,
		Timeout: time.Duration(s.RequestTimeout), Log: s.log, Observe: s.metrics.observe,
	})
	if err != nil {
		return err
	}
	defer s.background(ctx)()
	return s.answer(ctx, s.httpServer(handler), ready)
}

func (s *server) usesNotStored(err error, lost bool) {
	if lost {
		s.log.Error("times of use were not stored and are lost", "error", err)
		return
	}
	s.log.Warn("times of use are not stored yet", "error", err)
}

// background begins what goes on beside the requests. The function that it returns ends it and waits.
func (s *server) background(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var tasks sync.WaitGroup
	tasks.Go(func() {
		s.tokens.Run(ctx, s.usesNotStored)
	})
	tasks.Go(func() { s.db.Watch(ctx, s.writesChanged) })
	tasks.Go(func() { s.keys.Watch(ctx, s.keysChanged) })
	tasks.Go(func() { s.certificate.watch(ctx, s.certificateChanged) })
	tasks.Go(func() {
		s.db.Follow(ctx, s.memory, func(err error) {
			s.log.Warn("changes by other servers are not heard, so nothing is answered from memory", "error", err)
		})
	})
	return func() {
		cancel()
		tasks.Wait()
	}
}

// keysChanged hears of the key directory. What is in memory was verified by keys that may not be there any more.
func (s *server) keysChanged(err error) {
	if err != nil {
		s.log.Warn("the key directory cannot be used as it is; the keys that were read before go on working", "error", err)
		return
	}
	s.tokens.Changed(token.Change{})
	s.log.Info("keys were read again", "signs", s.keys.Active())
}

// certificateChanged hears of the files of the certificate.
func (s *server) certificateChanged(err error) {
	if err != nil {
		s.log.Warn("the new TLS certificate cannot be used; the one before goes on working", "error", err)
		return
	}
	s.log.Info("the TLS certificate was read again", "not_after", s.certificate.current.Load().Leaf.NotAfter)
}

// warnPlainText says what a server does that neither has TLS nor a proxy that does.
func (s *server) warnPlainText() {
	if s.TLSCert == "" && !s.TrustedProxy && !s.listen.loopback() {
		s.log.Warn("secrets travel in plain text to " + s.listen.String() +
			": give --tls-cert and --tls-key, or --trusted-proxy if a proxy in front of this server has TLS")
	}
}

// writesChanged hears whether the database takes writes.
func (s *server) writesChanged(err error) {
	if err != nil {
		s.log.Error("the database takes no writes, and /readyz says so", "error", err)
		return
	}
	s.log.Info("the database takes writes again")
}

// httpServer has a limit for everything that a client can draw out.
func (s *server) httpServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler: handler, TLSConfig: s.certificate.config(),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: s.writeTimeout(),
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		DisableGeneralOptionsHandler: true, // OPTIONS * is a request like any other
		ErrorLog:                     slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
}

// answer serves until ctx ends, then lets the requests in flight finish.
func (s *server) answer(ctx context.Context, web *http.Server, ready func()) error {
	failed := make(chan error, 1)
	go func() {
		if web.TLSConfig != nil {
			failed <- web.ServeTLS(s.listener, "", "")
		} else {
			failed <- web.Serve(s.listener)
		}
	}()
	s.warnPlainText()
	s.log.Info("listening", "address", s.listener.Addr().String(), "public_url", s.publicURL)
	ready()
	select {
	case err := <-failed:
		return fmt.Errorf("cannot go on listening: %w", err)
	case <-ctx.Done():
	}
	s.stopping.Store(true)
	s.log.Info("stopping")
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Duration(s.ShutdownTimeout))
	defer cancel()
	if err := web.Shutdown(limit); err != nil {
		web.Close() //nolint:errcheck // the error to tell is the other one
		return fmt.Errorf("requests were broken off: they took longer than %s", time.Duration(s.ShutdownTimeout))
	}
	s.log.Info("stopped")
	return nil
}
