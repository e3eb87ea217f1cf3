package unleash

import (
	"fmt"
	"net/url"
	"strconv"
	"time"

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

// next is the link to the page after this one (RFC 8288).
func (h handler) next(cursor string, limit int) *string {
	link := fmt.Sprintf(`<%s%s?cursor=%s&limit=%d>; rel="next"`, h.options.PublicURL, path, url.QueryEscape(cursor), limit)
	return &link
}
