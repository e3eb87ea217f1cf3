// Package apitoken implements the apitoken contract: JWTs that belong to an account or to an environment.
package apitoken

import (
	"context"

	"github.com/labstack/echo/v4"

	gen "github.com/tokenwright/tokenwright/gen/apitoken"
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

// CreateApiToken implements `POST /api/v1/api_token`.
func (h handler) CreateApiToken(
	ctx context.Context, r gen.CreateApiTokenRequestObject,
) (gen.CreateApiTokenResponseObject, error) {
	retry, err := wire.RetryOf(r.Params.IdempotencyKey, "apitoken createApiToken", r.Body)
	if err != nil {
		return nil, err
	}
	d := draft(*r.Body)
	d.Retry = retry
	t, secret, err := h.tokens.Create(ctx, authn.Caller(ctx), d)
	if err != nil {
		return nil, err
	}
	wire.NoteObject(ctx, t.Ref().Object())
	return created{t, secret, h.tokens.Now(), retry}, nil
}

// ListApiTokens implements `GET /api/v1/api_token`.
func (h handler) ListApiTokens(
	ctx context.Context, r gen.ListApiTokensRequestObject,
) (gen.ListApiTokensResponseObject, error) {
	query, cursor := query(r.Params)
	found, err := h.tokens.List(ctx, authn.Caller(ctx), query, cursor, token.Own)
	return page{found, h.tokens.Now()}, err
}

// GetApiToken implements `GET /api/v1/api_token/{id}`.
func (h handler) GetApiToken(
	ctx context.Context, r gen.GetApiTokenRequestObject,
) (gen.GetApiTokenResponseObject, error) {
	t, err := h.tokens.Get(ctx, authn.Caller(ctx), ref(r.Id), token.Own)
	return gen.GetApiToken200JSONResponse{Body: h.success(t)}, err
}

// ActivateApiToken implements `POST /api/v1/api_token/{id}/activate`.
func (h handler) ActivateApiToken(
	ctx context.Context, r gen.ActivateApiTokenRequestObject,
) (gen.ActivateApiTokenResponseObject, error) {
	t, err := h.tokens.Apply(ctx, authn.Caller(ctx), ref(r.Id), token.Activate, token.Own)
	return gen.ActivateApiToken200JSONResponse{Body: h.success(t)}, err
}

// SuspendApiToken implements `POST /api/v1/api_token/{id}/suspend`.
func (h handler) SuspendApiToken(
	ctx context.Context, r gen.SuspendApiTokenRequestObject,
) (gen.SuspendApiTokenResponseObject, error) {
	t, err := h.tokens.Apply(ctx, authn.Caller(ctx), ref(r.Id), token.Suspend, token.Own)
	return gen.SuspendApiToken200JSONResponse{Body: h.success(t)}, err
}

// RevokeApiToken implements `POST /api/v1/api_token/{id}/revoke`.
func (h handler) RevokeApiToken(
	ctx context.Context, r gen.RevokeApiTokenRequestObject,
) (gen.RevokeApiTokenResponseObject, error) {
	t, err := h.tokens.Apply(ctx, authn.Caller(ctx), ref(r.Id), token.Revoke, token.Own)
	return gen.RevokeApiToken200JSONResponse{Body: h.success(t)}, err
}

// DeleteApiToken implements `DELETE /api/v1/api_token/{id}`.
func (h handler) DeleteApiToken(
	ctx context.Context, r gen.DeleteApiTokenRequestObject,
) (gen.DeleteApiTokenResponseObject, error) {
	if _, err := h.tokens.Apply(ctx, authn.Caller(ctx), ref(r.Id), token.Delete, token.Own); err != nil {
		return nil, err
	}
	return gen.DeleteApiToken204Response{}, nil
}
