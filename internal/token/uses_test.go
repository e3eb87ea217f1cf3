package token

import (
	"context"
	"errors"
	"testing"
	"time"
)

// unwritable is a store that takes no times of use until it is told to.
type unwritable struct {
	Store
	writable bool
	stored   map[int64]time.Time
}

var errAway = errors.New("the database is away")

func (u *unwritable) Touch(_ context.Context, uses map[int64]time.Time) error {
	if !u.writable {
		return errAway
	}
	u.stored = uses
	return nil
}

// TestUsesStayPending: what could not be written is written later, and said to be lost at the end only.
func TestUsesStayPending(t *testing.T) {
	store := &unwritable{}
	s := &Service{Store: store}
	at := time.UnixMilli(1_700_000_000_000)
	s.uses.note(7, at)
	if err := s.FlushUses(t.Context()); !errors.Is(err, errAway) {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	var reported error
	s.Run(over, func(err error, lost bool) {
		if reported = err; !lost {
			t.Error("the last failure is taken for one that is mended")
		}
	})
	if !errors.Is(reported, errAway) {
		t.Errorf("reported: %v", reported)
	}
	store.writable = true
	s.Run(over, func(err error, _ bool) { t.Errorf("reported: %v", err) })
	if !store.stored[7].Equal(at) {
		t.Errorf("stored at the end: %v", store.stored)
	}
	s.uses.note(7, at)
	if err := s.FlushUses(t.Context()); err != nil || !store.stored[7].Equal(at) {
		t.Errorf("%v, stored: %v", err, store.stored)
	}
}
