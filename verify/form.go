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

// forms are the forms of Tokenwright's secrets, except JWTs. Tokenwright's own tests check them against generated
// secrets.
var forms = []form{
	{prefix: "muninx_", alphabet: base62, length: 30, checksum: 6},
	{prefix: "user:", alphabet: hexDigits, length: 56},
}

var errNoForm = errors.New("it is not a well-formed token")

// formed reports whether Tokenwright can have generated the secret, by prefix, length, alphabet and checksum, or by the
// parts of a JWT. Anything else is rejected without a request.
func formed(secret string) bool {
	for _, f := range forms {
		if strings.HasPrefix(secret, f.prefix) {
			return f.fits(secret)
		}
	}
	_, err := parseHeader(secret)
	return err == nil
}

// fits checks a secret that has the prefix.
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
