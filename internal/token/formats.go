package token

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"time"
)

// Hash is the SHA-256 of a secret: the only form in which a secret is kept. Every secret carries at least 160 random
// bits (30 base62 characters, 28 bytes, or a signature with a random `jti`), so guessing is hopeless and one fast hash
// is enough; slow password hashes are for secrets that people choose.
type Hash [sha256.Size]byte

// HashSecret returns the hash under which the store knows the secret.
func HashSecret(secret string) Hash { return sha256.Sum256([]byte(secret)) }

const (
	muninxPrefix  = "muninx_"
	muninxRandom  = 30 // base62 characters, 178 bits
	muninxCheck   = 6  // base62 characters that hold a CRC-32
	unleashPrefix = "user:"
	unleashBytes  = 28 // random bytes, shown as 56 hex digits

	base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
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
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// putMillis writes 48 bits of Unix milliseconds, big-endian.
func putMillis(b []byte, now time.Time) {
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(now.UnixMilli()))
	copy(b, ms[2:])
}

// NewID returns a public id for a token of the dialect, "" where [Dialect.NumbersIDs].
func NewID(d Dialect, now time.Time) string {
	switch d {
	case Muninx:
		return newUUID(now)
	case APIToken:
		return NewKey(now)
	default:
		return ""
	}
}

// ValidID reports whether the id has the form that the dialect gives its ids. An id that has not is not looked up.
func ValidID(d Dialect, id string) bool {
	switch d {
	case Muninx:
		return validUUID(id)
	case APIToken:
		return ValidKey(id)
	default:
		n, err := strconv.ParseInt(id, 10, 64)
		return err == nil && n >= 1 && strconv.FormatInt(n, 10) == id
	}
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

// NewSecret returns a secret for a token of the dialect that is no JWT (those come from a [Signer]).
func NewSecret(d Dialect) string {
	if d == Unleash {
		return unleashPrefix + hex.EncodeToString(randomBytes(unleashBytes))
	}
	body := muninxPrefix + randomBase62(muninxRandom)
	return body + checksum(body)
}

// randomBase62 draws n characters without bias: bytes that do not divide evenly by 62 are thrown away.
func randomBase62(n int) string {
	out := make([]byte, 0, n)
	for len(out) < n {
		for _, b := range randomBytes(n) {
			if b < 62*4 && len(out) < n {
				out = append(out, base62[b%62])
			}
		}
	}
	return string(out)
}

// checksum is the CRC-32 (IEEE) of the text in base62, so that a typing error is found without a database.
func checksum(text string) string {
	sum := crc32.ChecksumIEEE([]byte(text))
	out := make([]byte, muninxCheck)
	for i := muninxCheck - 1; i >= 0; i-- {
		out[i] = base62[sum%62]
		sum /= 62
	}
	return string(out)
}

// SecretDialect returns the dialect whose form the secret has; false if it has none. Of a JWT only the shape is
// looked at; its signature is a [Signer]'s to check.
func SecretDialect(secret string) (Dialect, bool) {
	switch {
	case strings.HasPrefix(secret, muninxPrefix):
		return Muninx, validMuninxSecret(secret)
	case strings.HasPrefix(secret, unleashPrefix):
		return Unleash, validUnleashSecret(secret)
	default:
		return APIToken, len(secret) <= MaxJWT && strings.Count(secret, ".") == 2
	}
}

// MaxJWT is far above the size of any JWT that this server signs or an OIDC issuer sends, in bytes.
const MaxJWT = 16 << 10

func validMuninxSecret(secret string) bool {
	body := len(muninxPrefix) + muninxRandom
	if len(secret) != body+muninxCheck {
		return false
	}
	for _, c := range []byte(secret[len(muninxPrefix):]) {
		if strings.IndexByte(base62, c) < 0 {
			return false
		}
	}
	return secret[body:] == checksum(secret[:body])
}

func validUnleashSecret(secret string) bool {
	digits := secret[len(unleashPrefix):]
	_, err := hex.DecodeString(digits)
	return err == nil && len(digits) == 2*unleashBytes && strings.ToLower(digits) == digits
}
