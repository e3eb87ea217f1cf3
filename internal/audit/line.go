package audit

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"github.com/tokenwright/tokenwright/internal/token"
)

// timeFormat has the milliseconds always.
const timeFormat = "2006-01-02T15:04:05.000Z07:00"

// Line is an event as it is exported and hashed: a JSON object without white space, its members in the order of their
// names. No two events have the same line, whatever is in them, so that the hash of the line is one of everything in
// the event: text that is no UTF-8 and objects that are none have a form that nothing else has.
func Line(e token.Event) []byte {
	b := make([]byte, 0, 512)
	b = appendText(append(b, `{"action":`...), e.Action)
	b = appendText(append(b, `,"actor":`...), e.Actor)
	b = appendText(append(b, `,"address":`...), e.Address)
	b = appendObject(append(b, `,"after":`...), e.After)
	b = appendText(append(b, `,"agent":`...), e.Agent)
	b = append(e.At.UTC().AppendFormat(append(b, `,"at":"`...), timeFormat), '"')
	b = appendObject(append(b, `,"before":`...), e.Before)
	b = appendText(append(b, `,"credential":`...), e.Credential)
	b = append(b, `,"dialect":`...)
	if e.Dialect == "" {
		b = append(b, "null"...)
	} else {
		b = appendText(b, e.Dialect)
	}
	b = strconv.AppendInt(append(b, `,"id":`...), e.ID, 10)
	b = appendText(append(b, `,"object":`...), e.Object)
	b = appendText(append(b, `,"request_id":`...), e.Request)
	return append(b, '}')
}

// appendObject writes a JSON object as it is, null for none.
func appendObject(b []byte, text string) []byte {
	switch {
	case text == "":
		return append(b, "null"...)
	case text[0] == '{' && utf8.ValidString(text) && json.Valid([]byte(text)):
		return append(b, text...)
	}
	return appendText(b, text)
}

const hexDigits = "0123456789abcdef"

// appendText writes a JSON string. A byte that is no UTF-8 becomes a lone surrogate, which no text can have.
func appendText(b []byte, text string) []byte {
	b = append(b, '"')
	for i := 0; i < len(text); {
		c := text[i]
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		case r == utf8.RuneError && size == 1:
			b = append(b, '\\', 'u', 'd', 'c', hexDigits[c>>4], hexDigits[c&15])
		default:
			b = append(b, text[i:i+size]...)
		}
		i += size
	}
	return append(b, '"')
}
