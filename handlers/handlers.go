// Package handlers is the HTTP side. This file is its table of contents: one entry per contract.
package handlers

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"slices"
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
	Contracts     []Contract                  // beside those of this package
	Keys          func() ([]byte, error)      // see [service.Options]
	Ready         func(context.Context) error // nil if the server can work
	PublicURL     string                      // prefix of absolute URLs, without a slash at its end
	UnleashStrict bool                        // see [unleash.Options]
	IgnoreUnknown bool                        // ignore unknown members and parameters instead of rejecting them
	Proxies       Proxies                     // in front of the server
	Limits        Limits
	Timeout       time.Duration // of one request; 0 is DefaultTimeout
	Log           *slog.Logger
	Observe       func(wire.Access) // for metrics; nil: none
}

// Access describes one request, for [Config.Observe].
type Access = wire.Access

// Proxies says whose word on where a request comes from is taken.
type Proxies = wire.Proxies

// DefaultTimeout is the default time limit of a request.
const DefaultTimeout = 10 * time.Second

// Contract is a contract of the server: its paths and the shape of its responses.
type Contract struct {
	Name       string // in logs, and of its spec below /openapi
	Prefix     string // whole segments of the path; "" for all paths of no other contract
	Spec       []byte // in YAML
	Options    wire.Options
	WriteError wire.ErrorWriter
	Register   func(e *echo.Echo, tokens *token.Service, chains map[string][]echo.MiddlewareFunc)
}

// contracts are the added ones, then those of this repository. The last one has all paths of no other contract.
func contracts(cfg Config) []Contract {
	options := wire.Options{IgnoreUnknown: cfg.IgnoreUnknown}
	all := append(slices.Clone(cfg.Contracts),
		Contract{
			Name: "apitoken", Prefix: "/api/v1/api_token", Spec: openapi.APIToken, Options: options,
			WriteError: apitoken.WriteError, Register: apitoken.Register,
		},
		Contract{
			Name: "unleash", Prefix: "/api", Spec: openapi.Unleash,
			Options:    wire.Options{Ignored: unleash.Ignored, IgnoreUnknown: cfg.IgnoreUnknown || !cfg.UnleashStrict},
			WriteError: unleash.WriteError,
			Register:   unleash.Options{PublicURL: cfg.PublicURL, Strict: cfg.UnleashStrict}.Register,
		},
		Contract{
			Name: "muninx", Prefix: "/tokens", Spec: openapi.Muninx, Options: options,
			WriteError: muninx.WriteError, Register: muninx.Register,
		},
	)
	specs := map[string][]byte{"service": openapi.Service}
	for _, c := range all {
		specs[c.Name] = c.Spec
	}
	return append(all, Contract{
		Name: "service", Spec: openapi.Service, WriteError: service.WriteError,
		Options: wire.Options{IgnoreUnknown: cfg.IgnoreUnknown, Values: map[string][]string{
			"dialect": cfg.Tokens.Dialects.OrPublished().Names(func(*token.Dialect) bool { return true }),
		}},
		Register: service.Options{PublicURL: cfg.PublicURL, Ready: cfg.Ready, Keys: cfg.Keys, Specs: specs}.Register,
	})
}

// route is a method and the pattern of a path.
type route struct{ method, pattern string }

// resource is what the operations of a path have in common.
type resource struct {
	open   bool         // all of them are
	takes  wire.Schemes // of any of them
	object string       // what the id in the path names, "" for a token
}

// router is the table of contracts with the operations of their specs.
type router struct {
	contracts  []Contract
	schemes    map[string]authn.Scheme // by contract, where no operation says another
	operations map[route]*wire.Operation
	resources  map[string]resource // by pattern of the path

	gate     wire.Gate
	dialects token.Dialects
	proxies  Proxies
	limits   *limits
}

// add puts an operation into the table.
func (rt *router) add(op wire.Operation) {
	rt.operations[route{op.Method, op.Path}] = &op
	path, known := rt.resources[op.Path]
	rt.resources[op.Path] = resource{op.Open && (path.open || !known), append(path.takes, op.Takes...), op.Object}
	if op.Judges {
		rt.gate = wire.Gate{Path: op.Path, Questions: op.Queries()}
	}
}

// Listener and ConnContext are for the server of the handler: with them it knows when bytes of a connection arrive, and
// authenticates once what came at once.
var (
	Listener    = wire.CountArrivals
	ConnContext = wire.ConnContext
)

// Network is the part of an address that distinguishes clients.
var Network = wire.Network

// New returns the handler of all contracts. It fails if a spec cannot be read.
func New(cfg Config) (http.Handler, error) {
	e := echo.New()
	rt := &router{
		contracts: contracts(cfg), schemes: map[string]authn.Scheme{}, operations: map[route]*wire.Operation{},
		resources: map[string]resource{}, dialects: cfg.Tokens.Dialects.OrPublished(), proxies: cfg.Proxies,
		limits: newLimits(cfg.Limits),
	}
	for _, c := range rt.contracts {
		spec, err := wire.Load(c.Spec, c.Options)
		if err != nil {
			return nil, err
		}
		for _, op := range spec.Operations {
			rt.add(op)
		}
		rt.schemes[c.Name] = schemeOf(spec.Takes)
		c.Register(e, cfg.Tokens, spec.Middlewares(authn.Again(cfg.Tokens, wire.Put, wire.Arrivals)))
	}
	e.HTTPErrorHandler = func(err error, c echo.Context) { rt.fail(c, err) }
	e.Use(wire.Chain(
		wire.WithAccess(rt.describe, rt.fail, cfg.report),
		wire.Recover,
		rt.limitFailures,
		authn.Middleware(cfg.Tokens, rt.access, rt.admit, wire.Put, wire.Arrivals),
		wire.StrictPath,
	))
	return wire.Begin(wire.Entrance{
		Limit: cmp.Or(cfg.Timeout, DefaultTimeout), Gate: rt.gate, Veil: wire.NewVeil(rt.dialects),
		Client: cfg.Proxies.Client,
	}, e), nil
}

func (cfg Config) report(ctx context.Context, a wire.Access) {
	a.Log(ctx, cfg.Log, cfg.Tokens.Now().Local())
	if cfg.Observe != nil {
		cfg.Observe(a)
	}
}

// of chooses the contract by whole segments of the decoded path. That determines the credential scheme and the shape of
// errors, never access.
func (rt *router) of(c echo.Context) *Contract {
	path := c.Request().URL.Path
	for i := range rt.contracts {
		if rest, ok := strings.CutPrefix(path, rt.contracts[i].Prefix); ok && (rest == "" || rest[0] == '/') {
			return &rt.contracts[i]
		}
	}
	return &rt.contracts[len(rt.contracts)-1]
}

// operation is the one whose route matched, nil if none did.
func (rt *router) operation(c echo.Context) *wire.Operation {
	if !wire.Matched(c) {
		return nil
	}
	return rt.operations[route{c.Request().Method, c.Path()}]
}

type operationKey struct{}

// operationOf is the one that [router.access] has found, nil if there is none.
func operationOf(c echo.Context) *wire.Operation {
	op, _ := c.Request().Context().Value(operationKey{}).(*wire.Operation)
	return op
}

// access tells how the matched operation takes a credential, and whether it is open to those who have none or judges it
// by itself. What matched none is not open, unless a path matched whose operations all are: it has other methods.
func (rt *router) access(c echo.Context) (scheme authn.Scheme, open bool) {
	op := rt.operation(c)
	wire.Put(c.Request().Context(), operationKey{}, op)
	if op == nil {
		open = wire.Matched(c) && rt.resources[c.Path()].open
	} else {
		open = op.Open || op.Judges
	}
	if op != nil && op.Asks {
		wire.AsksAbout(c.Request())
	}
	return rt.scheme(c, op), open
}

// scheme is how the operation takes a credential, nil being what matched none.
func (rt *router) scheme(c echo.Context, op *wire.Operation) authn.Scheme {
	switch {
	case op == nil:
		return rt.schemes[rt.of(c).Name]
	case op.Judges:
		return authn.BearerOrBare // whatever the contract of the token
	}
	return schemeOf(op.Takes)
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

func (rt *router) fail(c echo.Context, err error) {
	wire.Fail(c, err, rt.resources[c.Path()].takes, rt.of(c).WriteError)
}

func (rt *router) describe(c echo.Context) wire.Access {
	a := wire.Access{
		Dialect: rt.of(c).Name, Caller: authn.Describe(c.Request().Context()), Object: rt.object(c),
		Client: rt.proxies.Client(c.Request()),
	}
	if op := operationOf(c); op != nil {
		a.Operation = op.ID
	}
	return a
}

// object names the object in the path for the log, if the id is plausible: a path can contain anything, even a
// misplaced secret.
func (rt *router) object(c echo.Context) string {
	id, kind := c.Param("id"), rt.resources[c.Path()].object
	switch {
	case id == "":
		return ""
	case kind == "":
		if ref, ok := rt.dialects.Ref(cmp.Or(c.Param("dialect"), rt.of(c).Name), id); ok {
			return ref.Object()
		}
	case token.Keys.Valid(id), token.Numbers.Valid(id):
		return kind + ":" + id
	}
	return ""
}
