package service

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/tokenwright/tokenwright/handlers/wire"
)

// WriteError answers with problem details (RFC 9457), which every kind of failure has. Where OAuth's clients come, with
// a name and a password, they also have the error code that those read (RFC 7662 section 2.3).
func WriteError(c echo.Context, f wire.Failure) error {
	if !f.Takes.Has("basic") {
		return wire.WriteProblem(c, f, "")
	}
	return wire.WriteProblem(c, f, oauthError(f.Status))
}

// oauthError is the code of RFC 6749 section 5.2, of RFC 6750 section 3.1, or of RFC 6749 section 4.1.2.1.
func oauthError(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "invalid_client"
	case http.StatusForbidden:
		return "insufficient_scope"
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return "temporarily_unavailable"
	case http.StatusInternalServerError:
		return "server_error"
	}
	return "invalid_request"
}
