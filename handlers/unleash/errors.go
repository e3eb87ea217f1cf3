package unleash

import (
	"github.com/labstack/echo/v4"

	gen "github.com/tokenwright/tokenwright/gen/unleash"
	"github.com/tokenwright/tokenwright/handlers/wire"
	"github.com/tokenwright/tokenwright/internal/token"
)

// names is the one table from kind to name.
var names = map[token.Kind]gen.ApiErrorSchemaName{
	token.Invalid:             gen.BadDataError,
	token.CredentialMissing:   gen.AuthenticationRequired,
	token.CredentialInvalid:   gen.UnauthorizedError,
	token.Forbidden:           gen.ForbiddenError,
	token.LimitReached:        gen.OperationDeniedError,
	token.NotFound:            gen.NotFoundError,
	token.NameTaken:           gen.NameExistsError,
	token.Conflict:            gen.OperationDeniedError,
	token.KeyReused:           gen.BadDataError,
	token.Unavailable:         gen.ServiceUnavailableError,
	token.Overloaded:          gen.ServiceUnavailableError,
	token.Canceled:            gen.ServiceUnavailableError,
	token.Internal:            gen.UnknownError,
	wire.MethodNotAllowed:     gen.MethodNotAllowedError,
	wire.TooLarge:             gen.PayloadTooLargeError,
	wire.UnsupportedMediaType: gen.ContentTypeError,
	wire.TooManyRequests:      gen.RateLimitError,
	wire.NotImplemented:       gen.UnknownError, // which no operation returns
}

// WriteError responds with what clients of the older and the newer servers expect: details is never empty, and has each
// of its texts under both names.
func WriteError(c echo.Context, f wire.Failure) error {
	body := gen.ApiErrorSchema{Id: f.RequestID, Name: names[f.Kind], Message: f.Message}
	for _, fault := range f.Faults {
		text, where := fault.Detail, place(fault)
		if name := fault.Member(); name != "" {
			text = name + " " + text
		}
		body.Details = append(body.Details, gen.ApiErrorDetailSchema{Message: text, Description: text, Path: &where})
	}
	if len(body.Details) == 0 {
		body.Details = []gen.ApiErrorDetailSchema{{Message: f.Message, Description: f.Message}}
	}
	return wire.WriteJSON(c, f.Status, echo.MIMEApplicationJSON, body)
}

// place is the pointer with the part of the request before it: /body/expiresAt, /params/id, /query/limit.
func place(f token.Fault) string {
	parts := map[token.Part]string{
		token.InBody: "/body", token.InPath: "/params", token.InQuery: "/query", token.InHeader: "/headers",
	}
	return parts[f.In] + f.Pointer
}
