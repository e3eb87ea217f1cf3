// Package server assembles the server: listeners, keys, database, service and handlers, and the tasks beside the
// requests. It knows in which order these begin and end, and what the log tells the operator of them. It must not know
// flags, the environment and standard output, nor what a request is about. cmd/tokenwright calls it, and so does
// test/harness: tests run what ships.
package server

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tokenwright/tokenwright/handlers"
	"github.com/tokenwright/tokenwright/internal/audit"
	"github.com/tokenwright/tokenwright/internal/jwt"
	"github.com/tokenwright/tokenwright/internal/memory"
	"github.com/tokenwright/tokenwright/internal/statuslist"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/store"
)

// Server is one that was opened. Its fields are set by [Open].
type Server struct {
	Tokens    *token.Service
	DB        *store.DB
	Memory    *memory.Memory
	PublicURL string // that of the [Config], or else the one that follows from the listener's address

	config      Config
	log         *slog.Logger
	certificate *certificate // nil: no TLS
	listener    net.Listener
	observe     func(handlers.Access) // nil: no metrics
	connections *connections
	keys        *jwt.Keys
	auditKey    *audit.Key
	trail       *audit.Log
	stopping    atomic.Bool
	ends        []func() error // of what was begun
}

// Open takes the addresses before it touches anything: a second server that is started by mistake goes no further, and
// the port that stands for 0 is part of the default public URL. Nothing is answered before [Server.Serve]; the caller
// may fill the database in between, and has to close the server in the end.
func Open(ctx context.Context, c Config) (*Server, error) {
	s := &Server{PublicURL: c.PublicURL, config: c, log: c.Log}
	if err := s.open(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Server) open(ctx context.Context) (err error) {
	if s.certificate, err = loadCertificate(s.config.TLSCert, s.config.TLSKey); err != nil {
		return err
	}
	if s.listener, err = listen(ctx, "listen", s.config.Listen); err != nil {
		return err
	}
	s.atEnd(s.listener.Close)
	s.connections = newConnections(s.config.Connections, s.config.proxies(), s.log)
	s.PublicURL = cmp.Or(s.PublicURL, s.defaultURL())
	if err := s.startMetrics(ctx); err != nil {
		return err
	}
	return s.assemble(ctx)
}

// listen names the setting in its error as the command line does.
func listen(ctx context.Context, setting, address string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on --%s: %w", setting, err)
	}
	return listener, nil
}

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

func (s *Server) defaultURL() string {
	host, _, _ := net.SplitHostPort(s.config.Listen)
	_, port, _ := net.SplitHostPort(s.Addr().String())
	scheme := "http"
	if s.certificate != nil {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// assemble makes the service: first the claim on a file, then the keys, then the database.
func (s *Server) assemble(ctx context.Context) (err error) {
	s.Tokens = &token.Service{
		Dialects: s.config.Dialects, Policies: s.config.Policies, FederatedMaxLifetime: s.config.FederatedMaxLifetime,
		Clock: s.config.Clock,
	}
	if err := s.federate(); err != nil {
		return err
	}
	if err := s.claim(); err != nil {
		return err
	}
	if s.keys, err = s.openKeys(ctx); err != nil {
		return err
	}
	if s.Tokens.RetryKey, err = s.retryKey(); err != nil {
		return err
	}
	if s.auditKey, err = s.openAuditKey(); err != nil {
		return err
	}
	if s.DB, err = s.openDatabase(ctx); err != nil {
		return err
	}
	s.atEnd(s.closeDatabase)
	s.supply(Stores{Tokens: s.DB, Registry: s.DB, Statuses: s.DB})
	return nil
}

// supply gives the service the parts that it works with.
func (s *Server) supply(stores Stores) {
	if s.config.Wrap != nil {
		stores = s.config.Wrap(stores)
	}
	lists := statuslist.Config{
		Store: stores.Statuses, Signer: s.keys, Clock: s.config.Clock, TTL: s.config.StatusTTL,
	}
	s.Memory = memory.New(s.config.CacheSize, s.DB.Shared(), lists)
	s.Tokens.Store = stores.Tokens
	s.Tokens.Registry = stores.Registry
	s.Tokens.Events = s.DB
	s.trail = &audit.Log{Store: s.DB, Key: s.auditKey}
	s.Tokens.Prover = s.trail
	s.Tokens.Signer = s.keys
	s.Tokens.Memory = s.Memory
}

// atEnd has [Server.Close] end what was begun.
func (s *Server) atEnd(end func() error) { s.ends = append(s.ends, end) }

// Close ends whatever [Open] has begun, the last first.
func (s *Server) Close() {
	for _, end := range slices.Backward(s.ends) {
		end() //nolint:errcheck // the end of the process lets go of it, too
	}
}

func (s *Server) closeDatabase() error {
	err := s.DB.Close()
	if err != nil {
		s.log.Error("cannot close the database cleanly", "error", err)
	}
	return err
}

// ready is nil while the server can work.
func (s *Server) ready(ctx context.Context) error {
	if s.stopping.Load() {
		return token.Errorf(token.Unavailable, "the server is stopping")
	}
	return s.DB.Ping(ctx)
}

// Serve answers requests until ctx ends, then lets those in flight finish. It calls begun when the server listens.
func (s *Server) Serve(ctx context.Context, begun func()) error {
	handler, err := handlers.New(handlers.Config{
		Tokens: s.Tokens, Contracts: s.config.Contracts, Keys: s.keys.Document, Ready: s.ready, PublicURL: s.PublicURL,
		UnleashStrict: s.config.UnleashStrict, IgnoreUnknown: s.config.IgnoreUnknown,
		Proxies: s.config.proxies(), Limits: s.config.Limits,
		Timeout: s.config.RequestTimeout, Log: s.log, Observe: s.observe,
	})
	if err != nil {
		return err
	}
	defer s.background(ctx)()
	// A request that used up its time has enough left for the answer.
	web := s.httpServer(handler, s.config.RequestTimeout+20*time.Second, s.connections)
	web.TLSConfig = s.certificate.config()
	web.DisableGeneralOptionsHandler = true // OPTIONS * is a request like any other
	return s.answer(ctx, web, begun)
}

// background begins what goes on beside the requests. The function that it returns ends it and waits.
func (s *Server) background(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var tasks sync.WaitGroup
	tasks.Go(func() { s.Tokens.Run(ctx, s.usesNotStored) })
	tasks.Go(func() { s.Tokens.RunClaims(ctx, s.claimsNotDeleted) })
	tasks.Go(func() { s.Tokens.RunRefusals(ctx, s.refusalsNotStored) })
	tasks.Go(func() { s.trail.Run(ctx, s.logNotExtended) })
	if s.config.AuditWitness != "" {
		tasks.Go(func() { audit.NewWitness(s.config.AuditWitness).Run(ctx, s.DB, s.witnessNotReached) })
	}
	tasks.Go(func() { s.DB.Watch(ctx, s.writesChanged) })
	tasks.Go(func() { s.keys.Watch(ctx, s.keysChanged) })
	tasks.Go(func() { s.certificate.watch(ctx, s.certificateChanged) })
	tasks.Go(func() { s.DB.Follow(ctx, s.Memory, s.feedLost) })
	return func() {
		cancel()
		tasks.Wait()
		s.gatherLast()
	}
}

// gatherLast brings what was recorded last into the log, so that nothing is without a checkpoint as long as no server
// runs.
func (s *Server) gatherLast() {
	ctx, cancel := context.WithTimeout(context.Background(), token.FlushInterval)
	defer cancel()
	if err := s.trail.Gather(ctx); err != nil {
		s.logNotExtended(err)
	}
	if s.config.AuditWitness == "" {
		return
	}
	if err := audit.NewWitness(s.config.AuditWitness).SendLast(ctx, s.DB); err != nil {
		s.witnessNotReached(err)
	}
}

// httpServer has a limit for everything that a client can draw out. A body may take ten seconds longer than the head.
func (s *Server) httpServer(handler http.Handler, writing time.Duration, connections *connections) *http.Server {
	header := cmp.Or(s.config.HeaderTimeout, 5*time.Second)
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: header, ReadTimeout: header + 10*time.Second, WriteTimeout: writing,
		IdleTimeout: cmp.Or(s.config.IdleTimeout, 2*time.Minute), MaxHeaderBytes: 32 << 10,
		ErrorLog:    slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
		ConnContext: connContext, ConnState: connections.state,
	}
}

func (s *Server) answer(ctx context.Context, web *http.Server, begun func()) error {
	failed := make(chan error, 1)
	listener := s.connections.limit(handlers.Listener(s.listener))
	go func() {
		if web.TLSConfig != nil {
			failed <- web.ServeTLS(listener, "", "")
		} else {
			failed <- web.Serve(listener)
		}
	}()
	s.log.Info("listening", "address", s.Addr().String(), "public_url", s.PublicURL)
	begun()
	select {
	case err := <-failed:
		return fmt.Errorf("cannot accept connections: %w", err)
	case <-ctx.Done():
	}
	s.stopping.Store(true)
	s.log.Info("stopping")
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.config.ShutdownTimeout)
	defer cancel()
	if err := web.Shutdown(limit); err != nil {
		web.Close() //nolint:errcheck // the error to tell is the other one
		return fmt.Errorf("requests were aborted: they took longer than %s", s.config.ShutdownTimeout)
	}
	s.log.Info("stopped")
	return nil
}
