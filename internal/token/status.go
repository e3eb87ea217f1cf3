package token

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// StatusListSize is how many tokens share one status list.
const StatusListSize = 1 << (2 * halfBits)

// halfBits is half the bits of an index, which [StatusEntryOf] shuffles half by half.
const halfBits = 10

// StatusEntry is where the status of a token is published: in which status list, and where in it
// (draft-ietf-oauth-status-list section 6.2).
type StatusEntry struct {
	List  int64 // from 1; 0 is no entry
	Index int64 // from 0 to StatusListSize-1
}

// StatusEntryOf is the entry with the number n, from 0. A list is filled before the next one begins, but in an order of
// its own that only the key tells, so that an index does not tell how many tokens there are or which came first. Every
// number has another entry: this is a Feistel network.
func StatusEntryOf(key []byte, n int64) StatusEntry {
	const mask = 1<<halfBits - 1
	p := StatusEntry{List: n/StatusListSize + 1}
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

// Standing is what a status list has to know of a secret of a token.
type Standing struct {
	Entry    StatusEntry
	State    State // of the token as stored; that of a former secret is [Revoked]
	Deleted  bool
	Disabled bool      // its account or its environment is
	EndsAt   time.Time // of a previous secret; zero: the secret is the current one, or a former one
}

// StatusClaims is what a status list token says (draft-ietf-oauth-status-list section 5.1).
type StatusClaims struct {
	List      int64
	IssuedAt  time.Time
	ExpiresAt time.Time
	TTL       time.Duration
	Bits      int    // of each status
	Packed    []byte // all statuses, compressed (RFC 1950)
}

// StatusList returns the signed status list with this number as it is now: a change that was answered by this process
// is in it, one of another process is in it after less than a second.
func (s *Service) StatusList(ctx context.Context, number int64) (string, error) {
	if s.Memory == nil {
		return "", Errorf(NotFound, "no status lists are published")
	}
	return s.Memory.StatusList(ctx, number)
}
