package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"

	"github.com/tokenwright/tokenwright/internal/token"
)

const (
	// MaxBody is the largest body of a request, in bytes, unless the spec says otherwise of an operation.
	MaxBody = 64 << 10
	// maxDepth is the deepest nesting of a body, in levels.
	maxDepth = 32
	// manyTokens is the number of JSON tokens up to which all faults of a body are reported: enough for every valid body,
	// of which the largest lists 100 items.
	manyTokens = 256
)

// jsonBody is a parsed body. It is parsed once, for the validator and for the generated code.
type jsonBody struct {
	io.ReadCloser                // of nothing
	object        map[string]any // with numbers as [json.Number]
	tokens        int            // JSON tokens that it had
}

// ValidatedValue is the body for the generated code.
func (b *jsonBody) ValidatedValue() any { return b.object }

// guard accepts exactly one JSON object (RFC 8259, and RFC 7493 where that leaves a choice) and leaves it on the
// request for the validator. Nothing after it rejects repeated members, trailing bytes, bad UTF-8 or U+0000.
func (s *Spec) guard(next echo.HandlerFunc, limit int64) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if err := checkContentType(r.Header, echo.MIMEApplicationJSON); err != nil {
			return err
		}
		body, err := readBody(r, limit, parseObject)
		if err != nil {
			return err
		}
		for _, name := range s.options.Ignored {
			delete(body.object, name)
		}
		r.Header.Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
		r.Body = body
		return next(c)
	}
}

// notTaken is the failure of a body in a form that the operation does not accept.
type notTaken struct {
	media  string // the accepted media type, if that was wrong
	coding string // likewise
	shown  error
}

func (e *notTaken) Error() string { return e.shown.Error() }

func (e *notTaken) Unwrap() error { return e.shown }

// name puts what would have been accepted into the response (RFC 9110 section 15.5.16).
func (e *notTaken) name(h http.Header) {
	if e.media != "" {
		h.Set(echo.HeaderAccept, e.media)
	}
	if e.coding != "" {
		h.Set(echo.HeaderAcceptEncoding, e.coding)
	}
}

// checkContentType accepts one media type, with any parameters, and no content coding.
func checkContentType(h http.Header, want string) error {
	values := h[echo.HeaderContentType]
	taken := len(values) == 1 && (values[0] == want || isMedia(values[0], want))
	coded := slices.ContainsFunc(h[echo.HeaderContentEncoding], encoded)
	if taken && !coded {
		return nil
	}
	refused := &notTaken{}
	if !taken {
		refused.media = want
	}
	if coded {
		refused.coding = "identity"
	}
	refused.shown = token.Errorf(UnsupportedMediaType, "the content type must be %s, in UTF-8 and not compressed", want)
	return refused
}

// encoded reports whether a line of the header names a coding that changes the body.
func encoded(line string) bool {
	for coding := range strings.SplitSeq(line, ",") {
		if coding = strings.TrimSpace(coding); coding != "" && !strings.EqualFold(coding, "identity") {
			return true
		}
	}
	return false
}

// isMedia compares media types. Unknown parameters are ignored. JSON must not have another charset, while a form is
// percent-encoded ASCII, whatever its charset parameter.
func isMedia(value, want string) bool {
	media, params, err := mime.ParseMediaType(value)
	charset, given := params["charset"]
	return err == nil && media == want &&
		(want == echo.MIMEApplicationForm || !given || strings.EqualFold(charset, "utf-8"))
}

// readBody returns what parse makes of the body, which nothing may refer to afterwards: its memory is used again.
func readBody[T any](r *http.Request, limit int64, parse func(text []byte) (T, error)) (parsed T, err error) {
	if r.ContentLength > limit {
		return parsed, tooLarge(limit)
	}
	buffer := takeBuffer()
	defer buffer.release()
	text, err := readAll(r, limit, buffer)
	if err != nil {
		return parsed, &token.Error{Kind: token.Invalid, Message: "the body could not be read to its end", Err: err}
	}
	if int64(len(text)) > limit {
		return parsed, tooLarge(limit)
	}
	return parse(text)
}

// readAll reads a body of unknown length to one byte beyond the limit.
func readAll(r *http.Request, limit int64, into *buffer) ([]byte, error) {
	if r.ContentLength < 0 {
		return io.ReadAll(io.LimitReader(r.Body, limit+1))
	}
	into.bytes = slices.Grow(into.bytes, int(r.ContentLength))[:r.ContentLength]
	_, err := io.ReadFull(r.Body, into.bytes)
	return into.bytes, err
}

func tooLarge(limit int64) error {
	return token.Errorf(TooLarge, "the body must have at most %d bytes", limit)
}

// decoders are used again, since a new one costs more than to decode a body.
var decoders = sync.Pool{New: func() any { return jsontext.NewDecoder(http.NoBody) }}

// parseObject reads a body. The decoder itself rejects repeated names, bad UTF-8 and lone surrogates.
func parseObject(text []byte) (*jsonBody, error) {
	decoder := decoders.Get().(*jsontext.Decoder) //nolint:forcetypeassert // nothing else is in there
	decoder.Reset(bytes.NewBuffer(text))
	defer func() {
		decoder.Reset(http.NoBody) // not to keep the body
		decoders.Put(decoder)
	}()
	p := parser{decoder: decoder}
	if p.decoder.PeekKind() != '{' {
		return nil, badBody("the body must be one JSON object")
	}
	value, err := p.value()
	if err == nil {
		err = checkEnd(p.decoder)
	}
	object, _ := value.(map[string]any)
	return &jsonBody{http.NoBody, object, p.tokens}, err
}

// parser reads JSON and counts its tokens.
type parser struct {
	decoder *jsontext.Decoder
	tokens  int
}

func (p *parser) next() (jsontext.Token, error) {
	p.tokens++
	read, err := p.decoder.ReadToken()
	switch {
	case err != nil:
		return read, syntaxError(err)
	case p.decoder.StackDepth() > maxDepth:
		return read, badBody("the body must not be nested deeper than 32 levels")
	case read.Kind() == '"' && strings.ContainsRune(read.String(), 0):
		return read, badBody("the body must not contain the character U+0000")
	}
	return read, nil
}

func (p *parser) value() (any, error) {
	read, err := p.next()
	if err != nil {
		return nil, err
	}
	switch read.Kind() {
	case '{':
		return p.object()
	case '[':
		return p.array()
	case '"':
		return read.String(), nil
	case '0':
		return json.Number(read.String()), nil
	case 'n':
		return nil, nil
	}
	return read.Bool(), nil
}

func (p *parser) object() (map[string]any, error) {
	object := map[string]any{}
	for p.decoder.PeekKind() != '}' {
		read, err := p.next()
		if err != nil {
			return nil, err
		}
		name := read.String() // before the next token overwrites it
		if object[name], err = p.value(); err != nil {
			return nil, err
		}
	}
	_, err := p.next()
	return object, err
}

func (p *parser) array() ([]any, error) {
	array := []any{}
	for p.decoder.PeekKind() != ']' {
		value, err := p.value()
		if err != nil {
			return nil, err
		}
		array = append(array, value)
	}
	_, err := p.next()
	return array, err
}

func checkEnd(decoder *jsontext.Decoder) error {
	if _, err := decoder.ReadToken(); !errors.Is(err, io.EOF) {
		return badBody("the body must end after one JSON object")
	}
	return nil
}

// syntaxError describes the error without repeating the body.
func syntaxError(err error) error {
	var syntactic *jsontext.SyntacticError
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return badBody("the body must not have duplicate members")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return badBody("the body must be complete JSON; it ends too early")
	case errors.As(err, &syntactic):
		return token.Errorf(token.Invalid, "the body must be valid JSON in UTF-8; it is not at byte %d", syntactic.ByteOffset)
	}
	return badBody("the body must be valid JSON in UTF-8")
}

func badBody(message string) error { return token.Errorf(token.Invalid, "%s", message) }
