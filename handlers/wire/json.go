package wire

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

// Bodies of the most frequent responses are appended piece by piece to a buffer that is used again, since reflection
// costs several times as much. The pieces are what encoding/json writes, to the byte.

// jsonMedia is the value of a Content-Type, see [noStore].
var jsonMedia = []string{echo.MIMEApplicationJSON}

// SendJSON responds with the body that write appends.
func SendJSON(w http.ResponseWriter, status int, write func([]byte) []byte) error {
	buffer := takeBuffer()
	defer buffer.release()
	buffer.bytes = append(write(buffer.bytes), '\n')
	w.Header()[echo.HeaderContentType] = jsonMedia
	w.WriteHeader(status)
	_, err := w.Write(buffer.bytes)
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

// escapes are the characters that are not written as they are, or perhaps not.
var escapes = func() (escapes [256]bool) {
	for c := range escapes {
		escapes[c] = c < ' ' || c > '~' || strings.ContainsRune(`"\<>&`, rune(c))
	}
	return escapes
}()

// AppendText appends a string.
func AppendText[S ~string](b []byte, s S) []byte {
	for i := range len(s) {
		if escapes[s[i]] {
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
