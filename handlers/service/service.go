// Package service implements the service contract, for everything outside the dialects: health, specs, the caller's
// identity, the registry, and the administration of all tokens. Errors are problem details.
package service

import (
	"context"

	"github.com/labstack/echo/v4"

	gen "github.com/tokenwright/tokenwright/gen/service"
	"github.com/tokenwright/tokenwright/handlers/authn"
	"github.com/tokenwright/tokenwright/handlers/wire"
	"github.com/tokenwright/tokenwright/internal/token"
)

// Options are the settings of the dialect.
type Options struct {
	PublicURL string                      // prefix of Location, without a slash at its end
	Ready     func(context.Context) error // nil if the server can work
	Keys      func() ([]byte, error)      // the public keys as a JWK Set (RFC 7517)
	Specs     map[string][]byte           // the contracts that are published, in YAML, by dialect
}

// Register adds the operations to the router, each behind its middlewares.
func (o Options) Register(e *echo.Echo, tokens *token.Service, chains map[string][]echo.MiddlewareFunc) {
	chains["getStatusList"] = append(chains["getStatusList"], presentOnly)
	h := handler{tokens, o, documents(o.Specs), newPublished()}
	server := gen.NewStrictHandler(h, nil)
	options := gen.RegisterHandlersOptions{OperationMiddlewares: chains}
	gen.RegisterHandlersWithOptions(router{wire.Router{Echo: e}, h}, server, options)
}

// router registers the two operations that other services call for every request of theirs without the generated code,
// which binds by reflection.
type router struct {
	wire.Router
	handler handler
}

// GET implements the router of the generated code.
func (r router) GET(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route {
	if path == "/verify" {
		h = r.handler.verify
	}
	return r.Router.GET(path, h, m...)
}

// POST implements the router of the generated code.
func (r router) POST(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route {
	if path == "/introspect" {
		h = r.handler.introspect
	}
	return r.Router.POST(path, h, m...)
}

type handler struct {
	tokens    *token.Service
	options   Options
	documents map[string]func() document
	published *published
}

var _ gen.StrictServerInterface = handler{}

// GetHealth implements `GET /healthz`.
func (h handler) GetHealth(_ context.Context, _ gen.GetHealthRequestObject) (gen.GetHealthResponseObject, error) {
	return gen.GetHealth200JSONResponse{Body: gen.Health{Status: gen.Ok}}, nil
}

// GetReadiness implements `GET /readyz`. Any reason why the server cannot work becomes [token.Unavailable].
func (h handler) GetReadiness(
	ctx context.Context, _ gen.GetReadinessRequestObject,
) (gen.GetReadinessResponseObject, error) {
	if err := h.options.Ready(ctx); err != nil {
		return nil, token.Wrap(token.Unavailable, err)
	}
	return gen.GetReadiness200JSONResponse{Body: gen.Health{Status: gen.Ok}}, nil
}

// GetMe implements `GET /service/me`.
func (h handler) GetMe(ctx context.Context, _ gen.GetMeRequestObject) (gen.GetMeResponseObject, error) {
	return gen.GetMe200JSONResponse{Body: me(authn.Caller(ctx))}, nil
}
