package unleash

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"pgregory.net/rapid"

	gen "github.com/tokenwright/tokenwright/gen/unleash"
	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/test/draw"
)

// TestListIsTheGeneratedOne compares both responses of a list, in a page and complete, with the generated one.
func TestListIsTheGeneratedOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		found := draw.Page(t, token.Unleash)
		want := gen.GetPats200JSONResponse{Body: gen.PatsSchema{Pats: []gen.PatItemSchema{}}}
		for _, entry := range found.Tokens {
			want.Body.Pats = append(want.Body.Pats, item(entry))
		}
		if found.Next != "" {
			want.Headers.Link = &found.Next
		}
		complete := wholeList(func(show func([]token.Token) error) error { return show(found.Tokens) })
		generated := visit(t, want.VisitGetPatsResponse)
		for _, got := range []*httptest.ResponseRecorder{
			visit(t, page{found.Tokens, found.Next}.VisitGetPatsResponse), visit(t, complete.VisitGetPatsResponse),
		} {
			if got.Body.String() != generated.Body.String() {
				t.Fatalf("%s\ninstead of\n%s", got.Body, generated.Body)
			}
		}
		if link := visit(t, page{found.Tokens, found.Next}.VisitGetPatsResponse).Header().Get("Link"); link != generated.Header().Get("Link") {
			t.Fatalf("Link: %q", link)
		}
	})
}

// TestCreateIsTheGeneratedOne does the same for the response of a create.
func TestCreateIsTheGeneratedOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entry := draw.Token(t, token.Unleash)
		i, secret, location := item(entry), "x"+draw.Text(t, "secret"), "/"+draw.Text(t, "location")
		generated := visit(t, gen.CreatePat201JSONResponse{
			Body: gen.PatCreatedSchema{
				CreatedAt: i.CreatedAt, ExpiresAt: i.ExpiresAt, UserId: i.UserId, Id: i.Id, Description: i.Description,
				SeenAt: i.SeenAt, Secret: secret,
			},
			Headers: gen.CreatePat201ResponseHeaders{Location: location},
		}.VisitCreatePatResponse)
		got := visit(t, created{entry, secret, location, nil}.VisitCreatePatResponse)
		if got.Body.String() != generated.Body.String() || got.Code != generated.Code ||
			got.Header().Get("Location") != generated.Header().Get("Location") {
			t.Fatalf("%d %s\ninstead of\n%d %s", got.Code, got.Body, generated.Code, generated.Body)
		}
	})
}

func visit(t *rapid.T, response func(http.ResponseWriter) error) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	if err := response(w); err != nil {
		t.Fatal(err)
	}
	return w
}
