// Package unleash implements the unleash contract: Personal Access Tokens of a user.
package unleash

import (
	"context"
	"strings"

	"github.com/labstack/echo/v4"

	gen "github.com/tokenwright/tokenwright/gen/unleash"
	"github.com/tokenwright/tokenwright/handlers/authn"
	"github.com/tokenwright/tokenwright/handlers/wire"
	"github.com/tokenwright/tokenwright/internal/token"
)

// Ignored are the members that the server sets and a client may send back.
var Ignored = []string{"id", "secret", "createdAt", "seenAt", "userId"}

// Options are the settings of the dialect.
type Options struct {
	PublicURL string // prefix of Location, without a slash at its end
	Strict    bool   // description and expiresAt are required, as in newer servers of the vendor
}

// Register adds the operations to the router, each behind its middlewares.
func (o Options) Register(e *echo.Echo, tokens *token.Service, chains map[string][]echo.MiddlewareFunc) {
	server := gen.NewStrictHandler(handler{tokens, o}, nil)
	options := gen.RegisterHandlersOptions{OperationMiddlewares: chains}
	gen.RegisterHandlersWithOptions(wire.Router{Echo: e}, server, options)
}

type handler struct {
	tokens  *token.Service
	options Options
}

var _ gen.StrictServerInterface = handler{}

// CreatePat implements `POST /api/admin/user/tokens`.
func (h handler) CreatePat(ctx context.Context, r gen.CreatePatRequestObject) (gen.CreatePatResponseObject, error) {
	d, err := h.draft(*r.Body)
	if err != nil {
		return nil, err
	}
	if d.Retry, err = wire.RetryOf(r.Params.IdempotencyKey, "unleash createPat", r.Body); err != nil {
		return nil, err
	}
	t, secret, err := h.tokens.Create(ctx, authn.Caller(ctx), d)
	if err != nil {
		return nil, rename(err)
	}
	wire.NoteObject(ctx, t.Ref().Object())
	return created{t, secret, h.options.PublicURL + path + "/" + t.ID, d.Retry}, nil
}

// GetPats implements `GET /api/admin/user/tokens`. Clients that do not page send no limit, and get everything.
func (h handler) GetPats(ctx context.Context, r gen.GetPatsRequestObject) (gen.GetPatsResponseObject, error) {
	limit, cursor := wire.Page(r.Params.Limit, r.Params.Cursor)
	query := token.Query{Dialect: token.Unleash, Ascending: true, Limit: limit}
	if r.Params.Limit == nil {
		query.Limit = readAtOnce
		return wholeList(func(show func([]token.Token) error) error {
			return h.tokens.Walk(ctx, authn.Caller(ctx), query, cursor, token.Own, show)
		}), nil
	}
	found, err := h.tokens.List(ctx, authn.Caller(ctx), query, cursor, token.Own)
	if err != nil {
		return nil, err
	}
	next := ""
	if found.Next != "" {
		next = h.next(found.Next, limit)
	}
	return page{found.Tokens, next}, nil
}

// GetPat implements `GET /api/admin/user/tokens/{id}`.
func (h handler) GetPat(ctx context.Context, r gen.GetPatRequestObject) (gen.GetPatResponseObject, error) {
	t, err := h.tokens.Get(ctx, authn.Caller(ctx), ref(r.Id), token.Own)
	return gen.GetPat200JSONResponse{Body: item(t)}, err
}

// DeletePat implements `DELETE /api/admin/user/tokens/{id}`. Its response is the same whether or not the token exists,
// so that it reveals nothing.
func (h handler) DeletePat(ctx context.Context, r gen.DeletePatRequestObject) (gen.DeletePatResponseObject, error) {
	_, err := h.tokens.Apply(ctx, authn.Caller(ctx), ref(r.Id), token.Delete, token.Own)
	if err != nil && token.KindOf(err) != token.NotFound {
		return nil, err
	}
	return gen.DeletePat200Response{}, nil
}

// rename gives the members of a draft the names that they have in this dialect.
func rename(err error) error {
	return wire.RenameFaults(err, strings.NewReplacer(
		token.MemberName, "/description", token.MemberExpiry, "/expiresAt"))
}
