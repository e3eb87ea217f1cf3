package service

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"
	"github.com/oasdiff/yaml"

	gen "github.com/tokenwright/tokenwright/gen/service"
	"github.com/tokenwright/tokenwright/handlers/wire"
	"github.com/tokenwright/tokenwright/internal/token"
)

// document is a text that is ready to send.
type document struct {
	media  string
	etag   string
	body   []byte
	packed []byte // body in gzip; nil: not sent compressed
}

// documents are the specs in both forms, by their name in the path. Each is built on first use.
func documents(specs map[string][]byte) map[string]func() document {
	all := make(map[string]func() document, 2*len(specs))
	for name, text := range specs {
		all[name+".yaml"] = sync.OnceValue(func() document { return newDocument("application/yaml", text) })
		all[name+".json"] = sync.OnceValue(func() document {
			converted, err := yaml.YAMLToJSON(text)
			if err != nil {
				panic(fmt.Errorf("spec %s: %w", name, err)) // cannot happen: the router has read the spec already
			}
			return newDocument(echo.MIMEApplicationJSON, converted)
		})
	}
	return all
}

func newDocument(media string, body []byte) document {
	return document{media: media, etag: fmt.Sprintf(`"%x"`, sha256.Sum256(body)), body: body}
}

// pack compresses a body with gzip.
func pack(body []byte, level int) []byte {
	var packed bytes.Buffer
	zipper, err := gzip.NewWriterLevel(&packed, level)
	if err == nil {
		_, err = zipper.Write(body)
	}
	if err == nil {
		err = zipper.Close()
	}
	if err != nil {
		panic(err) // cannot happen: a buffer accepts every write
	}
	return packed.Bytes()
}

// response is a document, or 304 if the caller's copy is current. The generated responses would encode it every time.
type response struct {
	document
	known  string // If-None-Match
	zipped bool
}

// send completes the headers. Entity tags identify bytes, and so differ by encoding (RFC 9110 section 8.8.3.3).
func (d response) send(w http.ResponseWriter) error {
	header, body := w.Header(), d.body
	if d.zipped {
		d.etag = strings.TrimSuffix(d.etag, `"`) + `-gzip"`
	}
	header.Set("ETag", d.etag)
	if wire.MatchesTag(d.known, d.etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if d.zipped {
		header.Set(echo.HeaderContentEncoding, "gzip")
		body = d.packed
	}
	header.Set(echo.HeaderContentType, d.media)
	w.WriteHeader(http.StatusOK)
	_, err := w.Write(body)
	return err
}

// keptForMinutes is how long contracts and keys may be cached.
const keptForMinutes = "public, max-age=300"

// VisitGetSpecResponse sends the spec, which is public and changes only with the program.
func (d response) VisitGetSpecResponse(w http.ResponseWriter) error {
	w.Header().Set(echo.HeaderCacheControl, keptForMinutes)
	return d.send(w)
}

// VisitGetKeysResponse sends the key set, which pages of any origin may read.
func (d response) VisitGetKeysResponse(w http.ResponseWriter) error {
	w.Header().Set(echo.HeaderAccessControlAllowOrigin, "*")
	w.Header().Set(echo.HeaderCacheControl, keptForMinutes)
	return d.send(w)
}

// GetSpec implements `GET /openapi/{name}`.
func (h handler) GetSpec(_ context.Context, r gen.GetSpecRequestObject) (gen.GetSpecResponseObject, error) {
	d, ok := h.documents[r.Name]
	if !ok {
		return nil, token.Errorf(token.NotFound, "there is no such spec")
	}
	return response{d(), value(r.Params.IfNoneMatch), false}, nil
}
