package service

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
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

// etag differs by encoding, because entity tags name bytes (RFC 9110 section 8.8.3.3).
func (l statusList) etag() string {
	sum := sha256.Sum256([]byte(l.signed))
	if l.zipped {
		return fmt.Sprintf(`"%x-gzip"`, sum[:16])
	}
	return fmt.Sprintf(`"%x"`, sum[:16])
}

// VisitGetStatusListResponse sends the list, which may be kept but has to be asked for again: how long it may be used
// unasked is in the list itself.
func (l statusList) VisitGetStatusListResponse(w http.ResponseWriter) error {
	header := w.Header()
	header.Set(echo.HeaderAccessControlAllowOrigin, "*") // draft-ietf-oauth-status-list section 8.1
	header.Set(echo.HeaderCacheControl, "public, no-cache")
	header.Set(echo.HeaderVary, echo.HeaderAcceptEncoding)
	header.Set("ETag", l.etag())
	if wire.MatchesTag(l.known, l.etag()) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	header.Set(echo.HeaderContentType, "application/statuslist+jwt")
	if !l.zipped {
		w.WriteHeader(http.StatusOK)
		_, err := io.WriteString(w, l.signed)
		return err
	}
	header.Set(echo.HeaderContentEncoding, "gzip")
	w.WriteHeader(http.StatusOK)
	return zip(w, l.signed)
}

func zip(w io.Writer, text string) error {
	zipper, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(zipper, text); err != nil {
		return err
	}
	return zipper.Close()
}
