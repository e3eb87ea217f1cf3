package apitoken

import (
	"github.com/labstack/echo/v4"

	gen "github.com/tokenwright/tokenwright/gen/apitoken"
	"github.com/tokenwright/tokenwright/handlers/wire"
	"github.com/tokenwright/tokenwright/internal/token"
)

// codes is the one table from kind to code.
var codes = map[token.Kind]gen.ApiTokenErrorCode{
	token.Invalid:             gen.BadRequest,
	token.CredentialMissing:   gen.Unauthorized,
	token.CredentialInvalid:   gen.Unauthorized,
	token.Forbidden:           gen.Forbidden,
	token.LimitReached:        gen.Forbidden,
	token.NotFound:            gen.NotFound,
	token.NameTaken:           gen.Conflict,
	token.Conflict:            gen.Conflict,
	token.KeyReused:           gen.BadRequest,
	token.Unavailable:         gen.ServiceUnavailable,
	token.Overloaded:          gen.ServiceUnavailable,
	token.Canceled:            gen.ServiceUnavailable,
	token.Internal:            gen.InternalError,
	wire.MethodNotAllowed:     gen.MethodNotAllowed,
	wire.TooLarge:             gen.PayloadTooLarge,
	wire.UnsupportedMediaType: gen.UnsupportedMediaType,
	wire.TooManyRequests:      gen.TooManyRequests,
	wire.NotImplemented:       gen.InternalError, // which no operation returns
}

// WriteError responds in one of the document's two shapes: with errors by member if members are invalid.
func WriteError(c echo.Context, f wire.Failure) error {
	body := gen.ApiTokenError{Status: gen.Error, Code: codes[f.Kind], Message: f.Message}
	members := map[string][]string{}
	for _, fault := range f.Faults {
		if fault.Pointer != "" {
			members[fault.Member()] = append(members[fault.Member()], fault.Detail)
		}
	}
	if len(members) > 0 {
		body.Code, body.Errors = gen.ValidationErrors, &members
	}
	return wire.WriteJSON(c, f.Status, echo.MIMEApplicationJSON, body)
}
