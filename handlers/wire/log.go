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

// Access is what one request left: for the log and for metrics. It holds no secret and no body.
type Access struct {
	Dialect   string
	Operation string // operationId, "" if no operation matched
	Method    string
	Status    int
	Duration  time.Duration
	RequestID string // our own; no two requests share one
	SentID    string // the sender's, which the answer has in its place; "" if there is none
	Client    string // address from which the request came
	Caller    string // user or account and token of the caller, "" if it was not authenticated
	Object    string // what was acted on or asked for, such as "token:muninx/…" or "user:2"; "" if it is not one thing
	Cause     string // why a request was refused
	Err       error  // of a 5xx answer, or of one that was broken off
}

// Describe tells the names of a request: Dialect, Operation, Caller, Object and Client.
type Describe func(c echo.Context) Access

// WithAccess answers errors through fail and reports every request once. It ends the connection where an error came
// after the answer had begun.
func WithAccess(
	describe Describe, fail func(echo.Context, error), report func(context.Context, Access),
) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			nameAnswer(c)
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

// nameAnswer puts the request id into the header at the last moment: the generated answers set it, too, and would have
// to be told each time.
func nameAnswer(c echo.Context) {
	id := callOf(c.Request().Context()).name()
	c.Response().Before(func() { c.Response().Header().Set(echo.HeaderXRequestID, id) })
}

// cause is why a request was refused, in words that repeat nothing of a body. Of a credential they also say what the
// answer does not.
func cause(err error) string {
	var refused *token.Error
	if !errors.As(err, &refused) {
		return string(kindOf(err))
	}
	told := *refused
	if told.Kind == token.CredentialInvalid {
		told = innermost(told)
	} else {
		told.Err = nil // may quote what was sent
	}
	return told.Error()
}

// innermost is what first found a credential wrong; what handed that on has the same kind, and a message that says no
// more.
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

// NoteObject names for the log what the request acts on, where its path does not.
func NoteObject(ctx context.Context, object string) {
	if c := callOf(ctx); c != nil {
		c.object = object
	}
}

// NoteCaller names for the log whose credential an operation has judged by itself.
func NoteCaller(ctx context.Context, caller string) {
	if c := callOf(ctx); c != nil {
		c.caller = caller
	}
}

// milliseconds is a duration as the log has it.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// levelOf leaves errors to what is a fault of ours. A caller can leave, or ask for too much, as often as it pleases.
func levelOf(err error) slog.Level {
	if kind := kindOf(err); kind == token.Overloaded || kind == token.Canceled {
		return slog.LevelWarn
	}
	return slog.LevelError
}

// Log writes one line for the request. It makes the record itself, since [slog.Logger] looks for the line of code each
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
	line.AddAttrs(
		slog.String("request_id", a.RequestID), slog.String("dialect", a.Dialect), slog.String("operation", a.Operation),
		slog.String("method", a.Method), slog.Int("status", a.Status), slog.Float64("duration_ms", milliseconds(a.Duration)),
		slog.String("client", a.Client), slog.String("caller", a.Caller),
	)
	if a.Object != "" {
		line.AddAttrs(slog.String("object", a.Object))
	}
	if a.Cause != "" {
		line.AddAttrs(slog.String("cause", a.Cause))
	}
	if a.SentID != "" {
		line.AddAttrs(slog.String("client_request_id", a.SentID))
	}
	if a.Err != nil {
		line.AddAttrs(slog.String("error", veilOf(ctx).over(a.Err.Error())))
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
