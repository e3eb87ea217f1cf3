package service

import (
	"context"
	"strconv"

	gen "github.com/tokenwright/tokenwright/gen/service"
	"github.com/tokenwright/tokenwright/handlers/authn"
	"github.com/tokenwright/tokenwright/handlers/wire"
	"github.com/tokenwright/tokenwright/internal/token"
)

// createdTokens is how many tokens created by a disabled user the response lists.
const createdTokens = 100

// CreateUser implements `POST /service/users`.
func (h handler) CreateUser(ctx context.Context, r gen.CreateUserRequestObject) (gen.CreateUserResponseObject, error) {
	u, err := h.tokens.CreateUser(ctx, authn.Caller(ctx), userDraft(*r.Body))
	if err != nil {
		return nil, err
	}
	wire.NoteObject(ctx, "user:"+strconv.FormatInt(u.ID, 10))
	return gen.CreateUser201JSONResponse{
		Body: user(u),
		Headers: gen.CreateUser201ResponseHeaders{
			Location: h.options.PublicURL + "/service/users/" + strconv.FormatInt(u.ID, 10),
		},
	}, nil
}

// ListUsers implements `GET /service/users`.
func (h handler) ListUsers(ctx context.Context, r gen.ListUsersRequestObject) (gen.ListUsersResponseObject, error) {
	limit, cursor := wire.Page(r.Params.Limit, r.Params.Cursor)
	list, next, err := h.tokens.ListUsers(ctx, authn.Caller(ctx), cursor, limit)
	return gen.ListUsers200JSONResponse{Body: gen.UserList{Items: all(list, user), NextCursor: wire.NullText(next)}}, err
}

// GetUser implements `GET /service/users/{id}`.
func (h handler) GetUser(ctx context.Context, r gen.GetUserRequestObject) (gen.GetUserResponseObject, error) {
	u, err := h.tokens.GetUser(ctx, authn.Caller(ctx), r.Id)
	return gen.GetUser200JSONResponse{Body: user(u)}, err
}

// UpdateUser implements `PATCH /service/users/{id}`.
func (h handler) UpdateUser(ctx context.Context, r gen.UpdateUserRequestObject) (gen.UpdateUserResponseObject, error) {
	u, err := h.tokens.ChangeUser(ctx, authn.Caller(ctx), r.Id, userChange(*r.Body))
	return gen.UpdateUser200JSONResponse{Body: user(u)}, err
}

// DisableUser implements `POST /service/users/{id}/disable`. The tokens that the user created are suspended only once
// the user can create no more.
func (h handler) DisableUser(
	ctx context.Context, r gen.DisableUserRequestObject,
) (gen.DisableUserResponseObject, error) {
	caller := authn.Caller(ctx)
	disable := func() (token.User, error) { return h.tokens.DisableUser(ctx, caller, r.Id) }
	if value(r.Params.Created) {
		disable = func() (token.User, error) { return h.tokens.Offboard(ctx, caller, r.Id) }
	}
	u, err := disable()
	if err != nil {
		return nil, err
	}
	query := token.Query{CreatedBy: r.Id, NotOwnedBy: r.Id, Limit: createdTokens}
	page, err := h.tokens.List(ctx, caller, query, "", token.Everything)
	if err != nil {
		return nil, err
	}
	items, err := h.items(ctx, page.Tokens...)
	return gen.DisableUser200JSONResponse{Body: disabledUser(u, items, page.Next)}, err
}

// EnableUser implements `POST /service/users/{id}/enable`.
func (h handler) EnableUser(ctx context.Context, r gen.EnableUserRequestObject) (gen.EnableUserResponseObject, error) {
	u, err := h.tokens.EnableUser(ctx, authn.Caller(ctx), r.Id)
	return gen.EnableUser200JSONResponse{Body: user(u)}, err
}

// CreateUserToken implements `POST /service/users/{id}/tokens`.
func (h handler) CreateUserToken(
	ctx context.Context, r gen.CreateUserTokenRequestObject,
) (gen.CreateUserTokenResponseObject, error) {
	if r.Id < 1 { // 0 in the draft would mean the caller
		return nil, token.Errorf(token.NotFound, "there is no such user")
	}
	operation := "service createUserToken " + strconv.FormatInt(r.Id, 10)
	retry, err := wire.RetryOf(r.Params.IdempotencyKey, operation, r.Body)
	if err != nil {
		return nil, err
	}
	t, secret, err := h.tokens.Create(ctx, authn.Caller(ctx), token.Draft{
		Dialect: token.CredentialDialect, Name: r.Body.Name, ExpiresAt: wire.Given(r.Body.ExpiresAt), UserID: r.Id,
		Retry: retry,
	})
	if err != nil {
		return nil, err
	}
	wire.NoteObject(ctx, t.Ref().Object())
	return gen.CreateUserToken201JSONResponse{
		Body: gen.UserToken{
			Dialect: gen.UserTokenDialect(t.Dialect.Name), Id: t.ID, Name: t.Name, Token: secret, UserId: t.UserID,
			CreatedAt: t.CreatedAt, ExpiresAt: wire.NullTime(t.ExpiresAt),
		},
		Headers: gen.CreateUserToken201ResponseHeaders{
			CacheControl:        "no-store",
			IdempotencyReplayed: wire.Replayed(retry),
			Location:            h.options.PublicURL + "/service/tokens/muninx/" + t.ID,
		},
	}, nil
}
