// Package authn turns the credential of a request into the caller on its context. It knows the schemes of the
// Authorization header, and must not know any dialect or what a credential looks like. handlers puts it before every
// operation; the dialects ask it for the caller.
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

// Authenticator identifies the caller by its credential.
type Authenticator interface {
	Authenticate(ctx context.Context, credential string) (token.Caller, error)
}

// Scheme extracts the credential from the value of an Authorization header, "" if it is malformed. It reports false if
// the value has no credential, or one of a scheme that is not accepted.
type Scheme func(value string) (credential string, own bool)

// Bearer is the scheme of RFC 6750 section 2.1; the word is not case-sensitive (RFC 9110 section 11.1).
func Bearer(value string) (string, bool) {
	credential, own := cut(value, "Bearer")
	if strings.Contains(credential, " ") {
		credential = ""
	}
	return credential, own
}

// cut removes the name of the scheme; false if the value has another one, or nothing after it.
func cut(value, scheme string) (string, bool) {
	name, rest, _ := strings.Cut(value, " ")
	rest = strings.TrimLeft(rest, " ")
	return rest, strings.EqualFold(name, scheme) && rest != ""
}

// BearerOrBare also accepts a credential without any scheme.
func BearerOrBare(value string) (string, bool) {
	if !strings.Contains(value, " ") {
		return value, value != "" && !strings.EqualFold(value, "Bearer")
	}
	return Bearer(value)
}

// BearerOrBasic also accepts a credential as the password of HTTP Basic (RFC 7617), encoded as clients of OAuth encode
// it (RFC 6749 section 2.3.1).
func BearerOrBasic(value string) (string, bool) {
	encoded, own := cut(value, "Basic")
	if !own {
		return Bearer(value)
	}
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", true
	}
	_, password, _ := strings.Cut(string(decoded), ":")
	if password, err = url.QueryUnescape(password); err != nil {
		return "", true
	}
	return password, true
}

type contextKey struct{}

// authenticated is who makes a request, and by which credential.
type authenticated struct {
	caller     token.Caller
	credential string
	arrivals   int64 // on the connection, before the credential was checked
	counted    bool  // whether they are known
}

// Share implements what [token.ShareKey] asks of a context.
func (a *authenticated) Share() token.Share { return a.caller.Share() }

type presentedKey struct{}

// presented is in the context of an open operation that checks credentials itself.
type presented struct {
	credential string
	err        error
	request    echo.Context
	admit      Admit
}

// Presented returns the credential of a request to an open operation, or an error with the reason why there is none.
func Presented(ctx context.Context) (string, error) {
	p := ctx.Value(presentedKey{}).(*presented) //nolint:forcetypeassert // as for Caller
	return p.credential, p.err
}

// Admit decides whether a caller who has been authenticated may make the request now.
type Admit func(c echo.Context, caller token.Caller) error

// Admitted is for open operations that check credentials themselves: whether the caller that they have found may make
// the request now.
func Admitted(ctx context.Context, caller token.Caller) error {
	p := ctx.Value(presentedKey{}).(*presented) //nolint:forcetypeassert // as for Caller
	return p.admit(p.request, caller)
}

// Middleware authenticates every request except those to open operations. Access reports whether an operation is open,
// and how the request carries its credential; admit may refuse a caller; put adds a value to the request's context;
// arrivals counts what has arrived on its connection, if that is known.
func Middleware(
	a Authenticator, access func(echo.Context) (scheme Scheme, open bool), admit Admit,
	put func(ctx context.Context, key, value any), arrivals func(context.Context) (count int64, known bool),
) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			ctx := c.Request().Context()
			scheme, open := access(c)
			credential, err := Credential(c.Request().Header, scheme)
			if open {
				put(ctx, presentedKey{}, &presented{credential, err, c, admit})
				return next(c)
			}
			if err != nil {
				return err
			}
			arrived, counted := arrivals(ctx)
			caller, err := a.Authenticate(ctx, credential)
			if err != nil {
				return err
			}
			who := &authenticated{caller, credential, arrived, counted}
			put(ctx, contextKey{}, who)
			put(ctx, token.ShareKey{}, who)
			if err := admit(c, caller); err != nil {
				return err
			}
			return next(c)
		}
	}
}

// Again authenticates the caller once more. It runs after the body of a request was read: a slow sender's credential
// may have been revoked meanwhile. If nothing has arrived meanwhile, all of the body had come before the caller was
// authenticated.
func Again(
	a Authenticator, put func(ctx context.Context, key, value any), arrivals func(context.Context) (int64, bool),
) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			ctx := c.Request().Context()
			before, ok := ctx.Value(contextKey{}).(*authenticated)
			if !ok { // an open operation
				return next(c)
			}
			if arrived, counted := arrivals(ctx); counted && before.counted && arrived == before.arrivals {
				return next(c)
			}
			caller, err := a.Authenticate(ctx, before.credential)
			if err != nil {
				return err
			}
			if caller != before.caller {
				put(ctx, contextKey{}, &authenticated{caller: caller, credential: before.credential})
			}
			return next(c)
		}
	}
}

// Credential is that of a request, or an error with the reason why there is none.
func Credential(h http.Header, scheme Scheme) (string, error) {
	values := h[echo.HeaderAuthorization]
	if len(values) == 0 || len(values) == 1 && values[0] == "" {
		return "", token.Errorf(token.CredentialMissing, "a credential is needed in the Authorization header")
	}
	credential, own := scheme(values[0])
	switch {
	case len(values) > 1, own && credential == "":
		return "", token.Errorf(token.CredentialInvalid, "the credential is not valid")
	case !own: // not an invalid credential (RFC 6750 section 3.1)
		return "", token.Errorf(token.CredentialMissing,
			"a credential is needed in the Authorization header, after the word Bearer")
	}
	return credential, nil
}

// Caller returns the caller of the request. It panics if the middleware is missing, which is a bug.
func Caller(ctx context.Context) token.Caller {
	return ctx.Value(contextKey{}).(*authenticated).caller //nolint:forcetypeassert // see above
}

// Describe returns the name of the caller for the log, "" if the request has none.
func Describe(ctx context.Context) string {
	found, ok := ctx.Value(contextKey{}).(*authenticated)
	if !ok {
		return ""
	}
	return Name(found.caller)
}

// Name names a caller for the log.
func Name(caller token.Caller) string {
	var room [128]byte
	who := append(room[:0], "account:"...)
	if caller.User != nil {
		who = strconv.AppendInt(append(room[:0], "user:"...), caller.User.ID, 10)
	} else {
		who = append(who, caller.AccountID()...)
	}
	if caller.Token != nil {
		who = append(append(who, ' '), caller.Token.Ref().Object()...)
	}
	return string(who)
}
