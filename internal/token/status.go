package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
)

// StatusListSize is how many tokens share one status list.
const StatusListSize = 1 << (2 * halfBits)

// halfBits is half the bits of an index, which [StatusPlaceOf] shuffles half by half.
const halfBits = 10

// StatusPlace is where the status of a token is published: in which status list, and where in it
// (draft-ietf-oauth-status-list section 6.2).
type StatusPlace struct {
	List  int64 // from 1; 0 is no place
	Index int64 // from 0 to StatusListSize-1
}

// StatusPlaceOf is the place with the number n, from 0. A list is filled before the next one begins, but in an order of its own
// that only the key tells, so that an index does not tell how many tokens there are or which came first. Every number
// has another place: this is a Feistel network.
func StatusPlaceOf(key []byte, n int64) StatusPlace {
	const mask = 1<<halfBits - 1
	p := StatusPlace{List: n/StatusListSize + 1}
	left, right := n>>halfBits&mask, n&mask
	for round := range int64(10) {
		left, right = right, left^shuffle(key, p.List, round, right)&mask
	}
	p.Index = left<<halfBits | right
	return p
}

func shuffle(key []byte, numbers ...int64) int64 {
	mac := hmac.New(sha256.New, key)
	_ = binary.Write(mac, binary.BigEndian, numbers) // to a hash never fails
	return int64(binary.BigEndian.Uint16(mac.Sum(nil)))
}

// status is what a status list says of a token (draft-ietf-oauth-status-list section 7.1).
type status byte

const (
	statusValid     status = 0
	statusInvalid   status = 1 // for good
	statusSuspended status = 2 // for now
	statusBits             = 2
)

// Standing is what a status list has to know of a token.
type Standing struct {
	Place    StatusPlace
	State    State // as stored
	Deleted  bool
	Disabled bool // its account or its environment is
}

// status does not say whether the token has expired: its `exp` does.
func (s Standing) status() status {
	switch {
	case s.Deleted || s.State == Revoked:
		return statusInvalid
	case s.Disabled || s.State != Active:
		return statusSuspended
	}
	return statusValid
}

// statusArray has [StatusListSize] statuses, the first of each byte in its lowest bits (draft-ietf-oauth-status-list
// section 4.1).
type statusArray []byte

func newStatusArray() statusArray { return make(statusArray, StatusListSize*statusBits/8) }

// set stores a status and tells whether it was another.
func (a statusArray) set(index int64, s status) bool {
	const perByte, mask = 8 / statusBits, 1<<statusBits - 1
	at, shift := index/perByte, index%perByte*statusBits
	changed := a[at]&^(mask<<shift) | byte(s)<<shift
	if changed == a[at] {
		return false
	}
	a[at] = changed
	return true
}
