// Package corvid is a fourth dialect, built by the recipe in docs/design.md, to show that nothing below handlers has to
// know of one.
package corvid

import (
	"context"
	_ "embed"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tokenwright/tokenwright/handlers"
	"github.com/tokenwright/tokenwright/handlers/authn"
	"github.com/tokenwright/tokenwright/handlers/wire"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/corvid/gen"
)

//go:generate go tool oapi-codegen -config corvid.cfg.yaml corvid.yaml

//go:embed corvid.yaml
var spec []byte

// Dialect is all that its tokens have of their own.
var Dialect = &token.Dialect{
	Name: "corvid", OwnedByUser: true, IDs: token.UUIDs, Precision: time.Millisecond, DeletesFromAnyState: true,
	Secrets: token.SecretForm{Prefix: "corvid_", Alphabet: "0123456789abcdefghjkmnpqrstvwxyz", Length: 40, Checksum: 7},
	Names:   token.NameRule{Word: "name", Shown: true}, UniqueNames: true,
	Policy: token.Policy{MaxTokens: 3},
}

// Contract is its entry in the table of handlers.
var Contract = handlers.Contract{
	Name: "corvid", Prefix: "/corvids", Spec: spec, WriteError: WriteError, Register: Register,
}

// WriteError answers with problem details.
func WriteError(c echo.Context, f wire.Failure) error { return wire.WriteProblem(c, f, "") }

// Register adds the operations to the router, each behind its middlewares.
func Register(e *echo.Echo, tokens *token.Service, chains map[string][]echo.MiddlewareFunc) {
	server := gen.NewStrictHandler(handler{tokens}, nil)
	gen.RegisterHandlersWithOptions(e, server, gen.RegisterHandlersOptions{OperationMiddlewares: chains})
}

type handler struct{ tokens *token.Service }

func ref(id string) token.Ref { return token.Ref{Dialect: Dialect, ID: id} }

func (h handler) item(t token.Token) gen.Corvid {
	return gen.Corvid{Id: t.ID, Name: t.Name, Status: gen.CorvidStatus(t.StateAt(h.tokens.Now()))}
}

// CreateCorvid implements `POST /corvids`.
func (h handler) CreateCorvid(ctx context.Context, r gen.CreateCorvidRequestObject) (gen.CreateCorvidResponseObject, error) {
	t, secret, err := h.tokens.Create(ctx, authn.Caller(ctx), token.Draft{Dialect: Dialect, Name: r.Body.Name})
	if err != nil {
		return nil, err
	}
	wire.NoteObject(ctx, t.Ref().Object())
	return gen.CreateCorvid200JSONResponse{
		Body:    gen.CorvidCreated{Id: t.ID, Name: t.Name, Token: secret},
		Headers: gen.CreateCorvid200ResponseHeaders{CacheControl: "no-store"},
	}, nil
}

// ListCorvids implements `GET /corvids`.
func (h handler) ListCorvids(ctx context.Context, r gen.ListCorvidsRequestObject) (gen.ListCorvidsResponseObject, error) {
	limit, cursor := wire.Page(r.Params.Limit, r.Params.Cursor)
	page, err := h.tokens.List(ctx, authn.Caller(ctx), token.Query{Dialect: Dialect, Limit: limit}, cursor, token.Own)
	if err != nil {
		return nil, err
	}
	list := gen.CorvidList{Items: []gen.Corvid{}, NextCursor: wire.NullText(page.Next)}
	for _, t := range page.Tokens {
		list.Items = append(list.Items, h.item(t))
	}
	return gen.ListCorvids200JSONResponse{Body: list}, nil
}

// GetCorvid implements `GET /corvids/{id}`.
func (h handler) GetCorvid(ctx context.Context, r gen.GetCorvidRequestObject) (gen.GetCorvidResponseObject, error) {
	t, err := h.tokens.Get(ctx, authn.Caller(ctx), ref(r.Id), token.Own)
	return gen.GetCorvid200JSONResponse{Body: h.item(t)}, err
}

// DeleteCorvid implements `DELETE /corvids/{id}`.
func (h handler) DeleteCorvid(ctx context.Context, r gen.DeleteCorvidRequestObject) (gen.DeleteCorvidResponseObject, error) {
	if _, err := h.tokens.Apply(ctx, authn.Caller(ctx), ref(r.Id), token.Delete, token.Own); err != nil {
		return nil, err
	}
	return gen.DeleteCorvid204Response{}, nil
}
