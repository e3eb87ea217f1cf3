package handlers_test

import (
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/openapi"
)

// TestSpecListsEveryDialect compares the lists of dialects in the service contract with the registered ones.
func TestSpecListsEveryDialect(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(openapi.Service)
	if err != nil {
		t.Fatal(err)
	}
	var want []any
	for _, d := range token.Published {
		want = append(want, d.Name)
	}
	lists := [][]any{doc.Components.Parameters["DialectFilter"].Value.Schema.Value.Enum}
	for name, s := range doc.Components.Schemas {
		if d := s.Value.Properties["dialect"]; d != nil && name != "UserToken" { // always of one dialect
			ofTokens := slices.DeleteFunc(slices.Clone(d.Value.Enum), func(v any) bool { return v == nil }) // where there may be none
			lists = append(lists, ofTokens)
		}
	}
	for _, list := range lists {
		if !slices.Equal(list, want) {
			t.Errorf("a list has %v, want %v", list, want)
		}
	}
	if len(lists) < 4 {
		t.Errorf("only %d lists were found", len(lists))
	}
}
