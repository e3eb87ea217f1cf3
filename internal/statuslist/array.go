package statuslist

import (
	"bytes"
	"compress/zlib"

	"github.com/tokenwright/tokenwright/internal/token"
)

// status is what a status list says of a token (draft-ietf-oauth-status-list section 7.1).
type status byte

const (
	valid     status = 0
	invalid   status = 1 // for good
	suspended status = 2 // for now

	bits = 2 // of each status
)

// statusOf does not say whether the token has expired: its `exp` does.
func statusOf(s token.Standing) status {
	switch {
	case s.Deleted || s.State == token.Revoked:
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

// pack compresses (RFC 1950).
func (a array) pack() []byte {
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	_, _ = w.Write(a) // to a buffer never fails
	_ = w.Close()
	return packed.Bytes()
}
