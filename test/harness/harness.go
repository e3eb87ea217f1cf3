// Package harness runs the server that ships, in the process of the test and on a real store, with a few users and accounts
// in it. Every answer is checked against the published contracts.
package harness

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
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
	"github.com/tokenwright/tokenwright/internal/server"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/store"
	"github.com/tokenwright/tokenwright/test/child"
	"github.com/tokenwright/tokenwright/test/pgtest"
	"github.com/tokenwright/tokenwright/test/speccheck"
)

// Options change the server. The zero value is a server on SQLite with the default settings.
type Options struct {
	DatabaseURL string               // "" is a new SQLite file
	Configure   func(*server.Config) // changes what else the server is told; nil: nothing
	Replica     *Server              // shares this server's keys and fixtures, and its database if none is named
	Unchecked   bool                 // answers are not checked against the specs: for load, and see [Answer.Check]
}

// Timeout is for [Options.Configure] where only the time of a request matters.
func Timeout(d time.Duration) func(*server.Config) {
	return func(c *server.Config) { c.RequestTimeout = d }
}

// Server is a running server with its fixtures.
type Server struct {
	URL     string
	Service *token.Service
	DB      *store.DB
	Memory  *memory.Memory
	Dir     string // of the database file
	KeyDir  string // of the keys that sign JWTs
	Log     *child.Buffer
	Client  *http.Client
	Vars    map[string]string // names for wire tests: credentials, ids, dates
	Stop    func()            // stops the server in order before the test ends

	t         testing.TB
	database  string // its URL
	publicURL string
	ctx       context.Context //nolint:containedctx // of the test: a fuzz target may not ask its F for it
	offset    atomic.Int64
}

// Start runs a server until the test ends.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	dir := t.TempDir()
	s := &Server{
		t: t, ctx: t.Context(), Log: &child.Buffer{}, Dir: dir, KeyDir: filepath.Join(dir, "keys"), Vars: map[string]string{},
	}
	s.database = cmp.Or(o.DatabaseURL, "sqlite:"+filepath.Join(dir, "tokenwright.db"))
	if first := o.Replica; first != nil {
		s.database = cmp.Or(o.DatabaseURL, first.database)
		s.KeyDir, s.publicURL, s.Vars = first.KeyDir, first.publicURL, first.Vars
	} else {
		s.need(jwt.Create(s.KeyDir))
	}
	config := s.config(o)
	s.run(config)
	s.Client = s.newClient(o, config.Contracts)
	if o.Replica == nil {
		s.populate()
	}
	return s
}

// config has the defaults of the command line.
func (s *Server) config(o Options) server.Config {
	c := server.Config{
		Listen: "127.0.0.1:0", PublicURL: s.publicURL, DatabaseURL: s.database, Database: store.Options{AllowUnsafe: true},
		KeyDirectory: s.KeyDir, CacheSize: 16 << 20, RequestTimeout: handlers.DefaultTimeout, ShutdownTimeout: 20 * time.Second,
		Log:   slog.New(slog.NewJSONHandler(s.Log, nil)),
		Clock: func() time.Time { return time.Now().Add(time.Duration(s.offset.Load())) },
	}
	if o.Configure != nil {
		o.Configure(&c)
	}
	return c
}

// run starts the server, and stops it in order when the test ends.
func (s *Server) run(c server.Config) {
	s.t.Helper()
	opened, err := server.Open(s.ctx, c)
	s.need(err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.ctx))
	ended := make(chan error, 1)
	go func() { ended <- opened.Serve(ctx, func() {}) }()
	s.Stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			s.t.Errorf("the server ended with: %v", err)
		}
		opened.Close()
	})
	s.t.Cleanup(s.Stop)
	s.URL, s.publicURL = "http://"+opened.Addr().String(), opened.PublicURL
	s.Service, s.DB, s.Memory = opened.Tokens, opened.DB, opened.Memory
}

func (s *Server) newClient(o Options, contracts []handlers.Contract) *http.Client {
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	s.t.Cleanup(transport.CloseIdleConnections)
	if o.Unchecked {
		return &http.Client{Transport: transport}
	}
	var more []speccheck.Contract
	for _, c := range contracts {
		more = append(more, speccheck.Contract{Name: c.Name, Prefix: c.Prefix, Spec: c.Spec})
	}
	return &http.Client{Transport: speccheck.Transport{Base: transport, Report: s.t, Contracts: speccheck.With(more...)}}
}

func (s *Server) need(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

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
