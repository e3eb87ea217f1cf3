package service

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	gen "github.com/tokenwright/tokenwright/gen/service"
	"github.com/tokenwright/tokenwright/handlers/authn"
	"github.com/tokenwright/tokenwright/handlers/wire"
	"github.com/tokenwright/tokenwright/internal/token"
)

// IntrospectToken implements `POST /introspect` (RFC 7662).
func (h handler) IntrospectToken(
	ctx context.Context, r gen.IntrospectTokenRequestObject,
) (gen.IntrospectTokenResponseObject, error) {
	verdict, err := h.introspect(ctx, r.Body.Token)
	if err != nil {
		return nil, err
	}
	if verdict.Active {
		wire.NoteObject(ctx, h.tokens.Ref(string(*verdict.Dialect), *verdict.Jti).Object())
	}
	return introspected{verdict}, nil
}

// introspected is the one of introspection. The generated one formats each header anew and copies the body.
type introspected struct {
	verdict gen.Introspection
}

// VisitIntrospectTokenResponse sends the verdict.
func (a introspected) VisitIntrospectTokenResponse(w http.ResponseWriter) error {
	h := w.Header()
	h[echo.HeaderContentType] = []string{echo.MIMEApplicationJSON}
	h[echo.HeaderCacheControl] = []string{"no-store"}
	return json.NewEncoder(w).Encode(a.verdict)
}

// IntrospectTokens implements `POST /introspect/batch`.
func (h handler) IntrospectTokens(
	ctx context.Context, r gen.IntrospectTokensRequestObject,
) (gen.IntrospectTokensResponseObject, error) {
	results := make([]gen.Introspection, 0, len(r.Body.Tokens))
	for _, secret := range r.Body.Tokens {
		verdict, err := h.introspect(ctx, secret)
		if err != nil {
			return nil, err
		}
		results = append(results, verdict)
	}
	return gen.IntrospectTokens200JSONResponse{
		Body:    gen.IntrospectionResults{Results: results},
		Headers: gen.IntrospectTokens200ResponseHeaders{CacheControl: "no-store"},
	}, nil
}

func (h handler) introspect(ctx context.Context, secret string) (gen.Introspection, error) {
	i, err := h.tokens.Introspect(ctx, authn.Caller(ctx), secret)
	if err != nil || i == nil {
		return gen.Introspection{}, err
	}
	return h.verdict(*i), nil
}

func (h handler) verdict(i token.Introspection) gen.Introspection {
	t := i.Token
	v := gen.Introspection{
		Active: true, Sub: &i.Subject, Scope: new(string(t.Scope)), TokenType: new("Bearer"),
		Iat: new(t.CreatedAt.Unix()), Nbf: new(t.CreatedAt.Unix()), Iss: &h.options.PublicURL, Jti: &t.ID,
		AccountId: &i.Account.ID, TokenScope: new(gen.IntrospectionTokenScope(t.Scope)),
		Dialect: new(gen.IntrospectionDialect(t.Dialect.Name)), Exp: seconds(t.ExpiresAt),
	}
	if i.User != nil {
		v.Username = &i.User.Name
	}
	if t.EnvironmentID != "" {
		v.EnvironmentId = &t.EnvironmentID
	}
	return v
}

// seconds is a NumericDate (RFC 7519 section 2), nil for the zero time.
func seconds(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	return new(t.Unix())
}

// VerifyRequest implements `GET /verify`, to which every method and every path below it is mapped. It checks the
// request's own credential.
func (h handler) VerifyRequest(
	ctx context.Context, r gen.VerifyRequestRequestObject,
) (gen.VerifyRequestResponseObject, error) {
	credential, err := authn.Presented(ctx)
	if err != nil {
		return nil, err
	}
	i, err := h.tokens.Check(ctx, credential)
	if err != nil {
		return nil, err
	}
	wire.NoteCaller(ctx, authn.Name(i.Caller()))
	scope, account := value(r.Params.Scope), value(r.Params.Account)
	if scope != "" && token.Scope(scope) != i.Token.Scope || account != "" && account != i.Account.ID {
		return nil, token.Errorf(token.Forbidden, "the token does not have the requested account or scope")
	}
	return pass{*i}, nil
}

// pass is the response for a valid token. The generated one is slower, as it formats each header; gateways get this one
// for every request.
type pass struct {
	token.Introspection
}

// VisitVerifyRequestResponse sends every header, also the empty ones, so that headers of these names from the client
// cannot get through.
func (p pass) VisitVerifyRequestResponse(w http.ResponseWriter) error {
	h := w.Header()
	values := []string{
		"no-store", url.PathEscape(p.Token.ID), url.PathEscape(p.Subject), string(p.Token.Scope),
		url.PathEscape(p.Account.ID), url.PathEscape(p.Token.EnvironmentID), p.Token.Dialect.Name,
	}
	for i, name := range [...]string{
		"Cache-Control", "X-Token-Id", "X-Token-Subject", "X-Token-Scope",
		"X-Token-Account", "X-Token-Environment", "X-Token-Dialect",
	} {
		h[name] = values[i : i+1 : i+1]
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// GetKeys implements `GET /.well-known/jwks.json` (RFC 7517).
func (h handler) GetKeys(_ context.Context, r gen.GetKeysRequestObject) (gen.GetKeysResponseObject, error) {
	body, err := h.options.Keys()
	if err != nil {
		return nil, token.Wrap(token.Internal, err)
	}
	return response{newDocument(echo.MIMEApplicationJSON, body), value(r.Params.IfNoneMatch), false}, nil
}

// AllowIntrospection implements `POST /service/tokens/{dialect}/{id}/allow-introspection`.
func (h handler) AllowIntrospection(
	ctx context.Context, r gen.AllowIntrospectionRequestObject,
) (gen.AllowIntrospectionResponseObject, error) {
	t, err := h.tokens.AllowIntrospection(ctx, authn.Caller(ctx), h.tokens.Ref(r.Dialect, r.Id))
	body, err := h.one(ctx, t, err)
	return gen.AllowIntrospection200JSONResponse{Body: body}, err
}

// ForbidIntrospection implements `POST /service/tokens/{dialect}/{id}/forbid-introspection`.
func (h handler) ForbidIntrospection(
	ctx context.Context, r gen.ForbidIntrospectionRequestObject,
) (gen.ForbidIntrospectionResponseObject, error) {
	t, err := h.tokens.ForbidIntrospection(ctx, authn.Caller(ctx), h.tokens.Ref(r.Dialect, r.Id))
	body, err := h.one(ctx, t, err)
	return gen.ForbidIntrospection200JSONResponse{Body: body}, err
}
