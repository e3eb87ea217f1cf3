package token

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// A cursor is the name of the last entry of a page, in base64url so that nobody builds on its form.

func encodeCursor(ref Ref) string {
	return base64.RawURLEncoding.EncodeToString([]byte(string(ref.Dialect) + "/" + ref.ID))
}

func decodeCursor(cursor string) (Ref, bool) {
	dialect, id, ok := strings.Cut(decode(cursor), "/")
	ref := Ref{Dialect(dialect), id}
	return ref, ok && ref.Dialect.Valid() && ValidID(ref.Dialect, id)
}

func encodeUser(id int64) string {
	return base64.RawURLEncoding.EncodeToString([]byte("user/" + strconv.FormatInt(id, 10)))
}

func decodeUser(cursor string) (int64, bool) {
	text, ok := strings.CutPrefix(decode(cursor), "user/")
	id, err := strconv.ParseInt(text, 10, 64)
	return id, ok && err == nil && id > 0
}

func encodeKey(id string) string { return base64.RawURLEncoding.EncodeToString([]byte("key/" + id)) }

func decodeKey(cursor string) (string, bool) {
	id, ok := strings.CutPrefix(decode(cursor), "key/")
	return id, ok && ValidKey(id)
}

// decode returns "" for what is no base64url. The decoder skips line breaks; here one cursor has one spelling.
func decode(cursor string) string {
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || strings.ContainsAny(cursor, "\r\n") {
		return ""
	}
	return string(b)
}

func badCursor() error {
	return Faulty(Fault{In: InQuery, Pointer: "/cursor", Detail: "must be the next_cursor of an earlier page of this list"})
}
