//go:build allocations

package wire

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/tokenwright/tokenwright/test/allocations"
)

// TestAllocations compares the guard and the validator of bodies, with what they read them into.
func TestAllocations(t *testing.T) {
	all := operations(t)
	for _, c := range []struct {
		operation, body string
		bound           int
	}{
		{"muninx: createToken", `{ "name": "CI token" }`, 9},
		{"apitoken: createApiToken", `{"token_scope":"account","expires_at":"2099-01-01T00:00:00Z"}`, 14},
		{"unleash: createPat", `{"description":"laptop","expiresAt":"2099-01-01T00:00:00Z"}`, 14},
		{"service: introspectTokens", `{"tokens":["a"` + strings.Repeat(`,"a"`, 99) + `]}`, 213},
		{"service: introspectToken", `token=muninx_0123456789`, 4},
		{"muninx: createToken", `{ "name": "", "other": 1 }`, 76}, // rejected
	} {
		t.Run(c.operation, func(t *testing.T) {
			at := slices.IndexFunc(all, func(j judged) bool { return j.name == c.operation })
			if at < 0 {
				t.Fatal("there is no such operation")
			}
			e, w := echo.New().NewContext(nil, nil), httptest.NewRecorder()
			r, body := all[at].request(c.body), strings.NewReader("")
			allocations.Compare(t, c.bound, func() {
				body.Reset(c.body)
				r.Body = readCloser{body}
				e.Reset(r, w)
				all[at].ours(e) //nolint:errcheck // one is rejected
			})
		})
	}
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }
