package token

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Hash is the SHA-256 of a secret: the only form in which a secret is kept. Every secret carries at least 160 random
// bits (30 base62 characters, 28 bytes, or a signature with a random `jti`), so guessing is hopeless and one fast hash
// is enough; slow password hashes are for secrets that people choose.
type Hash [sha256.Size]byte

// HashSecret returns the hash under which the store knows the secret.
func HashSecret(secret string) Hash {
	var room [1 << 10]byte // enough for a JWT of ours, so that nothing is allocated
	return sha256.Sum256(append(room[:0], secret...))
}

// The alphabets of secrets.
const (
	base62    = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	hexDigits = "0123456789abcdef"
)

// crockford is lower-case Crockford base32, whose order is the order of the bytes.
var crockford = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// randomBytes returns n bytes of crypto/rand, which never fails.
func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// NewKey returns an id of 32 lower-case Crockford base32 characters: 6 bytes of millisecond time, 14 random bytes, so
// that ids sort by the time at which they were made.
func NewKey(now time.Time) string {
	b := append(make([]byte, 6), randomBytes(14)...)
	putMillis(b, now)
	return crockford.EncodeToString(b)
}

// newUUID returns a UUID version 7 (RFC 9562 section 5.7).
func newUUID(now time.Time) string {
	b := randomBytes(16)
	putMillis(b, now)
	b[6] = b[6]&0x0f | 0x70
	b[8] = b[8]&0x3f | 0x80
	var id [36]byte
	written := hex.AppendEncode(id[:0], b[:4])
	for _, part := range [][]byte{b[4:6], b[6:8], b[8:10], b[10:]} {
		written = hex.AppendEncode(append(written, '-'), part)
	}
	return string(written)
}

// putMillis writes 48 bits of Unix milliseconds, big-endian.
func putMillis(b []byte, now time.Time) {
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(now.UnixMilli()))
	copy(b, ms[2:])
}

// IDForm is a form of public ids.
type IDForm struct {
	New   func(now time.Time) string // nil: the store numbers the tokens, see [Token.Seq]
	Valid func(id string) bool       // whether the id has the form; one that has not is not looked up
}

// The forms of public ids: UUIDs of version 7, those of [NewKey], and the store's own numbers from 1.
var (
	UUIDs   = IDForm{newUUID, validUUID}
	Keys    = IDForm{NewKey, ValidKey}
	Numbers = IDForm{nil, validNumber}
)

// new is "" where the store numbers the tokens.
func (f IDForm) new(now time.Time) string {
	if f.New == nil {
		return ""
	}
	return f.New(now)
}

func validNumber(id string) bool {
	n, err := strconv.ParseInt(id, 10, 64)
	return err == nil && n >= 1 && strconv.FormatInt(n, 10) == id
}

// ValidKey reports whether the id has the form of [NewKey].
func ValidKey(id string) bool {
	b, err := crockford.DecodeString(id)
	return err == nil && len(b) == 20 && len(id) == 32
}

func validUUID(id string) bool {
	if len(id) != 36 || id[8] != '-' || id[13] != '-' || id[18] != '-' || id[23] != '-' {
		return false
	}
	digits := strings.ReplaceAll(id, "-", "")
	_, err := hex.DecodeString(digits)
	return err == nil && len(digits) == 32 && strings.ToLower(id) == id
}

// SecretForm is how the secrets of a dialect look: random characters between a prefix and perhaps a checksum, or a JWT,
// which a [Signer] makes. A secret of another form is refused before the database is asked.
type SecretForm struct {
	Prefix   string
	Alphabet string // of what follows the prefix
	Length   int    // of the random part, in characters
	Checksum int    // characters that hold the CRC-32 (IEEE) of all before them, so that a typing error is found
	Signed   bool   // it is a JWT (RFC 7519); then the rest is zero
}

// New returns a secret that is no JWT.
func (f SecretForm) New() string {
	body := f.Prefix + f.random()
	return body + f.checksum(body)
}

// random draws characters without bias: bytes that do not divide evenly by the size of the alphabet are thrown away.
func (f SecretForm) random() string {
	size := len(f.Alphabet)
	out := make([]byte, 0, f.Length)
	for len(out) < f.Length {
		for _, b := range randomBytes(f.Length) {
			if int(b) < 256/size*size && len(out) < f.Length {
				out = append(out, f.Alphabet[int(b)%size])
			}
		}
	}
	return string(out)
}

// checksum writes the CRC-32 of the text in the alphabet.
func (f SecretForm) checksum(text string) string {
	sum, size := int64(crc32.ChecksumIEEE([]byte(text))), int64(len(f.Alphabet))
	out := make([]byte, f.Checksum)
	for i := f.Checksum - 1; i >= 0; i-- {
		out[i] = f.Alphabet[sum%size]
		sum /= size
	}
	return string(out)
}

// headLength is how many random characters belong to a [SecretForm.Head]: enough to tell secrets apart, and few enough
// that most of the secret stays unknown.
const headLength = 8

// Head is how a secret of this form begins: of a JWT all but the signature.
func (f SecretForm) Head(secret string) string {
	if f.Signed {
		return secret[:max(0, strings.LastIndexByte(secret, '.'))]
	}
	return secret[:min(len(secret), len(f.Prefix)+headLength)]
}

// MaxJWT is far above the size of any JWT that this server signs or an OIDC issuer sends, in bytes.
const MaxJWT = 16 << 10

// Begins reports whether a secret may begin with the text.
func (f SecretForm) Begins(text string) bool {
	return len(text) < len(f.Prefix)+f.Length+f.Checksum &&
		(strings.HasPrefix(text, f.Prefix) || strings.HasPrefix(f.Prefix, text))
}

// Fits reports whether the text has the form of a secret. Of a JWT only the shape is looked at.
func (f SecretForm) Fits(secret string) bool {
	if f.Signed {
		return len(secret) <= MaxJWT && strings.Count(secret, ".") == 2
	}
	body := len(f.Prefix) + f.Length
	return len(secret) == body+f.Checksum && strings.HasPrefix(secret, f.Prefix) &&
		strings.Trim(secret[len(f.Prefix):], f.Alphabet) == "" && secret[body:] == f.checksum(secret[:body])
}

// jwtBeginning is how every JWT begins: with the base64url of `{"`.
const jwtBeginning = "eyJ"

// beginning is what every secret begins with, as a regular expression.
func (f SecretForm) beginning() string {
	if f.Signed {
		return jwtBeginning
	}
	return regexp.QuoteMeta(f.Prefix)
}

// pattern finds a secret of which at least a quarter is there, in capital letters too.
func (f SecretForm) pattern() string {
	if f.Signed {
		return jwtBeginning + `[0-9A-Za-z_-]*(?:[0-9A-Za-z_-]{8}|\.)[0-9A-Za-z_.-]*`
	}
	return fmt.Sprintf(`%s(?i:[%s]{%d,})`, f.beginning(), f.Alphabet, (f.Length+3)/4)
}
