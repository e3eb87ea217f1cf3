package wire

import (
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"github.com/tokenwright/tokenwright/internal/token"
)

// guardForm accepts exactly one form that matches the schema, with each parameter at most once (RFC 6749 section 3.2).
// It leaves the form on the request, so that it is read once.
func guardForm(schema *openapi3.Schema) echo.MiddlewareFunc {
	quick := plainSchema(schema)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if err := checkContentType(r.Header, echo.MIMEApplicationForm); err != nil {
				return err
			}
			form, err := readBody(r, MaxBody, parseForm)
			if err != nil {
				return err
			}
			if !quick || !fitsForm(form, schema) {
				if err := checkForm(form, schema, veilOf(r.Context())); err != nil {
					return err
				}
			}
			r.Body, r.Form, r.PostForm = http.NoBody, form, form
			return next(c)
		}
	}
}

// AsksAbout notes that the request has a form that asks about a secret, for [token.Beside].
func AsksAbout(r *http.Request) {
	if c := callOf(r.Context()); c != nil {
		c.beside.Asker = (*question)(r)
	}
}

// question is a request that asks about the secret in the parameter token (RFC 7662 section 2.1).
type question http.Request

// Secret implements [token.Beside]'s Asker: it does not wait for the body. What the form has to be like is the guard's.
func (q *question) Secret() string {
	form, err := url.ParseQuery(string(arrivedBody((*http.Request)(q))))
	if err != nil {
		return ""
	}
	return form.Get("token")
}

func parseForm(body []byte) (url.Values, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, badBody("the body must be a percent-encoded form")
	}
	return form, nil
}

// checkForm accepts every parameter once, and validates the form as an object of strings.
func checkForm(form url.Values, schema *openapi3.Schema, veil *Veil) error {
	found, object := faults{veil: veil}, make(map[string]any, len(form))
	for _, name := range slices.Sorted(maps.Keys(form)) {
		if len(found.all) == maxFaults {
			break
		}
		values := form[name]
		switch {
		case !plain(name), !plain(values[0]):
			return badBody("the body must be in UTF-8 and must not contain the character U+0000")
		case len(values) > 1:
			found.add(token.Fault{Pointer: pointer([]string{found.shown(name)}), Detail: "must be given once"})
		}
		object[name] = values[0]
	}
	if err := token.Faulty(found.all...); err != nil {
		return err
	}
	if err := schema.VisitJSON(object, openapi3.MultiErrors()); err != nil {
		return refusal(err, veil)
	}
	return nil
}
