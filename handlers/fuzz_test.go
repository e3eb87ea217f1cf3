package handlers_test

import (
	"testing"

	"github.com/tokenwright/tokenwright/test/harness"
)

func FuzzCreateMuninx(f *testing.F)   { fuzzCreate(f, creators[0]) }
func FuzzCreateApitoken(f *testing.F) { fuzzCreate(f, creators[1]) }
func FuzzCreateUnleash(f *testing.F)  { fuzzCreate(f, creators[2]) }
func FuzzCreateService(f *testing.F)  { fuzzCreate(f, creators[3]) }

// fuzzCreate looks for a body that is answered outside the spec or with a 5xx.
func fuzzCreate(f *testing.F, c creator) {
	for _, seed := range []string{
		c.unique(""), "{}", "[]", "", "null", `{"name":"\u0000"}`, `{"expires_at":"2099-01-01T00:00:00Z","token_scope":"environment"}`,
		`{"expiresAt":"2099-02-30T00:00:00Z","description":null,"id":{}}`, `{"name":"a","name":"b"}`, "{\"name\":\"\xff\"}",
	} {
		f.Add(seed)
	}
	s := harness.Start(f, harness.Options{Configure: unlimited, Unchecked: true})
	f.Fuzz(func(t *testing.T, body string) {
		a, err := s.Try("POST", c.path, s.Vars["admin"], body, "Content-Type", "application/json")
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Check("POST", c.path); err != nil {
			t.Error(err)
		}
		switch a.Status {
		case c.created, 400, 409, 413:
		default:
			t.Errorf("%d: %s", a.Status, a.Body)
		}
	})
}
