package service

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"
	"github.com/oasdiff/yaml"

	gen "github.com/tokenwright/tokenwright/gen/service"
	"github.com/tokenwright/tokenwright/internal/token"
)

// document is a spec in one of its forms, ready to be sent. It implements gen.GetSpecResponseObject: the generated
// answers would encode the JSON form anew each time.
type document struct {
	media string
	etag  string
	body  []byte
}

// documents are the specs in both forms, by the name that they have in a path.
func documents(specs map[string][]byte) map[string]document {
	all := make(map[string]document, 2*len(specs))
	for name, text := range specs {
		converted, err := yaml.YAMLToJSON(text)
		if err != nil {
			panic(fmt.Errorf("spec %s: %w", name, err))
		}
		all[name+".yaml"] = newDocument("application/yaml", text)
		all[name+".json"] = newDocument(echo.MIMEApplicationJSON, converted)
	}
	return all
}

func newDocument(media string, body []byte) document {
	return document{media: media, etag: fmt.Sprintf(`"%x"`, sha256.Sum256(body)), body: body}
}

// VisitGetSpecResponse sends the document, which is public and changes only with the program.
func (d document) VisitGetSpecResponse(w http.ResponseWriter) error {
	header := w.Header()
	header.Set(echo.HeaderContentType, d.media)
	header.Set(echo.HeaderCacheControl, "public, max-age=300")
	header.Set("ETag", d.etag)
	w.WriteHeader(http.StatusOK)
	_, err := w.Write(d.body)
	return err
}

// VisitGetKeysResponse sends the key set in the same way, to be read from any page.
func (d document) VisitGetKeysResponse(w http.ResponseWriter) error {
	w.Header().Set(echo.HeaderAccessControlAllowOrigin, "*")
	return d.VisitGetSpecResponse(w)
}

// GetSpec implements `GET /openapi/{name}`.
func (h handler) GetSpec(_ context.Context, r gen.GetSpecRequestObject) (gen.GetSpecResponseObject, error) {
	d, ok := h.documents[r.Name]
	if !ok {
		return nil, token.Errorf(token.NotFound, "there is no such spec")
	}
	return d, nil
}
