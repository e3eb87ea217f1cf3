package token

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// A cursor is the name of the last entry of a page, in base64url so that nobody builds on its form.

func encodeCursor(ref Ref) string {
	return base64.RawURLEncoding.EncodeToString([]byte(ref.Dialect.Name + "/" + ref.ID))
}

func decodeCursor(ds Dialects, cursor string) (Ref, bool) {
	dialect, id, _ := strings.Cut(decode(cursor), "/")
	return ds.Ref(dialect, id)
}

// The lists of the registry.
const (
	userList        = "user/"
	accountList     = "account/"
	environmentList = "environment/"
)

func encodeUser(id int64) string { return encodeKey(userList, strconv.FormatInt(id, 10)) }

func decodeUser(cursor string) (int64, bool) { return decodeNumber(userList)(cursor) }

// decodeNumber returns the decoder for the cursors of a list of things that have numbers.
func decodeNumber(list string) func(cursor string) (int64, bool) {
	return func(cursor string) (int64, bool) {
		text, ok := strings.CutPrefix(decode(cursor), list)
		id, err := strconv.ParseInt(text, 10, 64)
		return id, ok && err == nil && id > 0 && strconv.FormatInt(id, 10) == text
	}
}

func encodeKey(list, id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(list + id))
}

// decodeKey returns the decoder for the cursors of one list.
func decodeKey(list string) func(cursor string) (string, bool) {
	return func(cursor string) (string, bool) {
		id, ok := strings.CutPrefix(decode(cursor), list)
		return id, ok && ValidKey(id)
	}
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
	const detail = "must be the next_cursor of an earlier page of this list"
	return Faulty(Fault{In: InQuery, Pointer: "/cursor", Detail: detail})
}
