package service

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	gen "github.com/tokenwright/tokenwright/gen/service"
	"github.com/tokenwright/tokenwright/handlers/authn"
	"github.com/tokenwright/tokenwright/handlers/wire"
	"github.com/tokenwright/tokenwright/internal/token"
)

// introspect binds the form, which its guard has read and checked.
func (h handler) introspect(c echo.Context) error {
	body := gen.IntrospectionRequest{Token: c.Request().PostForm.Get("token")}
	response, err := h.IntrospectToken(c.Request().Context(), gen.IntrospectTokenRequestObject{Body: &body})
	if err != nil {
		return err
	}
	return response.VisitIntrospectTokenResponse(c.Response())
}

// verify binds the query, which the validator has checked.
func (h handler) verify(c echo.Context) error {
	var request gen.VerifyRequestRequestObject
	if c.Request().URL.RawQuery != "" {
		scope, account := gen.VerifyRequestParamsScope(c.QueryParam("scope")), c.QueryParam("account")
		request.Params = gen.VerifyRequestParams{Scope: &scope, Account: &account}
	}
	response, err := h.VerifyRequest(c.Request().Context(), request)
	if err != nil {
		return err
	}
	return response.VisitVerifyRequestResponse(c.Response())
}

// IntrospectToken implements `POST /introspect` (RFC 7662).
func (h handler) IntrospectToken(
	ctx context.Context, r gen.IntrospectTokenRequestObject,
) (gen.IntrospectTokenResponseObject, error) {
	i, err := h.tokens.Introspect(ctx, authn.Caller(ctx), r.Body.Token)
	if err != nil {
		return nil, err
	}
	if i != nil {
		wire.NoteObject(ctx, i.Token.Ref().Object())
	}
	return verdict{i, h.options.PublicURL}, nil
}

// IntrospectTokens implements `POST /introspect/batch`.
func (h handler) IntrospectTokens(
	ctx context.Context, r gen.IntrospectTokensRequestObject,
) (gen.IntrospectTokensResponseObject, error) {
	results := make(verdicts, 0, len(r.Body.Tokens))
	for _, secret := range r.Body.Tokens {
		i, err := h.tokens.Introspect(ctx, authn.Caller(ctx), secret)
		if err != nil {
			return nil, err
		}
		results = append(results, verdict{i, h.options.PublicURL})
	}
	return results, nil
}

// verdict is the response of introspection. It implements [gen.IntrospectTokenResponseObject].
type verdict struct {
	*token.Introspection        // nil: not active
	issuer               string // this server
}

// VisitIntrospectTokenResponse sends a [gen.Introspection].
func (v verdict) VisitIntrospectTokenResponse(w http.ResponseWriter) error {
	return wire.SendJSON(w, http.StatusOK, v.append)
}

func (v verdict) append(b []byte) []byte {
	if v.Introspection == nil {
		return append(b, `{"active":false}`...)
	}
	t := v.Token
	b = wire.AppendText(append(b, `{"account_id":`...), v.Account.ID)
	b = wire.AppendText(append(b, `,"active":true,"dialect":`...), t.Dialect.Name)
	if t.EnvironmentID != "" {
		b = wire.AppendText(append(b, `,"environment_id":`...), t.EnvironmentID)
	}
	if end := v.EndsAt(); !end.IsZero() {
		b = appendSeconds(append(b, `,"exp":`...), end)
	}
	b = appendSeconds(append(b, `,"iat":`...), t.CreatedAt)
	b = wire.AppendText(append(b, `,"iss":`...), v.issuer)
	b = wire.AppendText(append(b, `,"jti":`...), t.ID)
	b = appendSeconds(append(b, `,"nbf":`...), t.CreatedAt)
	b = wire.AppendText(append(b, `,"scope":`...), t.Scope)
	b = wire.AppendText(append(b, `,"sub":`...), v.Subject)
	b = wire.AppendText(append(b, `,"token_scope":`...), t.Scope)
	b = append(b, `,"token_type":"Bearer"`...)
	if v.User != nil {
		b = wire.AppendText(append(b, `,"username":`...), v.User.Name)
	}
	return append(b, '}')
}

// appendSeconds appends a NumericDate (RFC 7519 section 2).
func appendSeconds(b []byte, t time.Time) []byte { return strconv.AppendInt(b, t.Unix(), 10) }

// verdicts is the response of introspection of several tokens. It implements [gen.IntrospectTokensResponseObject].
type verdicts []verdict

// VisitIntrospectTokensResponse sends [gen.IntrospectionResults].
func (vs verdicts) VisitIntrospectTokensResponse(w http.ResponseWriter) error {
	return wire.SendJSON(w, http.StatusOK, func(b []byte) []byte {
		b = wire.AppendList(append(b, `{"results":`...), vs, func(b []byte, v verdict) []byte { return v.append(b) })
		return append(b, '}')
	})
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
	caller := i.Caller()
	wire.NoteCaller(ctx, authn.Name(caller))
	if err := authn.Admitted(ctx, caller); err != nil {
		return nil, err
	}
	scope, account := value(r.Params.Scope), value(r.Params.Account)
	if scope != "" && token.Scope(scope) != i.Token.Scope || account != "" && account != i.Account.ID {
		return nil, token.Errorf(token.Forbidden, "the token does not have the requested account or scope")
	}
	return pass{i}, nil
}

// pass is the response for a valid token. The generated one is slower, as it formats each header; gateways get this one
// for every request.
type pass struct {
	*token.Introspection
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
