// Package draw draws random values for tests, of every kind that a server can come to have.
package draw

import (
	"time"

	"pgregory.net/rapid"

	"github.com/tokenwright/tokenwright/internal/token"
)

// Text is a text that is often plain, and often has what JSON, HTML or a log escapes.
func Text(t *rapid.T, label string) string {
	return rapid.OneOf(
		rapid.Just(""), rapid.StringMatching(`[ -~]{0,20}`), rapid.StringMatching(`[a-z0-9-]{1,40}`), rapid.String(),
		rapid.StringMatching("[\"\\\\<>&\u007f\u0080\u2028\u2029\ufffd\t\n]{1,4}"),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 8), func(b []byte) string { return string(b) }),
	).Draw(t, label)
}

// Time is a time in UTC, in milliseconds, of a year that RFC 3339 can write.
func Time(t *rapid.T, label string) time.Time {
	return time.UnixMilli(rapid.Int64Range(-62135596800000, 253402300799999).Draw(t, label)).UTC()
}

// TimeOrZero is also the zero time.
func TimeOrZero(t *rapid.T, label string) time.Time {
	if rapid.Bool().Draw(t, label+" is set") {
		return Time(t, label)
	}
	return time.Time{}
}

// Token is a token with any values, also such as the rules do not allow together.
func Token(t *rapid.T, d *token.Dialect) token.Token {
	return token.Token{
		Dialect: d, Seq: rapid.Int64Min(1).Draw(t, "seq"), ID: Text(t, "id"), Name: Text(t, "name"),
		Scope:  rapid.SampledFrom([]token.Scope{token.ScopeUser, token.ScopeAccount, token.ScopeEnvironment}).Draw(t, "scope"),
		UserID: rapid.Int64Min(0).Draw(t, "user"), AccountID: Text(t, "account"), EnvironmentID: Text(t, "environment"),
		State:            rapid.SampledFrom([]token.State{token.Active, token.Suspended, token.Revoked}).Draw(t, "state"),
		CreatedByAdminID: Text(t, "admin"), CreatedAt: Time(t, "created"), UpdatedAt: Time(t, "updated"),
		ExpiresAt: TimeOrZero(t, "expires"), LastUsedAt: TimeOrZero(t, "used"),
	}
}

// Page is a page of a list.
func Page(t *rapid.T, d *token.Dialect) token.Page {
	page := token.Page{Next: Text(t, "cursor")}
	for range rapid.IntRange(0, 3).Draw(t, "tokens") {
		page.Tokens = append(page.Tokens, Token(t, d))
	}
	return page
}
