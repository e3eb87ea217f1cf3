package wire

import (
	"slices"

	"github.com/labstack/echo/v4"
)

// Router registers handlers with their middlewares already applied. Echo applies them to every request anew.
type Router struct{ *echo.Echo }

// GET implements the router of the generated code.
func (r Router) GET(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route {
	return r.Echo.GET(path, apply(h, m))
}

// POST implements the router of the generated code.
func (r Router) POST(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route {
	return r.Echo.POST(path, apply(h, m))
}

// PATCH implements the router of the generated code.
func (r Router) PATCH(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route {
	return r.Echo.PATCH(path, apply(h, m))
}

// DELETE implements the router of the generated code.
func (r Router) DELETE(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route {
	return r.Echo.DELETE(path, apply(h, m))
}

// Chain makes one middleware of several, for [echo.Echo.Use]. They are applied once, to whatever handler the router has
// found for the request.
func Chain(m ...echo.MiddlewareFunc) echo.MiddlewareFunc {
	chain := apply(func(c echo.Context) error { return c.Handler()(c) }, m)
	return func(echo.HandlerFunc) echo.HandlerFunc { return chain }
}

// apply puts the middlewares before the handler, the first one outermost.
func apply(h echo.HandlerFunc, m []echo.MiddlewareFunc) echo.HandlerFunc {
	for _, middleware := range slices.Backward(m) {
		h = middleware(h)
	}
	return h
}
