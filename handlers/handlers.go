// Package handlers is the HTTP side. This file is its table of contents: one entry a dialect.
package handlers

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tokenwright/tokenwright/handlers/apitoken"
	"github.com/tokenwright/tokenwright/handlers/authn"
	"github.com/tokenwright/tokenwright/handlers/muninx"
	"github.com/tokenwright/tokenwright/handlers/service"
	"github.com/tokenwright/tokenwright/handlers/unleash"
	"github.com/tokenwright/tokenwright/handlers/wire"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/openapi"
)

// Config is what the handlers need.
type Config struct {
	Tokens        *token.Service
	Keys          func() ([]byte, error)      // see [service.Options]
	Ready         func(context.Context) error // nil if the server can work
	PublicURL     string                      // prefix of absolute URLs, without a slash at its end
	UnleashStrict bool                        // see [unleash.Options]
	IgnoreUnknown bool                        // members and parameters that no contract knows are dropped, not refused
	TrustedProxy  bool                        // a proxy in front says from where requests come (X-Forwarded-For)
	Timeout       time.Duration               // of one request; 0 is DefaultTimeout
	Log           *slog.Logger
	Observe       func(wire.Access) // for metrics; nil: none
}

// Access is what one request left, for [Config.Observe].
type Access = wire.Access

// DefaultTimeout bounds the time that one request may take.
const DefaultTimeout = 10 * time.Second

// dialect is one contract: which paths are its own, how a caller shows its credential, what its errors look like.
type dialect struct {
	name       string
	prefix     string // whole segments of the path; "" takes what no other dialect has
	spec       []byte
	options    wire.Options
	scheme     authn.Scheme // where no operation says another
	writeError wire.ErrorWriter
	register   func(e *echo.Echo, chains map[string][]echo.MiddlewareFunc)
}

func dialects(cfg Config) []dialect {
	return []dialect{
		{
			name: "apitoken", prefix: "/api/v1/api_token", spec: openapi.APIToken,
			options: wire.Options{IgnoreUnknown: cfg.IgnoreUnknown}, writeError: apitoken.WriteError,
			register: func(e *echo.Echo, chains map[string][]echo.MiddlewareFunc) {
				apitoken.Register(e, cfg.Tokens, chains)
			},
		},
		{
			name: "unleash", prefix: "/api", spec: openapi.Unleash,
			options:    wire.Options{Ignored: unleash.Ignored, IgnoreUnknown: cfg.IgnoreUnknown || !cfg.UnleashStrict},
			writeError: unleash.WriteError,
			register: func(e *echo.Echo, chains map[string][]echo.MiddlewareFunc) {
				unleash.Register(e, cfg.Tokens, chains, unleash.Options{PublicURL: cfg.PublicURL, Strict: cfg.UnleashStrict})
			},
		},
		{
			name: "muninx", prefix: "/tokens", spec: openapi.Muninx,
			options: wire.Options{IgnoreUnknown: cfg.IgnoreUnknown}, writeError: muninx.WriteError,
			register: func(e *echo.Echo, chains map[string][]echo.MiddlewareFunc) {
				muninx.Register(e, cfg.Tokens, chains)
			},
		},
		{
			name: "service", spec: openapi.Service,
			options: wire.Options{IgnoreUnknown: cfg.IgnoreUnknown}, writeError: service.WriteError,
			register: func(e *echo.Echo, chains map[string][]echo.MiddlewareFunc) {
				service.Register(e, cfg.Tokens, chains, service.Options{
					PublicURL: cfg.PublicURL, Ready: cfg.Ready, Keys: cfg.Keys, Specs: specs(),
				})
			},
		},
	}
}

// specs are the documents that the server publishes, by name.
func specs() map[string][]byte {
	return map[string][]byte{
		"muninx": openapi.Muninx, "apitoken": openapi.APIToken, "unleash": openapi.Unleash, "service": openapi.Service,
	}
}

// route is a method and the pattern of a path.
type route struct{ method, pattern string }

// router is the table of dialects with what was read of their specs.
type router struct {
	dialects   []dialect
	operations map[route]wire.Operation
	open       map[string]bool // by pattern: whether all operations of the path are open

	gate wire.Gate

	trustedProxy bool // see [Config.TrustedProxy]
}

// add takes an operation into the table.
func (rt *router) add(op wire.Operation) {
	rt.operations[route{op.Method, op.Path}] = op
	others, known := rt.open[op.Path]
	rt.open[op.Path] = op.Open && (others || !known)
	if op.Judges {
		rt.gate = wire.Gate{Path: op.Path, Questions: op.Queries()}
	}
}

// New returns the handler of all dialects. It fails if a spec cannot be read.
func New(cfg Config) (http.Handler, error) {
	e := echo.New()
	rt := &router{
		dialects: dialects(cfg), operations: map[route]wire.Operation{}, open: map[string]bool{},
		trustedProxy: cfg.TrustedProxy,
	}
	for i, d := range rt.dialects {
		spec, err := wire.Load(d.spec, d.options)
		if err != nil {
			return nil, err
		}
		for _, op := range spec.Operations {
			rt.add(op)
		}
		rt.dialects[i].scheme = schemeOf(spec.Takes)
		d.register(e, spec.Middlewares(authn.Again(cfg.Tokens, wire.Put)))
	}
	timeout := cfg.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	e.HTTPErrorHandler = func(err error, c echo.Context) { rt.fail(c, err) }
	e.Use(
		wire.WithAccess(rt.describe, rt.fail, cfg.report),
		wire.Recover,
		authn.Middleware(cfg.Tokens, rt.door, wire.Put),
		wire.StrictPath,
	)
	from := func(r *http.Request) string { return client(r, cfg.TrustedProxy) }
	return wire.Begin(from, timeout, rt.gate, e), nil
}

func (cfg Config) report(ctx context.Context, a wire.Access) {
	a.Log(ctx, cfg.Log, cfg.Tokens.Now().Local())
	if cfg.Observe != nil {
		cfg.Observe(a)
	}
}

// of chooses the dialect by whole segments of the decoded path. That decides the form of the credential and the shape
// of errors, never access.
func (rt *router) of(c echo.Context) *dialect {
	path := c.Request().URL.Path
	for i := range rt.dialects {
		if rest, ok := strings.CutPrefix(path, rt.dialects[i].prefix); ok && (rest == "" || rest[0] == '/') {
			return &rt.dialects[i]
		}
	}
	return &rt.dialects[len(rt.dialects)-1]
}

// operation is the one whose route matched, the zero Operation if none did.
func (rt *router) operation(c echo.Context) wire.Operation {
	if !wire.Matched(c) {
		return wire.Operation{}
	}
	return rt.operations[route{c.Request().Method, c.Path()}]
}

// door tells how the matched operation takes a credential, and whether it is open to those who have none or judges it
// by itself. What matched none is not open, unless a path matched whose operations all are: it has other methods.
func (rt *router) door(c echo.Context) (scheme authn.Scheme, open bool) {
	op := rt.operation(c)
	if op.ID == "" {
		return rt.of(c).scheme, wire.Matched(c) && rt.open[c.Path()]
	}
	if op.Judges {
		return authn.BearerOrBare, true // whatever the contract of the token
	}
	return schemeOf(op.Takes), op.Open
}

func schemeOf(takes wire.Schemes) authn.Scheme {
	switch {
	case takes.Has("apiKey"):
		return authn.BearerOrBare
	case takes.Has("basic"):
		return authn.BearerOrBasic
	}
	return authn.Bearer
}

func (rt *router) fail(c echo.Context, err error) { wire.Fail(c, err, rt.of(c).writeError) }

func (rt *router) describe(c echo.Context) wire.Access {
	return wire.Access{
		Dialect: rt.of(c).name, Operation: rt.operation(c).ID, Caller: authn.Describe(c.Request().Context()),
		Object: object(c, rt.of(c).name), Client: client(c.Request(), rt.trustedProxy),
	}
}

// object names what the path names, if it may be that: a path can hold anything, a secret in the wrong place included.
func object(c echo.Context, dialect string) string {
	id := c.Param("id")
	switch {
	case id == "":
		return ""
	case strings.HasPrefix(c.Path(), "/service/users/"):
		if n, err := strconv.ParseInt(id, 10, 64); err == nil {
			return "user:" + strconv.FormatInt(n, 10)
		}
		return ""
	case strings.HasPrefix(c.Path(), "/service/accounts/"):
		return named("account:", id)
	case strings.HasPrefix(c.Path(), "/service/environments/"):
		return named("environment:", id)
	case strings.HasPrefix(c.Path(), "/service/tokens/"):
		dialect = c.Param("dialect")
	}
	if ref := (token.Ref{Dialect: token.Dialect(dialect), ID: id}); ref.Dialect.Valid() && token.ValidID(ref.Dialect, id) {
		return ref.Object()
	}
	return ""
}

func named(kind, id string) string {
	if token.ValidKey(id) {
		return kind + id
	}
	return ""
}

// client is the address from which the request came: what the proxy says, where one is trusted, or else the other end
// of the connection.
func client(r *http.Request, trustedProxy bool) string {
	if forwarded := r.Header.Values(echo.HeaderXForwardedFor); trustedProxy && len(forwarded) > 0 {
		hops := strings.Split(forwarded[len(forwarded)-1], ",")
		if address, err := netip.ParseAddr(strings.TrimSpace(hops[len(hops)-1])); err == nil {
			return address.WithZone("").String() // a zone may be anything
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	return host
}
