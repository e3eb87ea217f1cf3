package wire

import (
	"cmp"
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

// Access describes one request for the log and for metrics. It contains no secret and no body.
type Access struct {
	Dialect   string
	Operation string // operationId, "" if no operation matched
	Method    string
	Status    int
	Duration  time.Duration
	RequestID string // our own, unique to the request
	SentID    string // the client's, which the response has instead; "" if there is none
	Client    string // the client's address
	Caller    string // user or account and token of the caller, "" if it was not authenticated
	Object    string // what the request acts on, such as "token:muninx/…" or "user:2"; "" if it is not a single thing
	Cause     string // why the request was rejected
	Limit     string // the limit that it exceeded, "" if it did not
	Err       error  // of a 5xx response, or of one that was aborted
}

// Describe sets the names of a request: Dialect, Operation, Caller, Object and Client.
type Describe func(c echo.Context) Access

// WithAccess responds to errors through fail and reports every request once. It closes the connection if an error
// occurs after the response has begun.
func WithAccess(
	describe Describe, fail func(echo.Context, error), report func(context.Context, Access),
) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			err := next(c)
			brokenOff := err != nil && c.Response().Committed
			if err != nil {
				fail(c, err)
			}
			call, a := callOf(c.Request().Context()), describe(c)
			a.Method, a.Status, a.Duration = call.method, c.Response().Status, call.elapsed()
			a.RequestID, a.SentID = call.id, call.sent
			a.Caller, a.Object = cmp.Or(a.Caller, call.caller), cmp.Or(call.object, a.Object)
			if a.Status >= http.StatusBadRequest && a.Status < http.StatusInternalServerError {
				a.Cause = call.Veil.over(cause(err))
			}
			if a.Status == http.StatusTooManyRequests {
				a.Limit = limitOf(err)
			}
			if a.Status >= http.StatusInternalServerError || brokenOff {
				a.Err = err
			} else if failed, ok := c.Get(writeErrorKey).(error); ok {
				a.Err = failed
			}
			report(c.Request().Context(), a)
			if brokenOff {
				panic(http.ErrAbortHandler) // else the response would look complete
			}
			return nil
		}
	}
}

// cause is why a request was rejected, in words that repeat nothing of a body. For a credential it has the reason that
// the response does not reveal.
func cause(err error) string {
	var refused *token.Error
	if !errors.As(err, &refused) {
		return string(kindOf(err))
	}
	told := *refused
	if told.Kind == token.CredentialInvalid {
		told = innermost(told)
	} else {
		told.Err = nil // may quote the request
	}
	return told.Error()
}

// innermost is the error that first rejected a credential; its wrappers have the same kind, and messages that add
// nothing.
func innermost(e token.Error) token.Error {
	for e.Err != nil {
		inner, ok := e.Err.(*token.Error) //nolint:errorlint // one that is wrapped further in has words around it
		if !ok || inner.Kind != e.Kind {
			e.Message = ""
			break
		}
		e = *inner
	}
	return e
}

// NoteObject names the object of the request for the log, if its path does not.
func NoteObject(ctx context.Context, object string) {
	if c := callOf(ctx); c != nil {
		c.object = object
	}
}

// NoteCaller names the caller for the log, in operations that check the credential themselves.
func NoteCaller(ctx context.Context, caller string) {
	if c := callOf(ctx); c != nil {
		c.caller = caller
	}
}

// milliseconds is a duration as the log has it.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// levelOf is error only for failures of the server. Callers can disconnect, or overload it, as often as they like.
func levelOf(err error) slog.Level {
	if kind := kindOf(err); kind == token.Overloaded || kind == token.Canceled {
		return slog.LevelWarn
	}
	return slog.LevelError
}

// Log writes one line for the request. It builds the record itself, since [slog.Logger] looks up the source line every
// time, which is not logged.
func (a Access) Log(ctx context.Context, log *slog.Logger, now time.Time) {
	level := slog.LevelInfo
	if a.Err != nil {
		level = levelOf(a.Err)
	}
	if !log.Enabled(ctx, level) {
		return
	}
	line := slog.NewRecord(now, level, "request", 0)
	var room [12]slog.Attr
	attrs := append(room[:0],
		slog.String("request_id", a.RequestID), slog.String("dialect", a.Dialect), slog.String("operation", a.Operation),
		slog.String("method", a.Method), slog.Int("status", a.Status), slog.Float64("duration_ms", milliseconds(a.Duration)),
		slog.String("client", a.Client), slog.String("caller", a.Caller),
	)
	if a.Object != "" {
		attrs = append(attrs, slog.String("object", a.Object))
	}
	if a.Cause != "" {
		attrs = append(attrs, slog.String("cause", a.Cause))
	}
	if a.SentID != "" {
		attrs = append(attrs, slog.String("client_request_id", a.SentID))
	}
	if a.Err != nil {
		attrs = append(attrs, slog.String("error", veilOf(ctx).over(a.Err.Error())))
	}
	line.AddAttrs(attrs...)
	log.Handler().Handle(ctx, line) //nolint:errcheck // there is nowhere else to log it
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
