package service

import (
	"context"

	gen "github.com/tokenwright/tokenwright/gen/service"
	"github.com/tokenwright/tokenwright/handlers/authn"
	"github.com/tokenwright/tokenwright/handlers/wire"
)

// CreateAccount implements `POST /service/accounts`.
func (h handler) CreateAccount(
	ctx context.Context, r gen.CreateAccountRequestObject,
) (gen.CreateAccountResponseObject, error) {
	a, err := h.tokens.CreateAccount(ctx, authn.Caller(ctx), r.Body.Name)
	if err != nil {
		return nil, err
	}
	wire.NoteObject(ctx, "account:"+a.ID)
	return gen.CreateAccount201JSONResponse{
		Body:    account(a),
		Headers: gen.CreateAccount201ResponseHeaders{Location: h.options.PublicURL + "/service/accounts/" + a.ID},
	}, nil
}

// ListAccounts implements `GET /service/accounts`.
func (h handler) ListAccounts(
	ctx context.Context, r gen.ListAccountsRequestObject,
) (gen.ListAccountsResponseObject, error) {
	limit, cursor := wire.Page(r.Params.Limit, r.Params.Cursor)
	list, next, err := h.tokens.ListAccounts(ctx, authn.Caller(ctx), cursor, limit)
	body := gen.AccountList{Items: all(list, account), NextCursor: wire.NullText(next)}
	return gen.ListAccounts200JSONResponse{Body: body}, err
}

// GetAccount implements `GET /service/accounts/{id}`.
func (h handler) GetAccount(ctx context.Context, r gen.GetAccountRequestObject) (gen.GetAccountResponseObject, error) {
	a, err := h.tokens.GetAccount(ctx, authn.Caller(ctx), key(r.Id))
	return gen.GetAccount200JSONResponse{Body: account(a)}, err
}

// DisableAccount implements `POST /service/accounts/{id}/disable`.
func (h handler) DisableAccount(
	ctx context.Context, r gen.DisableAccountRequestObject,
) (gen.DisableAccountResponseObject, error) {
	a, err := h.tokens.DisableAccount(ctx, authn.Caller(ctx), key(r.Id))
	return gen.DisableAccount200JSONResponse{Body: account(a)}, err
}

// EnableAccount implements `POST /service/accounts/{id}/enable`.
func (h handler) EnableAccount(
	ctx context.Context, r gen.EnableAccountRequestObject,
) (gen.EnableAccountResponseObject, error) {
	a, err := h.tokens.EnableAccount(ctx, authn.Caller(ctx), key(r.Id))
	return gen.EnableAccount200JSONResponse{Body: account(a)}, err
}

// CreateEnvironment implements `POST /service/environments`.
func (h handler) CreateEnvironment(
	ctx context.Context, r gen.CreateEnvironmentRequestObject,
) (gen.CreateEnvironmentResponseObject, error) {
	e, err := h.tokens.CreateEnvironment(ctx, authn.Caller(ctx), r.Body.AccountId, r.Body.Name)
	if err != nil {
		return nil, err
	}
	wire.NoteObject(ctx, "environment:"+e.ID)
	return gen.CreateEnvironment201JSONResponse{
		Body:    environment(e),
		Headers: gen.CreateEnvironment201ResponseHeaders{Location: h.options.PublicURL + "/service/environments/" + e.ID},
	}, nil
}

// ListEnvironments implements `GET /service/environments`.
func (h handler) ListEnvironments(
	ctx context.Context, r gen.ListEnvironmentsRequestObject,
) (gen.ListEnvironmentsResponseObject, error) {
	limit, cursor := wire.Page(r.Params.Limit, r.Params.Cursor)
	list, next, err := h.tokens.ListEnvironments(ctx, authn.Caller(ctx), cursor, limit)
	body := gen.EnvironmentList{Items: all(list, environment), NextCursor: wire.NullText(next)}
	return gen.ListEnvironments200JSONResponse{Body: body}, err
}

// GetEnvironment implements `GET /service/environments/{id}`.
func (h handler) GetEnvironment(
	ctx context.Context, r gen.GetEnvironmentRequestObject,
) (gen.GetEnvironmentResponseObject, error) {
	e, err := h.tokens.GetEnvironment(ctx, authn.Caller(ctx), key(r.Id))
	return gen.GetEnvironment200JSONResponse{Body: environment(e)}, err
}

// DisableEnvironment implements `POST /service/environments/{id}/disable`.
func (h handler) DisableEnvironment(
	ctx context.Context, r gen.DisableEnvironmentRequestObject,
) (gen.DisableEnvironmentResponseObject, error) {
	e, err := h.tokens.DisableEnvironment(ctx, authn.Caller(ctx), key(r.Id))
	return gen.DisableEnvironment200JSONResponse{Body: environment(e)}, err
}

// EnableEnvironment implements `POST /service/environments/{id}/enable`.
func (h handler) EnableEnvironment(
	ctx context.Context, r gen.EnableEnvironmentRequestObject,
) (gen.EnableEnvironmentResponseObject, error) {
	e, err := h.tokens.EnableEnvironment(ctx, authn.Caller(ctx), key(r.Id))
	return gen.EnableEnvironment200JSONResponse{Body: environment(e)}, err
}
