package service

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	gen "github.com/tokenwright/tokenwright/gen/service"
	"github.com/tokenwright/tokenwright/handlers/wire"
	"github.com/tokenwright/tokenwright/internal/token"
)

// GetStatusList implements `GET /statuslists/{list}` (draft-ietf-oauth-status-list section 8).
func (h handler) GetStatusList(ctx context.Context, r gen.GetStatusListRequestObject) (gen.GetStatusListResponseObject, error) {
	signed, err := h.tokens.StatusList(ctx, r.List)
	if err != nil {
		return nil, err
	}
	return statusList{signed, wire.AcceptsGzip(value(r.Params.AcceptEncoding)), value(r.Params.IfNoneMatch)}, nil
}

// presentOnly refuses the question for a list of another time, which may be asked of any list
// (draft-ietf-oauth-status-list section 8.4).
func presentOnly(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if c.QueryParams().Has("time") {
			return token.Errorf(wire.NotImplemented, "a status list of another time than now is not kept")
		}
		return next(c)
	}
}

// statusList is the answer with a list, or with the word that the caller has it already.
type statusList struct {
	signed string
	zipped bool
	known  string // If-None-Match
}

// VisitGetStatusListResponse sends the list, which may be kept but has to be asked for again: how long it may be used
// unasked is in the list itself.
func (l statusList) VisitGetStatusListResponse(w http.ResponseWriter) error {
	header := w.Header()
	header.Set(echo.HeaderAccessControlAllowOrigin, "*") // draft-ietf-oauth-status-list section 8.1
	header.Set(echo.HeaderCacheControl, "public, no-cache")
	header.Set(echo.HeaderVary, echo.HeaderAcceptEncoding)
	return newDocument("application/statuslist+jwt", []byte(l.signed)).send(w, l.known, l.zipped)
}
