// Package harness runs the whole server on a real store for tests, with a few users and accounts in it. Every answer
// is checked against the published contracts.
package harness

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenwright/tokenwright/handlers"
	"github.com/tokenwright/tokenwright/internal/jwt"
	"github.com/tokenwright/tokenwright/internal/memory"
	"github.com/tokenwright/tokenwright/internal/statuslist"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/store"
	"github.com/tokenwright/tokenwright/test/pgtest"
	"github.com/tokenwright/tokenwright/test/speccheck"
)

// Options change the server. The zero value is a server on SQLite with the default settings.
type Options struct {
	DatabaseURL   string         // "" is a new SQLite file
	Dialects      token.Dialects // nil are the published ones
	Contracts     []handlers.Contract
	Policies      map[*token.Dialect]token.Policy
	OIDC          func(publicURL string) token.Federation
	Strict        bool
	IgnoreUnknown bool
	TrustedProxy  bool
	Ready         func(context.Context) error // nil asks the database
	Timeout       time.Duration
	WrapStore     func(token.Store) token.Store // to plant faults; no rows are kept in memory then
	Rows          int                           // kept in memory; 0: as many as by default
	Replica       *Server                       // shares this server's database, keys and fixtures
	Unchecked     bool                          // answers are not checked against the specs: for load, and see Answer.Check
}

// Server is a running server with its fixtures.
type Server struct {
	URL     string
	Service *token.Service
	DB      *store.DB
	Memory  *memory.Memory
	Dir     string // of the database file
	Log     *Buffer
	Client  *http.Client
	Vars    map[string]string // names for wire tests: credentials, ids, dates

	t      testing.TB
	keys   func() ([]byte, error)
	keyDir string
	issuer string
	ctx    context.Context //nolint:containedctx // of the test: a fuzz target may not ask its F for it
	offset atomic.Int64
}

// Buffer is a log that tests may read while the server writes.
type Buffer struct {
	mu      sync.Mutex
	data    bytes.Buffer
	discard bool
}

// Discard keeps nothing from now on.
func (b *Buffer) Discard() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.discard = true
}

// Write appends to the buffer.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.discard {
		return len(p), nil
	}
	return b.data.Write(p)
}

// String is all that was written.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.String()
}

// Start runs a server until the test ends.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s := &Server{t: t, ctx: t.Context(), Log: &Buffer{}, Dir: t.TempDir(), Vars: map[string]string{}}
	if o.DatabaseURL == "" { // a replica's has to be given, since it may lead through a proxy
		o.DatabaseURL = "sqlite:" + filepath.Join(s.Dir, "tokenwright.db")
	}
	db, err := store.Open(t.Context(), o.DatabaseURL, store.Options{AllowUnsafe: true, Dialects: o.Dialects})
	s.need(err)
	s.DB = db
	listener := httptest.NewUnstartedServer(nil)
	s.URL = "http://" + listener.Listener.Addr().String()
	s.need(s.assemble(o))
	handler, err := handlers.New(s.config(o))
	s.need(err)
	listener.Config.Handler = handler
	listener.Start()
	t.Cleanup(func() {
		listener.Close()
		if err := db.Close(); err != nil {
			t.Errorf("closing the store: %v", err)
		}
	})
	s.Client = s.newClient(o)
	s.follow()
	if o.Replica == nil {
		s.populate()
	} else {
		s.Vars = o.Replica.Vars
	}
	return s
}

// follow hears of the changes that other replicas make, until the test ends.
func (s *Server) follow() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.DB.Follow(ctx, s.Memory, func(err error) { fmt.Fprintln(s.Log, err) })
	}()
	s.t.Cleanup(func() { cancel(); <-done })
}

func (s *Server) newClient(o Options) *http.Client {
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	s.t.Cleanup(transport.CloseIdleConnections)
	if o.Unchecked {
		return &http.Client{Transport: transport}
	}
	return &http.Client{Transport: speccheck.Transport{Base: transport, Report: s.t, Contracts: contracts(o)}}
}

// contracts are what answers are judged by.
func contracts(o Options) speccheck.Contracts {
	if len(o.Contracts) == 0 {
		return nil
	}
	var more []speccheck.Contract
	for _, c := range o.Contracts {
		more = append(more, speccheck.Contract{Name: c.Name, Prefix: c.Prefix, Spec: c.Spec})
	}
	return speccheck.With(more...)
}

func (s *Server) assemble(o Options) error {
	if o.Replica != nil {
		s.keyDir, s.issuer = o.Replica.keyDir, o.Replica.issuer
	} else {
		s.keyDir, s.issuer = filepath.Join(s.t.TempDir(), "keys"), s.URL
		if err := jwt.Create(s.keyDir); err != nil {
			return err
		}
	}
	signer, err := jwt.Open(s.keyDir, s.issuer)
	if err != nil {
		return err
	}
	s.keys = func() ([]byte, error) { return json.Marshal(signer.Public()) }
	s.Service = &token.Service{
		Store: s.DB, Registry: s.DB, Signer: signer, Dialects: o.Dialects, Policies: o.Policies,
		Clock: func() time.Time { return time.Now().Add(time.Duration(s.offset.Load())) },
	}
	s.remember(o, signer)
	if o.OIDC != nil {
		s.Service.OIDC = o.OIDC(s.URL)
	}
	return nil
}

// remember gives the service its memory. A planted fault must not hide behind it.
func (s *Server) remember(o Options, signer *jwt.Keys) {
	rows := cmp.Or(o.Rows, 10_000)
	lists := statuslist.Config{Store: s.DB, Signer: signer, Clock: s.Service.Clock}
	if o.WrapStore != nil {
		rows = 0
		s.Service.Store = o.WrapStore(s.DB)
		if wrapped, too := s.Service.Store.(token.StatusStore); too {
			lists.Store = wrapped
		}
	}
	s.Memory = memory.New(rows, s.DB.Shared(), lists)
	s.Service.Memory = s.Memory
}

func (s *Server) config(o Options) handlers.Config {
	ready := o.Ready
	if ready == nil {
		ready = s.DB.Ping
	}
	return handlers.Config{
		Tokens: s.Service, Contracts: o.Contracts, Ready: ready, Keys: s.keys, PublicURL: s.issuer, UnleashStrict: o.Strict, Timeout: o.Timeout,
		IgnoreUnknown: o.IgnoreUnknown, TrustedProxy: o.TrustedProxy,
		Log: slog.New(slog.NewJSONHandler(s.Log, nil)),
	}
}

func (s *Server) need(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// KeyDir is the directory of the keys that sign JWTs.
func (s *Server) KeyDir() string { return s.keyDir }

// Advance moves the server's clock.
func (s *Server) Advance(d time.Duration) { s.offset.Add(int64(d)) }

// populate makes the first admin and, through the service, a second account and three more users, each with a
// credential. The names of all are in Vars.
func (s *Server) populate() {
	ctx := s.t.Context()
	_, err := s.Service.Initialize(ctx, func(secret string) error { s.Vars["admin"] = secret; return nil })
	s.need(err)
	admin, err := s.Service.Authenticate(ctx, s.Vars["admin"])
	s.need(err)
	s.Vars["account"] = admin.AccountID()
	environments, _, err := s.Service.ListEnvironments(ctx, admin, "", 10)
	s.need(err)
	s.Vars["environment"], s.Vars["environment2"] = environments[0].ID, environments[1].ID
	other, err := s.Service.CreateAccount(ctx, admin, "other")
	s.need(err)
	s.Vars["other_account"] = other.ID
	foreign, err := s.Service.CreateEnvironment(ctx, admin, other.ID, "other production")
	s.need(err)
	s.Vars["other_environment"] = foreign.ID
	s.user(admin, "member", token.RoleMember, admin.AccountID())
	s.user(admin, "stranger", token.RoleMember, other.ID)
	s.user(admin, "introspector", token.RoleIntrospector, admin.AccountID())
	now := s.Service.Now()
	s.Vars["past"] = now.Add(-time.Hour).Format(time.RFC3339)
	s.Vars["future"] = now.Add(24 * time.Hour).Format(time.RFC3339)
	s.Vars["url"] = s.URL
}

func (s *Server) user(admin token.Caller, name string, role token.Role, account string) {
	u, err := s.Service.CreateUser(s.t.Context(), admin, token.UserDraft{Subject: name, Name: name, Role: role, AccountID: account})
	s.need(err)
	s.Vars[name+"_id"] = fmt.Sprint(u.ID)
	home := token.Account{ID: account}
	_, secret, err := s.Service.Create(s.t.Context(), token.Caller{User: &u, Account: &home, Role: role},
		token.Draft{Dialect: token.Muninx, Name: "fixture"})
	s.need(err)
	s.Vars[name] = secret
}

// Answer is what a request got.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// JSON decodes the body into a map; a body that is no JSON object fails the test that reads it.
func (a Answer) JSON() map[string]any {
	var m map[string]any
	if err := json.Unmarshal(a.Body, &m); err != nil {
		panic(fmt.Sprintf("no JSON object: %q", a.Body))
	}
	return m
}

// Check judges an answer by the spec; it is for servers whose answers are not checked already.
func (a Answer) Check(method, path string) error {
	u, err := url.Parse(path)
	if err != nil {
		return err
	}
	return speccheck.Check(method, u, &http.Response{StatusCode: a.Status, Header: a.Header}, a.Body)
}

// Do sends a request. The credential goes out as a Bearer unless it is "". Headers are pairs of name and value.
func (s *Server) Do(method, path, credential, body string, headers ...string) Answer {
	s.t.Helper()
	a, err := s.Try(method, path, credential, body, headers...)
	s.need(err)
	return a
}

// Try is Do for goroutines: it returns the error of the connection.
func (s *Server) Try(method, path, credential, body string, headers ...string) (Answer, error) {
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(s.ctx, method, s.URL+path, reader)
	if err != nil {
		return Answer{}, err
	}
	if credential != "" {
		r.Header.Set("Authorization", "Bearer "+credential)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := s.Client.Do(r)
	if err != nil {
		return Answer{}, err
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	return Answer{answer.StatusCode, answer.Header, data}, err
}

// Databases runs the test on SQLite and on PostgreSQL.
func Databases(t *testing.T, test func(t *testing.T, databaseURL string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, "") })
	t.Run("postgres", func(t *testing.T) { test(t, pgtest.URL(t)) })
}
