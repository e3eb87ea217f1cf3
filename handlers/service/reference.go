package service

import (
	"compress/gzip"
	"context"
	"embed"
	"net/http"
	"path"
	"sync"

	"github.com/labstack/echo/v4"

	gen "github.com/tokenwright/tokenwright/gen/service"
	"github.com/tokenwright/tokenwright/handlers/wire"
	"github.com/tokenwright/tokenwright/internal/token"
)

//go:embed reference/*.html reference/*.js reference/*.css reference/*.txt
var referenceFiles embed.FS

// referencePage is the file served at `/docs`.
const referencePage = "reference.html"

// referencePolicy restricts the page to its own server. RapiDoc writes its colours into a style element and uses style
// attributes everywhere, hence 'unsafe-inline' for styles; without images and fonts from other origins, styles cannot
// leak anything.
const referencePolicy = "default-src 'none'; script-src 'self'; " +
	"style-src 'self' 'unsafe-inline'; connect-src 'self'; " +
	"img-src 'self' data:; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// media are the types of the files, by extension.
var media = map[string]string{
	".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".txt": "text/plain",
}

// reference has the files of the page, ready to send, by name.
var reference = sync.OnceValue(func() map[string]document {
	const folder = "reference"
	entries, err := referenceFiles.ReadDir(folder)
	if err != nil {
		panic(err) // they are part of the program
	}
	all := make(map[string]document, len(entries))
	for _, entry := range entries {
		text, err := referenceFiles.ReadFile(path.Join(folder, entry.Name()))
		if err != nil {
			panic(err)
		}
		d := newDocument(media[path.Ext(entry.Name())], text)
		if entry.Name() != referencePage {
			d.packed = pack(text, gzip.BestCompression)
		}
		all[entry.Name()] = d
	}
	return all
})

// GetReference implements `GET /docs`.
func (h handler) GetReference(
	_ context.Context, r gen.GetReferenceRequestObject,
) (gen.GetReferenceResponseObject, error) {
	return response{reference()[referencePage], value(r.Params.IfNoneMatch), false}, nil
}

// GetReferenceFile implements `GET /docs/{file}`.
func (h handler) GetReferenceFile(
	_ context.Context, r gen.GetReferenceFileRequestObject,
) (gen.GetReferenceFileResponseObject, error) {
	d, ok := reference()[r.File]
	if !ok || r.File == referencePage { // which has one address only
		return nil, token.Errorf(token.NotFound, "there is no such file")
	}
	return response{d, value(r.Params.IfNoneMatch), wire.AcceptsGzip(value(r.Params.AcceptEncoding))}, nil
}

// VisitGetReferenceResponse sends the page, which is too small to be worth compressing.
func (d response) VisitGetReferenceResponse(w http.ResponseWriter) error { return d.confine(w) }

// VisitGetReferenceFileResponse sends a file of the page.
func (d response) VisitGetReferenceFileResponse(w http.ResponseWriter) error {
	w.Header().Set(echo.HeaderVary, echo.HeaderAcceptEncoding)
	return d.confine(w)
}

// confine makes caches revalidate every file, so that page and scripts are always of the same release.
func (d response) confine(w http.ResponseWriter) error {
	header := w.Header()
	header.Set(echo.HeaderContentSecurityPolicy, referencePolicy)
	header.Set(echo.HeaderXContentTypeOptions, "nosniff")
	header.Set(echo.HeaderReferrerPolicy, "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set(echo.HeaderCacheControl, "public, no-cache")
	return d.send(w)
}
