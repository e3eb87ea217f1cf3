package apitoken

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	gen "github.com/tokenwright/tokenwright/gen/apitoken"
	"github.com/tokenwright/tokenwright/handlers/wire"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/draw"
)

// TestListIsTheGeneratedOne compares the response of a list with the generated type, encoded by encoding/json.
func TestListIsTheGeneratedOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		found, now := draw.Page(t, token.APIToken), draw.Time(t, "now")
		h := handler{&token.Service{Clock: func() time.Time { return now }}}
		want := gen.ApiTokenList{
			Status: gen.ApiTokenListStatusSuccess, Details: []gen.ApiTokenDetails{}, NextCursor: wire.NullText(found.Next),
		}
		for _, entry := range found.Tokens {
			want.Details = append(want.Details, h.details(entry))
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
		entry, secret, now := draw.Token(t, token.APIToken), draw.Text(t, "secret"), draw.Time(t, "now")
		h := handler{&token.Service{Clock: func() time.Time { return now }}}
		want, err := json.Marshal(gen.ApiTokenCreated{
			Status: gen.ApiTokenCreatedStatusSuccess, Details: h.details(entry), Token: secret,
		})
		if got := (created{entry, secret, now, nil}).append(nil); err != nil || string(got) != string(want) {
			t.Fatalf("%s\ninstead of\n%s (%v)", got, want, err)
		}
	})
}
