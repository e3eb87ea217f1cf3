package wire

import (
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
)

// Bodies of the most frequent responses are appended piece by piece to a buffer that is used again, since reflection
// costs several times as much. The pieces are what encoding/json writes, to the byte.

// buffers are for bodies of responses. One that has grown beyond maxBuffer is not kept.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

const maxBuffer = 64 << 10

// jsonMedia is the value of a Content-Type, see [noStore].
var jsonMedia = []string{echo.MIMEApplicationJSON}

// SendJSON responds with the body that write appends.
func SendJSON(w http.ResponseWriter, status int, write func([]byte) []byte) error {
	buffer := buffers.Get().(*[]byte) //nolint:forcetypeassert // nothing else is in there
	body := append(write((*buffer)[:0]), '\n')
	if cap(body) <= maxBuffer {
		*buffer = body
		defer buffers.Put(buffer)
	}
	w.Header()[echo.HeaderContentType] = jsonMedia
	w.WriteHeader(status)
	_, err := w.Write(body)
	return err
}

// AppendList appends a list of entries.
func AppendList[T any](b []byte, list []T, entry func([]byte, T) []byte) []byte {
	b = append(b, '[')
	for i, e := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = entry(b, e)
	}
	return append(b, ']')
}

// AppendText appends a string.
func AppendText[S ~string](b []byte, s S) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			text, _ := json.Marshal(string(s)) // which fails for no string
			return append(b, text...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// AppendNullText appends null for the empty text, like [NullText].
func AppendNullText[S ~string](b []byte, s S) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	return AppendText(b, s)
}

// AppendTime appends a time of the years that RFC 3339 can write, which are all that a token can have.
func AppendTime(b []byte, t time.Time) []byte {
	return append(t.AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
}

// AppendNullTime appends null for the zero time, like [NullTime].
func AppendNullTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, "null"...)
	}
	return AppendTime(b, t)
}

// AppendBool appends true or false.
func AppendBool(b []byte, value bool) []byte { return strconv.AppendBool(b, value) }
