package muninx

import (
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

func (h handler) list(p token.Page) gen.TokenList {
	list := gen.TokenList{Items: []gen.Token{}, NextCursor: wire.NullText(p.Next)}
	for _, t := range p.Tokens {
		list.Items = append(list.Items, h.item(t))
	}
	return list
}
