package service

import (
	"compress/gzip"
	"context"
	"net/http"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/labstack/echo/v4"

	gen "github.com/tokenwright/tokenwright/gen/service"
	"github.com/tokenwright/tokenwright/handlers/wire"
	"github.com/tokenwright/tokenwright/internal/token"
)

// GetStatusList implements `GET /statuslists/{list}` (draft-ietf-oauth-status-list section 8).
func (h handler) GetStatusList(
	ctx context.Context, r gen.GetStatusListRequestObject,
) (gen.GetStatusListResponseObject, error) {
	signed, err := h.tokens.StatusList(ctx, r.List)
	if err != nil {
		return nil, err
	}
	zipped := wire.AcceptsGzip(value(r.Params.AcceptEncoding))
	return statusList{h.published.of(r.List, signed), zipped, value(r.Params.IfNoneMatch)}, nil
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

// published is the status lists as they are sent, so that what anybody may ask for is made once and not for each
// request.
type published struct {
	mu       sync.Mutex
	versions *simplelru.LRU[int64, *version] // by the number of the list
}

// version is a list as it was signed.
type version struct {
	signed string
	make   func() document // at the first call
}

func newPublished() *published {
	versions, _ := simplelru.NewLRU[int64, *version](keptVersions, nil) // which fails below 1 only
	return &published{versions: versions}
}

// of is the list as a document.
func (p *published) of(number int64, signed string) document {
	p.mu.Lock()
	v, known := p.versions.Get(number)
	if !known || v.signed != signed {
		v = &version{signed, sync.OnceValue(func() document {
			d := newDocument("application/statuslist+jwt", []byte(signed))
			d.packed = pack(d.body, gzip.BestSpeed)
			return d
		})}
		p.versions.Add(number, v)
	}
	p.mu.Unlock()
	return v.make()
}
