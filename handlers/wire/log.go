package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tokenwright/tokenwright/internal/token"
)

// Access is what one request left: for the log and for metrics. It holds no secret and no body.
type Access struct {
	Dialect   string
	Operation string // operationId, "" if no operation matched
	Method    string
	Status    int
	Duration  time.Duration
	RequestID string // our own; no two requests share one
	SentID    string // the sender's, which the answer has in its place; "" if there is none
	Caller    string // user or account and token of the caller, "" if it was not authenticated
	Err       error  // of a 5xx answer, or of one that was broken off
}

// Describe tells the names of a request: dialect, operation and caller.
type Describe func(c echo.Context) (dialect, operation, caller string)

// WithAccess answers errors through fail and reports every request once. It ends the connection where an error came after
// the answer had begun.
func WithAccess(describe Describe, fail func(echo.Context, error), report func(context.Context, Access)) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			err := next(c)
			brokenOff := err != nil && c.Response().Committed
			if err != nil {
				fail(c, err)
			}
			call := callOf(c.Request().Context())
			a := Access{Method: call.method, Status: c.Response().Status, Duration: call.elapsed()}
			a.RequestID, a.SentID = call.id, call.sent
			a.Dialect, a.Operation, a.Caller = describe(c)
			if a.Status >= http.StatusInternalServerError || brokenOff {
				a.Err = err
			} else if failed, ok := c.Get(writeErrorKey).(error); ok {
				a.Err = failed
			}
			report(c.Request().Context(), a)
			if brokenOff {
				panic(http.ErrAbortHandler) // else what was sent would look whole
			}
			return nil
		}
	}
}

// Log writes one line for the request. It makes the record itself, since [slog.Logger] looks for the line of code each
// time, which is not logged.
func (a Access) Log(ctx context.Context, log *slog.Logger, now time.Time) {
	level := slog.LevelInfo
	switch {
	case errors.Is(a.Err, token.Overloaded):
		level = slog.LevelWarn
	case a.Err != nil:
		level = slog.LevelError
	}
	if !log.Enabled(ctx, level) {
		return
	}
	line := slog.NewRecord(now, level, "request", 0)
	line.AddAttrs(
		slog.String("request_id", a.RequestID), slog.String("dialect", a.Dialect), slog.String("operation", a.Operation),
		slog.String("method", a.Method), slog.Int("status", a.Status), slog.Duration("duration", a.Duration),
		slog.String("caller", a.Caller),
	)
	if a.SentID != "" {
		line.AddAttrs(slog.String("client_request_id", a.SentID))
	}
	if a.Err != nil {
		line.AddAttrs(slog.String("error", a.Err.Error()))
	}
	log.Handler().Handle(ctx, line) //nolint:errcheck // there is no other log to tell
}

// Recover turns a panic into an internal error with its stack for the log.
func Recover(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler { //nolint:errorlint // net/http compares it the same way
					panic(p)
				}
				err = token.Wrap(token.Internal, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
			}
		}()
		return next(c)
	}
}
