package verify

import (
	"errors"
	"hash/crc32"
	"strings"
)

const (
	muninxPrefix  = "muninx_"
	muninxLength  = len(muninxPrefix) + 36
	muninxCheck   = 6 // characters of the checksum at the end
	unleashPrefix = "user:"
	unleashLength = len(unleashPrefix) + 56

	base62    = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	hexDigits = "0123456789abcdef"
)

var errNoForm = errors.New("it has a form that no token has")

// formed reports whether Tokenwright can have made the secret: by prefix, length, alphabet and checksum, or by the
// parts of a JWT. What cannot be a token needs no question.
func formed(secret string) bool {
	switch {
	case strings.HasPrefix(secret, muninxPrefix):
		return len(secret) == muninxLength && only(base62, secret[len(muninxPrefix):]) && checked(secret)
	case strings.HasPrefix(secret, unleashPrefix):
		return len(secret) == unleashLength && only(hexDigits, secret[len(unleashPrefix):])
	}
	_, err := parseHeader(secret)
	return err == nil
}

// only reports whether the text has no other characters than these.
func only(alphabet, text string) bool { return strings.Trim(text, alphabet) == "" }

// checked compares the end of the secret with the CRC-32 (IEEE) of what is before it.
func checked(secret string) bool {
	body, end := secret[:len(secret)-muninxCheck], secret[len(secret)-muninxCheck:]
	sum := crc32.ChecksumIEEE([]byte(body))
	for i := len(end) - 1; i >= 0; i-- {
		if end[i] != base62[sum%62] {
			return false
		}
		sum /= 62
	}
	return true
}
