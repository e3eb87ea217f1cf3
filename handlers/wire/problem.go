package wire

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/tokenwright/tokenwright/internal/token"
)

// problem is the body of an error as RFC 9457 has it, with the members that the specs add.
type problem struct {
	Type      string         `json:"type"`
	Title     string         `json:"title"`
	Status    int            `json:"status"`
	Detail    string         `json:"detail"`
	RequestID string         `json:"request_id"`
	Error     string         `json:"error,omitempty"`
	Errors    []problemFault `json:"errors,omitempty"`
}

type problemFault struct {
	Detail    string  `json:"detail"`
	Pointer   *string `json:"pointer,omitempty"`
	Parameter string  `json:"parameter,omitempty"`
}

// WriteProblem writes the failure as application/problem+json, with an error code of OAuth if there is one.
func WriteProblem(c echo.Context, f Failure, oauth string) error {
	p := problem{
		Type:  "urn:tokenwright:problem:" + strings.ReplaceAll(string(f.Kind), " ", "-"),
		Title: http.StatusText(f.Status), Status: f.Status, Detail: f.Message, RequestID: f.RequestID,
		Error: oauth,
	}
	for _, fault := range f.Faults {
		entry := problemFault{Detail: fault.Detail}
		if fault.In == token.InBody {
			entry.Pointer = &fault.Pointer
		} else {
			entry.Parameter = fault.Member()
		}
		p.Errors = append(p.Errors, entry)
	}
	return WriteJSON(c, f.Status, "application/problem+json", p)
}

// WriteJSON sends a body with exactly this media type.
func WriteJSON(c echo.Context, status int, media string, body any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return c.Blob(status, media, append(data, '\n'))
}
