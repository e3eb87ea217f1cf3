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
	return response{h.published.of(r.List, signed), value(r.Params.IfNoneMatch), zipped}, nil
}

// presentOnly rejects requests for past lists, which clients may make for any list (draft-ietf-oauth-status-list
// section 8.4).
func presentOnly(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if c.QueryParams().Has("time") {
			return token.Errorf(wire.NotImplemented, "past status lists are not kept")
		}
		return next(c)
	}
}

// VisitGetStatusListResponse sends the list, which HTTP caches must revalidate: the list itself says how long it may be
// used.
func (d response) VisitGetStatusListResponse(w http.ResponseWriter) error {
	header := w.Header()
	header.Set(echo.HeaderAccessControlAllowOrigin, "*") // draft-ietf-oauth-status-list section 8.1
	header.Set(echo.HeaderCacheControl, "public, no-cache")
	header.Set(echo.HeaderVary, echo.HeaderAcceptEncoding)
	return d.send(w)
}

// keptVersions is how many status lists are kept ready to send.
const keptVersions = 32

// published has the status lists as they are sent, so that a public list is built once, not for each request.
type published struct {
	mu       sync.Mutex
	versions *simplelru.LRU[int64, *version] // by the number of the list
}

// version is a list as it was signed.
type version struct {
	signed string
	make   func() document // builds at the first call
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
