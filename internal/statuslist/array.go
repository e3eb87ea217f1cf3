package statuslist

import (
	"bytes"
	"compress/zlib"
	"time"

	"github.com/tokenwright/tokenwright/internal/token"
)

// status is the value for a token in a status list (draft-ietf-oauth-status-list section 7.1).
type status byte

const (
	valid     status = 0
	invalid   status = 1 // for good
	suspended status = 2 // for now

	bits = 2 // of each status
)

// statusOf ignores expiry, which the token's own `exp` shows. The end of a secret that was replaced is shown nowhere
// else.
func statusOf(s token.Standing, now time.Time) status {
	switch {
	case s.Deleted || s.State == token.Revoked || !s.EndsAt.IsZero() && !now.Before(s.EndsAt):
		return invalid
	case s.Disabled || s.State != token.Active:
		return suspended
	}
	return valid
}

// array has [token.StatusListSize] statuses, the first of each byte in its lowest bits (draft-ietf-oauth-status-list
// section 4.1).
type array []byte

func newArray() array { return make(array, token.StatusListSize*bits/8) }

func (a array) set(index int64, s status) {
	const perByte, mask = 8 / bits, 1<<bits - 1
	at, shift := index/perByte, index%perByte*bits
	a[at] = a[at]&^(mask<<shift) | byte(s)<<shift
}

// pack compresses the array with zlib (RFC 1950).
func (a array) pack() []byte {
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	_, _ = w.Write(a) // a write to a buffer never fails
	_ = w.Close()
	return packed.Bytes()
}
