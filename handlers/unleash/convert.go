package unleash

import (
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

// draft reads the body. Strict mode requires the members that the document leaves optional.
func (h handler) draft(body gen.PatSchema) (token.Draft, error) {
	var faults []token.Fault
	d := token.Draft{Dialect: token.Unleash}
	if body.Description != nil {
		d.Name = *body.Description
	} else if h.options.Strict {
		faults = append(faults, token.Fault{Pointer: "/description", Detail: "is required"})
	}
	if body.ExpiresAt != nil {
		// The validator has already checked the time.
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
func stamp(t time.Time) string { return t.UTC().Format(stampLayout) }

const stampLayout = "2006-01-02T15:04:05.000Z07:00"

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

// created is the response of a create. It implements [gen.CreatePatResponseObject].
type created struct {
	token.Token
	secret   string
	location string // its URL
	retry    *token.Retry
}

// VisitCreatePatResponse sends a [gen.PatCreatedSchema].
func (r created) VisitCreatePatResponse(w http.ResponseWriter) error {
	w.Header().Set(echo.HeaderLocation, r.location)
	wire.SayReplayed(w, r.retry)
	return wire.SendJSON(w, http.StatusCreated, func(b []byte) []byte { return appendToken(b, r.Token, r.secret) })
}

// appendItem appends what [item] returns.
func appendItem(b []byte, t token.Token) []byte { return appendToken(b, t, "") }

// appendToken appends a token, with its secret if that is not "".
func appendToken(b []byte, t token.Token, secret string) []byte {
	b = appendStamp(append(b, `{"createdAt":`...), t.CreatedAt)
	b = wire.AppendNullText(append(b, `,"description":`...), t.Name)
	b = appendStamp(append(b, `,"expiresAt":`...), t.ExpiresAt)
	b = strconv.AppendInt(append(b, `,"id":`...), t.Seq, 10)
	if secret != "" {
		b = wire.AppendText(append(b, `,"secret":`...), secret)
	}
	b = append(b, `,"seenAt":`...)
	if t.LastUsedAt.IsZero() {
		b = append(b, "null"...)
	} else {
		b = appendStamp(b, t.LastUsedAt)
	}
	b = strconv.AppendInt(append(b, `,"userId":`...), t.UserID, 10)
	return append(b, '}')
}

func appendStamp(b []byte, t time.Time) []byte {
	return append(t.UTC().AppendFormat(append(b, '"'), stampLayout), '"')
}

// page is the response of a list that is read in pages. It implements [gen.GetPatsResponseObject].
type page struct {
	tokens []token.Token
	next   string // the Link to the next page, "" on the last one
}

// VisitGetPatsResponse sends a [gen.PatsSchema].
func (p page) VisitGetPatsResponse(w http.ResponseWriter) error {
	if p.next != "" {
		w.Header().Set("Link", p.next)
	}
	return wire.SendJSON(w, http.StatusOK, func(b []byte) []byte {
		return append(wire.AppendList(append(b, `{"pats":`...), p.tokens, appendItem), '}')
	})
}

// readAtOnce is how many tokens of a complete list are in memory at a time.
const readAtOnce = 500

// wholeList walks over all tokens of an owner and shows them in parts. It implements [gen.GetPatsResponseObject].
type wholeList func(show func([]token.Token) error) error

// VisitGetPatsResponse sends each part as soon as it was read. An error after the first part aborts the response.
func (walk wholeList) VisitGetPatsResponse(w http.ResponseWriter) error {
	before := `{"pats":[`
	var part []byte
	err := walk(func(tokens []token.Token) error {
		part = part[:0]
		for _, t := range tokens {
			part = appendItem(append(part, before...), t)
			before = ","
		}
		w.Header().Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
		_, err := w.Write(part)
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
func (h handler) next(cursor string, limit int) string {
	return fmt.Sprintf(`<%s%s?cursor=%s&limit=%d>; rel="next"`, h.options.PublicURL, path, url.QueryEscape(cursor), limit)
}
