package unleash

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	gen "github.com/tokenwright/tokenwright/gen/unleash"
	"github.com/tokenwright/tokenwright/handlers/wire"
	"github.com/tokenwright/tokenwright/internal/token"
)

const path = "/api/admin/user/tokens"

func ref(id int64) token.Ref { return token.Ref{Dialect: token.Unleash, ID: strconv.FormatInt(id, 10)} }

// draft reads the body. What the document leaves optional, strict mode asks for.
func (h handler) draft(body gen.PatSchema) (token.Draft, error) {
	var faults []token.Fault
	d := token.Draft{Dialect: token.Unleash}
	if body.Description != nil {
		d.Name = *body.Description
	} else if h.options.Strict {
		faults = append(faults, token.Fault{Pointer: "/description", Detail: "is required"})
	}
	if body.ExpiresAt != nil {
		// The validator has admitted the time already.
		expiry, err := time.Parse(time.RFC3339, *body.ExpiresAt)
		if err != nil {
			return d, token.Wrap(token.Internal, err)
		}
		d.ExpiresAt = &expiry
	} else if h.options.Strict {
		faults = append(faults, token.Fault{Pointer: "/expiresAt", Detail: "is required"})
	}
	return d, token.Faulty(faults...)
}

// stamp always has three decimals, as the real servers write it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z07:00") }

func item(t token.Token) gen.PatItemSchema {
	i := gen.PatItemSchema{
		CreatedAt: stamp(t.CreatedAt), ExpiresAt: stamp(t.ExpiresAt), UserId: t.UserID, Id: t.Seq,
		Description: wire.NullText(t.Name), SeenAt: wire.NullText(""),
	}
	if !t.LastUsedAt.IsZero() {
		i.SeenAt = wire.NullText(stamp(t.LastUsedAt))
	}
	return i
}

func created(t token.Token, secret string) gen.PatCreatedSchema {
	i := item(t)
	return gen.PatCreatedSchema{
		CreatedAt: i.CreatedAt, ExpiresAt: i.ExpiresAt, UserId: i.UserId, Id: i.Id, Description: i.Description,
		SeenAt: i.SeenAt, Secret: secret,
	}
}

func list(p token.Page) gen.PatsSchema {
	pats := gen.PatsSchema{Pats: []gen.PatItemSchema{}}
	for _, t := range p.Tokens {
		pats.Pats = append(pats.Pats, item(t))
	}
	return pats
}

// readAtOnce is how many tokens of a whole list are in memory at a time.
const readAtOnce = 500

// wholeList walks over all tokens of an owner and shows them in parts. It implements [gen.GetPatsResponseObject].
type wholeList func(show func([]token.Token) error) error

// VisitGetPatsResponse sends each part as soon as it was read. What goes wrong after the first one breaks the answer
// off.
func (walk wholeList) VisitGetPatsResponse(w http.ResponseWriter) error {
	before := `{"pats":[`
	err := walk(func(tokens []token.Token) error {
		var part bytes.Buffer
		for _, t := range tokens {
			text, err := json.Marshal(item(t))
			if err != nil {
				return err
			}
			part.WriteString(before)
			part.Write(text)
			before = ","
		}
		w.Header().Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
		_, err := w.Write(part.Bytes())
		return err
	})
	if err != nil {
		return err
	}
	if before == "," {
		before = ""
	}
	_, err = io.WriteString(w, before+"]}\n")
	return err
}

// next is the link to the page after this one (RFC 8288).
func (h handler) next(cursor string, limit int) *string {
	link := fmt.Sprintf(`<%s%s?cursor=%s&limit=%d>; rel="next"`, h.options.PublicURL, path, url.QueryEscape(cursor), limit)
	return &link
}
