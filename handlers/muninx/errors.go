package muninx

import (
	"github.com/labstack/echo/v4"

	"github.com/tokenwright/tokenwright/handlers/wire"
)

// WriteError answers with problem details (RFC 9457), which every kind of failure has.
func WriteError(c echo.Context, f wire.Failure) error { return wire.WriteProblem(c, f, "") }
