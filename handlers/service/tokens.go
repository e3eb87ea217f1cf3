package service

import (
	"context"

	gen "github.com/tokenwright/tokenwright/gen/service"
	"github.com/tokenwright/tokenwright/handlers/authn"
	"github.com/tokenwright/tokenwright/handlers/wire"
	"github.com/tokenwright/tokenwright/internal/token"
)

// ListServiceTokens implements `GET /service/tokens`.
func (h handler) ListServiceTokens(
	ctx context.Context, r gen.ListServiceTokensRequestObject,
) (gen.ListServiceTokensResponseObject, error) {
	q, cursor := h.query(r.Params)
	page, err := h.tokens.List(ctx, authn.Caller(ctx), q, cursor, token.Owned)
	if err != nil {
		return nil, err
	}
	items, err := h.items(ctx, page.Tokens...)
	body := gen.ServiceTokenList{Items: items, NextCursor: wire.NullText(page.Next)}
	return gen.ListServiceTokens200JSONResponse{Body: body}, err
}

// GetServiceToken implements `GET /service/tokens/{dialect}/{id}`.
func (h handler) GetServiceToken(
	ctx context.Context, r gen.GetServiceTokenRequestObject,
) (gen.GetServiceTokenResponseObject, error) {
	t, err := h.tokens.Get(ctx, authn.Caller(ctx), h.tokens.Ref(r.Dialect, r.Id), token.Owned)
	body, err := h.one(ctx, t, err)
	return gen.GetServiceToken200JSONResponse{Body: body}, err
}

// CreateServiceToken implements `POST /service/tokens`.
func (h handler) CreateServiceToken(
	ctx context.Context, r gen.CreateServiceTokenRequestObject,
) (gen.CreateServiceTokenResponseObject, error) {
	draft, err := h.draft(*r.Body)
	if err != nil {
		return nil, err
	}
	if draft.Retry, err = wire.RetryOf(r.Params.IdempotencyKey, "service createServiceToken", r.Body); err != nil {
		return nil, err
	}
	t, secret, err := h.tokens.Create(ctx, authn.Caller(ctx), draft)
	if err != nil {
		return nil, err
	}
	wire.NoteObject(ctx, t.Ref().Object())
	return gen.CreateServiceToken201JSONResponse{
		Body: h.issued(ctx, t, secret),
		Headers: gen.CreateServiceToken201ResponseHeaders{
			IdempotencyReplayed: wire.Replayed(draft.Retry),
			CacheControl:        "no-store", Location: h.options.PublicURL + "/service/tokens/" + t.Dialect.Name + "/" + t.ID,
		},
	}, nil
}

// UpdateServiceToken implements `PATCH /service/tokens/{dialect}/{id}`.
func (h handler) UpdateServiceToken(
	ctx context.Context, r gen.UpdateServiceTokenRequestObject,
) (gen.UpdateServiceTokenResponseObject, error) {
	terms := token.Terms{Name: r.Body.Name, ExpiresAt: r.Body.ExpiresAt, SelfRotation: r.Body.SelfRotation}
	t, err := h.tokens.Edit(ctx, authn.Caller(ctx), h.tokens.Ref(r.Dialect, r.Id), terms)
	body, err := h.one(ctx, t, err)
	return gen.UpdateServiceToken200JSONResponse{Body: body}, err
}

// RotateServiceToken implements `POST /service/tokens/{dialect}/{id}/rotate`.
func (h handler) RotateServiceToken(
	ctx context.Context, r gen.RotateServiceTokenRequestObject,
) (gen.RotateServiceTokenResponseObject, error) {
	overlap, err := overlap(r.Body.Overlap)
	if err != nil {
		return nil, err
	}
	ref := h.tokens.Ref(r.Dialect, r.Id)
	retry, err := wire.RetryOf(r.Params.IdempotencyKey, "service rotateServiceToken "+r.Dialect+"/"+r.Id, r.Body)
	if err != nil {
		return nil, err
	}
	t, secret, err := h.tokens.Rotate(ctx, authn.Caller(ctx), ref, overlap, retry)
	if err != nil {
		return nil, err
	}
	return gen.RotateServiceToken200JSONResponse{
		Body: h.issued(ctx, t, secret),
		Headers: gen.RotateServiceToken200ResponseHeaders{
			CacheControl: "no-store", IdempotencyReplayed: wire.Replayed(retry),
		},
	}, nil
}

// FinishServiceTokenRotation implements `POST /service/tokens/{dialect}/{id}/rotation/finish`.
func (h handler) FinishServiceTokenRotation(
	ctx context.Context, r gen.FinishServiceTokenRotationRequestObject,
) (gen.FinishServiceTokenRotationResponseObject, error) {
	t, err := h.tokens.FinishRotation(ctx, authn.Caller(ctx), h.tokens.Ref(r.Dialect, r.Id))
	body, err := h.one(ctx, t, err)
	return gen.FinishServiceTokenRotation200JSONResponse{Body: body}, err
}

// CancelServiceTokenRotation implements `POST /service/tokens/{dialect}/{id}/rotation/cancel`.
func (h handler) CancelServiceTokenRotation(
	ctx context.Context, r gen.CancelServiceTokenRotationRequestObject,
) (gen.CancelServiceTokenRotationResponseObject, error) {
	t, err := h.tokens.CancelRotation(ctx, authn.Caller(ctx), h.tokens.Ref(r.Dialect, r.Id))
	body, err := h.one(ctx, t, err)
	return gen.CancelServiceTokenRotation200JSONResponse{Body: body}, err
}

// DeleteServiceToken implements `DELETE /service/tokens/{dialect}/{id}`.
func (h handler) DeleteServiceToken(
	ctx context.Context, r gen.DeleteServiceTokenRequestObject,
) (gen.DeleteServiceTokenResponseObject, error) {
	_, err := h.tokens.Apply(ctx, authn.Caller(ctx), h.tokens.Ref(r.Dialect, r.Id), token.Delete, token.Everything)
	return gen.DeleteServiceToken204Response{}, err
}

// ActivateServiceToken implements `POST /service/tokens/{dialect}/{id}/activate`.
func (h handler) ActivateServiceToken(
	ctx context.Context, r gen.ActivateServiceTokenRequestObject,
) (gen.ActivateServiceTokenResponseObject, error) {
	body, err := h.apply(ctx, r.Dialect, r.Id, token.Activate)
	return gen.ActivateServiceToken200JSONResponse{Body: body}, err
}

// SuspendServiceToken implements `POST /service/tokens/{dialect}/{id}/suspend`.
func (h handler) SuspendServiceToken(
	ctx context.Context, r gen.SuspendServiceTokenRequestObject,
) (gen.SuspendServiceTokenResponseObject, error) {
	body, err := h.apply(ctx, r.Dialect, r.Id, token.Suspend)
	return gen.SuspendServiceToken200JSONResponse{Body: body}, err
}

// RevokeServiceToken implements `POST /service/tokens/{dialect}/{id}/revoke`.
func (h handler) RevokeServiceToken(
	ctx context.Context, r gen.RevokeServiceTokenRequestObject,
) (gen.RevokeServiceTokenResponseObject, error) {
	body, err := h.apply(ctx, r.Dialect, r.Id, token.Revoke)
	return gen.RevokeServiceToken200JSONResponse{Body: body}, err
}

func (h handler) apply(ctx context.Context, dialect, id string, a token.Action) (gen.ServiceToken, error) {
	t, err := h.tokens.Apply(ctx, authn.Caller(ctx), h.tokens.Ref(dialect, id), a, token.Everything)
	return h.one(ctx, t, err)
}
