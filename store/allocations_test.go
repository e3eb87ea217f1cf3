//go:build allocations

package store_test

import (
	"testing"

	"github.com/tokenwright/tokenwright/internal/token"
	"github.com/tokenwright/tokenwright/store"
	"github.com/tokenwright/tokenwright/test/allocations"
	"github.com/tokenwright/tokenwright/test/pgtest"
)

// TestAllocations compares what one caller alone has the store do.
func TestAllocations(t *testing.T) {
	for _, c := range []struct {
		database, url        string
		lookUp, create, list int
	}{
		{"sqlite", sqliteURL(t), 50, 132, 147},
		{"postgres", pgtest.URL(t), 70, 275, 169},
	} {
		d := openWith(t, c.url, store.Options{})
		caller := aCaller(t, d)
		must := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		t.Run(c.database+"/create", func(t *testing.T) {
			allocations.Compare(t, c.create, func() {
				_, err := d.Create(t.Context(), anInsert(caller))
				must(err)
			})
		})
		t.Run(c.database+"/look-up", func(t *testing.T) {
			allocations.Compare(t, c.lookUp, func() {
				_, err := d.FindSecret(t.Context(), caller.Hash)
				must(err)
			})
		})
		t.Run(c.database+"/list of 10", func(t *testing.T) {
			q := token.Query{Dialect: token.Muninx, UserID: caller.UserID, Limit: 10}
			allocations.Compare(t, c.list, func() {
				_, err := d.List(t.Context(), q)
				must(err)
			})
		})
	}
}
