// Package echoverify puts package verify in front of the handlers of Echo v4. It is a module of its own, so that who
// uses verify with net/http gets no Echo. It must not judge anything: verify does.
package echoverify

import (
	"github.com/labstack/echo/v4"

	"github.com/tokenwright/tokenwright/verify"
)

// Middleware lets only requests with a valid token through. The others get the answers of [verify.Verifier.Refuse],
// not those of Echo's error handler.
func Middleware(v *verify.Verifier) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			checked, err := v.Authenticate(c.Request())
			if err != nil {
				v.Refuse(c.Response(), c.Request(), err)
				return nil
			}
			c.SetRequest(checked)
			return next(c)
		}
	}
}

// Token returns the token of a request that passed the middleware.
func Token(c echo.Context) (verify.Token, bool) { return verify.FromContext(c.Request().Context()) }
