// Package muninx implements the muninx contract: API tokens of a user, errors as problem details.
package muninx

import (
	"context"

	"github.com/labstack/echo/v4"

	gen "github.com/tokenwright/tokenwright/gen/muninx"
	"github.com/tokenwright/tokenwright/handlers/authn"
	"github.com/tokenwright/tokenwright/handlers/wire"
	"github.com/tokenwright/tokenwright/internal/token"
)

// Register adds the operations to the router, each behind its middlewares.
func Register(e *echo.Echo, tokens *token.Service, chains map[string][]echo.MiddlewareFunc) {
	server := gen.NewStrictHandler(handler{tokens}, nil)
	options := gen.RegisterHandlersOptions{OperationMiddlewares: chains}
	gen.RegisterHandlersWithOptions(wire.Router{Echo: e}, server, options)
}

type handler struct{ tokens *token.Service }

var _ gen.StrictServerInterface = handler{}

// CreateToken implements `POST /tokens`.
func (h handler) CreateToken(
	ctx context.Context, r gen.CreateTokenRequestObject,
) (gen.CreateTokenResponseObject, error) {
	retry, err := wire.RetryOf(r.Params.IdempotencyKey, "muninx createToken", r.Body)
	if err != nil {
		return nil, err
	}
	draft := token.Draft{Dialect: token.Muninx, Name: r.Body.Name, Retry: retry}
	t, secret, err := h.tokens.Create(ctx, authn.Caller(ctx), draft)
	if err != nil {
		return nil, err
	}
	wire.NoteObject(ctx, t.Ref().Object())
	return created{t, secret, retry}, nil
}

// ListTokens implements `GET /tokens`.
func (h handler) ListTokens(ctx context.Context, r gen.ListTokensRequestObject) (gen.ListTokensResponseObject, error) {
	limit, cursor := wire.Page(r.Params.Limit, r.Params.Cursor)
	query := token.Query{Dialect: token.Muninx, Limit: limit}
	found, err := h.tokens.List(ctx, authn.Caller(ctx), query, cursor, token.Own)
	return page{found, h.tokens.Now()}, err
}

// GetToken implements `GET /tokens/{id}`.
func (h handler) GetToken(ctx context.Context, r gen.GetTokenRequestObject) (gen.GetTokenResponseObject, error) {
	t, err := h.tokens.Get(ctx, authn.Caller(ctx), ref(r.Id), token.Own)
	return gen.GetToken200JSONResponse{Body: h.item(t)}, err
}

// DeleteToken implements `DELETE /tokens/{id}`.
func (h handler) DeleteToken(
	ctx context.Context, r gen.DeleteTokenRequestObject,
) (gen.DeleteTokenResponseObject, error) {
	if _, err := h.tokens.Apply(ctx, authn.Caller(ctx), ref(r.Id), token.Delete, token.Own); err != nil {
		return nil, err
	}
	return gen.DeleteToken204Response{}, nil
}
