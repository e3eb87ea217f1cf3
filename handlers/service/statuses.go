package service

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	gen "github.com/tokenwright/tokenwright/gen/service"
	"github.com/tokenwright/tokenwright/handlers/wire"
)

// GetStatusList implements `GET /statuslists/{list}` (draft-ietf-oauth-status-list section 8).
func (h handler) GetStatusList(ctx context.Context, r gen.GetStatusListRequestObject) (gen.GetStatusListResponseObject, error) {
	signed, err := h.tokens.StatusList(ctx, r.List)
	if err != nil {
		return nil, err
	}
	return statusList{signed, wire.AcceptsGzip(value(r.Params.AcceptEncoding)), value(r.Params.IfNoneMatch)}, nil
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
