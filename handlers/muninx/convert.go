package muninx

import (
	"net/http"
	"time"

	gen "github.com/tokenwright/tokenwright/gen/muninx"
	"github.com/tokenwright/tokenwright/handlers/wire"
	"github.com/tokenwright/tokenwright/internal/token"
)

func ref(id string) token.Ref { return token.Ref{Dialect: token.Muninx, ID: id} }

func (h handler) item(t token.Token) gen.Token {
	return gen.Token{
		Id: t.ID, Name: t.Name, Status: gen.TokenStatus(t.StateAt(h.tokens.Now())),
		CreatedAt: t.CreatedAt, ExpiresAt: wire.NullTime(t.ExpiresAt), LastUsedAt: wire.NullTime(t.LastUsedAt),
	}
}

// created is the response of a create. It implements [gen.CreateTokenResponseObject].
type created struct {
	token.Token
	secret string
	retry  *token.Retry
}

// VisitCreateTokenResponse sends a [gen.TokenCreated].
func (r created) VisitCreateTokenResponse(w http.ResponseWriter) error {
	wire.SayReplayed(w, r.retry)
	return wire.SendJSON(w, http.StatusOK, r.append)
}

func (r created) append(b []byte) []byte {
	b = wire.AppendTime(append(b, `{"created_at":`...), r.CreatedAt)
	b = wire.AppendText(append(b, `,"id":`...), r.ID)
	b = wire.AppendText(append(b, `,"name":`...), r.Name)
	b = wire.AppendText(append(b, `,"token":`...), r.secret)
	return append(b, '}')
}

// page is the response of a list. It implements [gen.ListTokensResponseObject].
type page struct {
	token.Page
	now time.Time
}

// VisitListTokensResponse sends a [gen.TokenList].
func (p page) VisitListTokensResponse(w http.ResponseWriter) error {
	return wire.SendJSON(w, http.StatusOK, p.append)
}

func (p page) append(b []byte) []byte {
	b = wire.AppendList(append(b, `{"items":`...), p.Tokens, p.appendItem)
	b = wire.AppendNullText(append(b, `,"next_cursor":`...), p.Next)
	return append(b, '}')
}

// appendItem appends what [handler.item] returns.
func (p page) appendItem(b []byte, t token.Token) []byte {
	b = wire.AppendTime(append(b, `{"created_at":`...), t.CreatedAt)
	b = wire.AppendNullTime(append(b, `,"expires_at":`...), t.ExpiresAt)
	b = wire.AppendText(append(b, `,"id":`...), t.ID)
	b = wire.AppendNullTime(append(b, `,"last_used_at":`...), t.LastUsedAt)
	b = wire.AppendText(append(b, `,"name":`...), t.Name)
	b = wire.AppendText(append(b, `,"status":`...), t.StateAt(p.now))
	return append(b, '}')
}
