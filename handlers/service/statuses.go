package service

import (
	"compress/gzip"
	"context"
	"net/http"
	"sync"

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
	return statusList{h.published.of(r.List, signed), wire.AcceptsGzip(value(r.Params.AcceptEncoding)), value(r.Params.IfNoneMatch)}, nil
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
	document
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
	return l.send(w, l.known, l.zipped)
}

// keptVersions is how many status lists are kept ready to be sent.
const keptVersions = 32

// published is the status lists as they are sent, so that what anybody may ask for is made once and not for each request.
type published struct {
	mu       sync.Mutex
	versions map[int64]*version // by the number of the list
}

// version is a list as it was signed.
type version struct {
	signed string
	make   func() document // at the first call
}

// of is the list as a document.
func (p *published) of(number int64, signed string) document {
	p.mu.Lock()
	v := p.versions[number]
	if v == nil || v.signed != signed {
		v = p.add(number, signed)
	}
	p.mu.Unlock()
	return v.make()
}

// add makes room by letting any other list go.
func (p *published) add(number int64, signed string) *version {
	if p.versions == nil {
		p.versions = map[int64]*version{}
	}
	for other := range p.versions {
		if len(p.versions) < keptVersions {
			break
		}
		delete(p.versions, other)
	}
	v := &version{signed, sync.OnceValue(func() document {
		d := newDocument("application/statuslist+jwt", []byte(signed))
		d.packed = pack(d.body, gzip.BestSpeed)
		return d
	})}
	p.versions[number] = v
	return v
}
