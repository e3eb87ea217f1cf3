package unleash

import (
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
		generated := visit(t, want)
		for _, got := range []*httptest.ResponseRecorder{visit(t, page{found.Tokens, found.Next}), visit(t, complete)} {
			if got.Body.String() != generated.Body.String() {
				t.Fatalf("%s\ninstead of\n%s", got.Body, generated.Body)
			}
		}
		if link := visit(t, page{found.Tokens, found.Next}).Header().Get("Link"); link != generated.Header().Get("Link") {
			t.Fatalf("Link: %q", link)
		}
	})
}

func visit(t *rapid.T, response gen.GetPatsResponseObject) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	if err := response.VisitGetPatsResponse(w); err != nil {
		t.Fatal(err)
	}
	return w
}
