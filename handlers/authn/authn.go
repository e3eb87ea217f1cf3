// Package authn turns the credential of a request into the caller on its context. It knows no dialect.
package authn

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/tokenwright/tokenwright/internal/token"
)

// Authenticator says whose credential it is.
type Authenticator interface {
	Authenticate(ctx context.Context, credential string) (token.Caller, error)
}

// Scheme takes the credential out of the value of an Authorization header; false if it has another form.
type Scheme func(value string) (credential string, ok bool)

// Bearer is the scheme of RFC 6750 section 2.1; the word counts in any case (RFC 9110 section 11.1).
func Bearer(value string) (string, bool) {
	scheme, credential, _ := strings.Cut(value, " ")
	credential = strings.TrimLeft(credential, " ")
	return credential, strings.EqualFold(scheme, "Bearer") && credential != "" && !strings.Contains(credential, " ")
}

// BearerOrBare also takes a credential without any scheme.
func BearerOrBare(value string) (string, bool) {
	if !strings.Contains(value, " ") {
		return value, value != "" && !strings.EqualFold(value, "Bearer")
	}
	return Bearer(value)
}

// BearerOrBasic also takes a credential as the password of HTTP Basic (RFC 7617), encoded as clients of OAuth encode it
// (RFC 6749 section 2.3.1).
func BearerOrBasic(value string) (string, bool) {
	scheme, encoded, _ := strings.Cut(value, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return Bearer(value)
	}
	decoded, err := base64.StdEncoding.DecodeString(strings.TrimLeft(encoded, " "))
	if err != nil {
		return "", false
	}
	_, password, _ := strings.Cut(string(decoded), ":")
	password, err = url.QueryUnescape(password)
	return password, err == nil && password != ""
}

type contextKey struct{}

type presentedKey struct{}

// presented is what an open operation that judges credentials itself finds on its context.
type presented struct {
	credential string
	err        error
}

// Presented is the credential of a request to an open operation; an error says why there is none.
func Presented(ctx context.Context) (string, error) {
	p := ctx.Value(presentedKey{}).(presented) //nolint:forcetypeassert // as for Caller
	return p.credential, p.err
}

// Middleware authenticates every request but those to open operations. Door tells whether one is, and how the request
// carries its credential; put adds a value to the request's context.
func Middleware(
	a Authenticator, door func(echo.Context) (scheme Scheme, open bool), put func(ctx context.Context, key, value any),
) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			ctx := c.Request().Context()
			scheme, open := door(c)
			credential, err := credential(c.Request().Header, scheme)
			if open {
				put(ctx, presentedKey{}, presented{credential, err})
				return next(c)
			}
			if err != nil {
				return err
			}
			caller, err := a.Authenticate(ctx, credential)
			if err != nil {
				return err
			}
			put(ctx, contextKey{}, caller)
			return next(c)
		}
	}
}

func credential(h http.Header, scheme Scheme) (string, error) {
	values := h[echo.HeaderAuthorization]
	if len(values) == 0 || len(values) == 1 && values[0] == "" {
		return "", token.Errorf(token.CredentialMissing, "a credential is needed in the Authorization header")
	}
	credential, ok := scheme(values[0])
	if !ok || len(values) > 1 {
		return "", token.Errorf(token.CredentialInvalid, "the credential is not valid")
	}
	return credential, nil
}

// Caller is who makes the request. It panics where the middleware is missing, which is a fault of the program.
func Caller(ctx context.Context) token.Caller {
	return ctx.Value(contextKey{}).(token.Caller) //nolint:forcetypeassert // see above
}

// Describe names the caller for the log, "" if the request has none.
func Describe(ctx context.Context) string {
	caller, ok := ctx.Value(contextKey{}).(token.Caller)
	if !ok {
		return ""
	}
	who := "account:" + caller.AccountID()
	if caller.User != nil {
		who = "user:" + strconv.FormatInt(caller.User.ID, 10)
	}
	if caller.Token != nil {
		who += " token:" + string(caller.Token.Dialect) + "/" + caller.Token.ID
	}
	return who
}
