package verify

import (
	"errors"
	"hash/crc32"
	"strings"
)

// form is how the secrets of one contract look: random characters between a prefix and perhaps a checksum.
type form struct {
	prefix, alphabet string
	length, checksum int // of what follows the prefix, in characters
}

const (
	base62    = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	hexDigits = "0123456789abcdef"
)

// forms are those that Tokenwright gives its secrets, but for JWTs. Its own tests hold them against what it makes.
var forms = []form{
	{prefix: "muninx_", alphabet: base62, length: 30, checksum: 6},
	{prefix: "user:", alphabet: hexDigits, length: 56},
}

var errNoForm = errors.New("it has a form that no token has")

// formed reports whether Tokenwright can have made the secret: by prefix, length, alphabet and checksum, or by the
// parts of a JWT. What cannot be a token needs no question.
func formed(secret string) bool {
	for _, f := range forms {
		if strings.HasPrefix(secret, f.prefix) {
			return f.fits(secret)
		}
	}
	_, err := parseHeader(secret)
	return err == nil
}

// fits judges a secret with the prefix.
func (f form) fits(secret string) bool {
	end := len(f.prefix) + f.length
	return len(secret) == end+f.checksum && strings.Trim(secret[len(f.prefix):], f.alphabet) == "" &&
		secret[end:] == f.sum(secret[:end])
}

// sum writes the CRC-32 (IEEE) of the text in the alphabet.
func (f form) sum(text string) string {
	sum, out := int64(crc32.ChecksumIEEE([]byte(text))), make([]byte, f.checksum)
	size := int64(len(f.alphabet))
	for i := f.checksum - 1; i >= 0; i-- {
		out[i] = f.alphabet[sum%size]
		sum /= size
	}
	return string(out)
}
