package wire

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/tokenwright/tokenwright/internal/token"
)

// The kinds of failure that only HTTP knows.
const (
	MethodNotAllowed     token.Kind = "method not allowed"
	TooLarge             token.Kind = "payload too large"
	UnsupportedMediaType token.Kind = "unsupported media type"
	TooManyRequests      token.Kind = "too many requests"
	NotImplemented       token.Kind = "not implemented"
)

// Kinds lists every kind that a response can have.
var Kinds = append(
	[]token.Kind{MethodNotAllowed, TooLarge, UnsupportedMediaType, TooManyRequests, NotImplemented}, token.Kinds...)

// statuses is the one table from kind to status.
var statuses = map[token.Kind]int{
	token.Invalid:           http.StatusBadRequest,
	token.CredentialMissing: http.StatusUnauthorized,
	token.CredentialInvalid: http.StatusUnauthorized,
	token.Forbidden:         http.StatusForbidden,
	token.LimitReached:      http.StatusForbidden,
	token.NotFound:          http.StatusNotFound,
	token.NameTaken:         http.StatusConflict,
	token.Conflict:          http.StatusConflict,
	token.KeyReused:         http.StatusUnprocessableEntity,
	token.Unavailable:       http.StatusServiceUnavailable,
	token.Overloaded:        http.StatusServiceUnavailable,
	token.Canceled:          http.StatusServiceUnavailable, // the client is gone
	token.Internal:          http.StatusInternalServerError,
	MethodNotAllowed:        http.StatusMethodNotAllowed,
	TooLarge:                http.StatusRequestEntityTooLarge,
	UnsupportedMediaType:    http.StatusUnsupportedMediaType,
	TooManyRequests:         http.StatusTooManyRequests,
	NotImplemented:          http.StatusNotImplemented,
}

// Failure is what a dialect reveals of an error: nothing in it is internal.
type Failure struct {
	Kind      token.Kind
	Status    int
	Message   string
	Faults    []token.Fault
	RequestID string
	Takes     Schemes // the credential schemes of the path
}

// standard are the messages of kinds whose errors must not be shown.
var standard = map[token.Kind]string{
	token.NotFound:          "there is nothing at this path",
	MethodNotAllowed:        "the path does not support this method",
	token.Unavailable:       "the service is unavailable; try again",
	token.Overloaded:        "the server is overloaded; try again in a moment",
	token.Canceled:          "the request was cancelled",
	token.Internal:          "the server failed; the log has the details under the request id",
	token.Invalid:           "the request does not fit",
	token.CredentialMissing: "a credential is needed",
	token.CredentialInvalid: "the credential is not valid",
}

// Explain reduces an error to what may be shown.
func Explain(ctx context.Context, err error) Failure {
	f := Failure{Kind: kindOf(err), RequestID: requestID(ctx)}
	var shown *token.Error
	if errors.As(err, &shown) && f.Kind != token.Internal && f.Kind != token.Unavailable {
		f.Message, f.Faults = shown.Message, shown.Faults
	}
	if f.Message == "" {
		f.Message = standard[f.Kind]
	}
	if f.Message == "" {
		f.Message = string(f.Kind)
	}
	f.Status = statuses[f.Kind]
	return f
}

// kindOf also knows the errors of Echo, the generated binder and the context.
func kindOf(err error) token.Kind {
	var kind token.Kind
	var answer *echo.HTTPError
	switch {
	case errors.As(err, &kind):
		if _, known := statuses[kind]; known {
			return kind
		}
		return token.Internal
	case errors.Is(err, context.DeadlineExceeded):
		return token.Unavailable
	case errors.Is(err, context.Canceled):
		return token.Canceled
	case errors.As(err, &answer):
		return kindOfStatus(answer.Code)
	}
	return token.Internal
}

func kindOfStatus(status int) token.Kind {
	switch status {
	case http.StatusNotFound:
		return token.NotFound
	case http.StatusMethodNotAllowed:
		return MethodNotAllowed
	case http.StatusBadRequest:
		return token.Invalid
	}
	return token.Internal
}

// ErrorWriter writes a failure in the shape of a dialect.
type ErrorWriter func(c echo.Context, f Failure) error

// Fail responds with the failure: first the headers common to all dialects, then the dialect's body.
func Fail(c echo.Context, err error, takes Schemes, write ErrorWriter) {
	if c.Response().Committed {
		return
	}
	f := Explain(c.Request().Context(), err)
	f.Takes = takes
	h := c.Response().Header()
	h.Set(echo.HeaderCacheControl, "no-store")
	switch f.Kind {
	case token.CredentialMissing:
		h.Set(echo.HeaderWWWAuthenticate, `Bearer realm="tokenwright"`)
	case token.CredentialInvalid:
		h.Set(echo.HeaderWWWAuthenticate, `Bearer realm="tokenwright", error="invalid_token"`)
	case token.Forbidden, token.LimitReached:
		h.Set(echo.HeaderWWWAuthenticate, `Bearer realm="tokenwright", error="insufficient_scope"`)
	case token.Unavailable, token.Overloaded, token.Canceled, TooManyRequests:
		h.Set(echo.HeaderRetryAfter, "1")
		if f.Kind == TooManyRequests {
			setLimit(h, err)
		}
	case MethodNotAllowed:
		h.Set(echo.HeaderAllow, allowed(c))
	}
	if f.Status == http.StatusUnauthorized && takes.Has("basic") {
		h.Add(echo.HeaderWWWAuthenticate, `Basic realm="tokenwright"`)
	}
	if refused := (*notTaken)(nil); errors.As(err, &refused) {
		refused.name(h)
	}
	if err := write(c, f); err != nil {
		c.Set(writeErrorKey, fmt.Errorf("cannot write the response: %w", err))
	}
}

// writeErrorKey holds an error of the connection for the access log.
const writeErrorKey = "tokenwright.write_error"

// RenameFaults rewrites the pointers of an error's faults to the dialect's names of the members.
func RenameFaults(err error, names *strings.Replacer) error {
	var original *token.Error
	if !errors.As(err, &original) || len(original.Faults) == 0 {
		return err
	}
	renamed := *original
	renamed.Faults = nil
	for _, f := range original.Faults {
		f.Pointer = names.Replace(f.Pointer)
		renamed.Faults = append(renamed.Faults, f)
	}
	return &renamed
}
