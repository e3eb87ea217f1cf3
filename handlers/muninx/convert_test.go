package muninx

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	gen "github.com/tokenwright/tokenwright/gen/muninx"
	"github.com/tokenwright/tokenwright/handlers/wire"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/draw"
)

// TestListIsTheGeneratedOne compares the response of a list with the generated type, encoded by encoding/json.
func TestListIsTheGeneratedOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		found, now := draw.Page(t, token.Muninx), draw.Time(t, "now")
		h := handler{&token.Service{Clock: func() time.Time { return now }}}
		want := gen.TokenList{Items: []gen.Token{}, NextCursor: wire.NullText(found.Next)}
		for _, entry := range found.Tokens {
			want.Items = append(want.Items, h.item(entry))
		}
		text, err := json.Marshal(want)
		if got := (page{found, now}).append(nil); err != nil || string(got) != string(text) {
			t.Fatalf("%s\ninstead of\n%s (%v)", got, text, err)
		}
	})
}

// TestCreateIsTheGeneratedOne does the same for the response of a create.
func TestCreateIsTheGeneratedOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entry, secret := draw.Token(t, token.Muninx), draw.Text(t, "secret")
		want, err := json.Marshal(gen.TokenCreated{
			Id: entry.ID, Name: entry.Name, Token: secret, CreatedAt: entry.CreatedAt,
		})
		if got := (created{entry, secret, nil}).append(nil); err != nil || string(got) != string(want) {
			t.Fatalf("%s\ninstead of\n%s (%v)", got, want, err)
		}
	})
}
