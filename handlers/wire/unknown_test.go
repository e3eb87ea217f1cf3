package wire

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
)

// nested is a contract with objects in objects and in lists, and with one that is a map, which no published one has yet.
const nested = `
openapi: 3.0.3
info: { title: Nested, version: 1.0.0 }
paths:
  /things:
    post:
      operationId: createThing
      requestBody:
        content:
          application/json:
            schema:
              type: object
              properties:
                owner:
                  type: object
                  properties: { first_name: { type: string } }
                parts:
                  type: array
                  items:
                    type: object
                    properties: { size: { type: integer } }
                labels:
                  type: object
                  additionalProperties: { type: string }
      responses: { '200': { description: Done } }
`

func TestNestedMembers(t *testing.T) {
	const body = `{"owner":{"firstName":"x"},"parts":[{"size":1},{"sise":1,"weight":2}],"labels":{"any":"x"},"more":{"deep":1}}`
	for ignore, want := range map[bool][]string{true: nil, false: {
		"/more is not known; the members are labels, owner and parts",
		"/owner/firstName is not known; did you mean first_name?",
		"/parts/1/sise is not known; did you mean size?",
		"/parts/1/weight is not known; the only member is size",
	}} {
		spec, err := Load([]byte(nested), Options{IgnoreUnknown: ignore})
		if err != nil {
			t.Fatal(err)
		}
		handler := func(echo.Context) error { return nil }
		for _, m := range slices.Backward(spec.Middlewares(func(next echo.HandlerFunc) echo.HandlerFunc { return next })["createThing"]) {
			handler = m(handler)
		}
		r := httptest.NewRequest(http.MethodPost, "/things", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		var got []string
		for _, f := range Explain(t.Context(), handler(echo.New().NewContext(r, httptest.NewRecorder()))).Faults {
			got = append(got, f.Pointer+" "+f.Detail)
		}
		if !slices.Equal(got, want) {
			t.Errorf("ignoring is %t: %q", ignore, got)
		}
	}
}

func TestNear(t *testing.T) {
	known := []string{"account_id", "cursor", "expires_at", "limit", "status", "token_scope", "id"}
	for name, want := range map[string]string{
		"accountId": "account_id", "ACCOUNT-ID": "account_id", "acount_id": "account_id", "account": "account_id", "expires": "expires_at",
		"expires_at_time": "expires_at", "lmiit": "limit", "limits": "limit", "state": "status", "scope": "", "page": "", "x": "", "": "", "_": "",
		"ID": "id", "di": "id", "ida": "id", "lim": "", strings.Repeat("a", 100_000): "", "größe": "",
	} {
		if got := near(name, known); got != want {
			t.Errorf("%.20s: %q, want %q", name, got, want)
		}
	}
}

func TestListed(t *testing.T) {
	for want, words := range map[string][]string{"": nil, "a": {"a"}, "a and b": {"a", "b"}, "a, b and c": {"a", "b", "c"}} {
		if got := listed(words, "and"); got != want {
			t.Errorf("%q", got)
		}
	}

}
