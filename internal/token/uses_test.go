package token

import (
	"context"
	"errors"
	"maps"
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

// slow is a store that takes one batch of times of use in each call of FlushUses, or as many as it is told to, and then fails.
type slow struct {
	Store
	batches int
	stored  map[int64]time.Time
}

func (s *slow) Touch(_ context.Context, uses map[int64]time.Time) error {
	if s.batches == 0 {
		return errAway
	}
	s.batches--
	maps.Copy(s.stored, uses)
	return nil
}

// TestWhatWasStoredIsNotStoredAgain: a database that stores a part before it fails gets the rest the next time, so that it
// catches up.
func TestWhatWasStoredIsNotStoredAgain(t *testing.T) {
	const tokens = 3*usesAtOnce + 1
	store := &slow{stored: map[int64]time.Time{}}
	s := &Service{Store: store}
	at := time.UnixMilli(1_700_000_000_000)
	for seq := range int64(tokens) {
		s.uses.note(seq, at)
	}
	for round := 1; round <= 3; round++ {
		store.batches = 1
		if err := s.FlushUses(t.Context()); !errors.Is(err, errAway) {
			t.Fatal(err)
		}
		if len(store.stored) != round*usesAtOnce || len(s.uses.pending) != tokens-round*usesAtOnce {
			t.Errorf("after round %d %d are stored and %d pending", round, len(store.stored), len(s.uses.pending))
		}
	}
	store.batches = 1
	if err := s.FlushUses(t.Context()); err != nil || len(store.stored) != tokens || len(s.uses.pending) != 0 {
		t.Errorf("%v, %d are stored and %d pending", err, len(store.stored), len(s.uses.pending))
	}
}

// TestPendingUsesAreBounded: if more tokens are used than the database stores, the times of some are given up, but not those
// of tokens that wait already, and that is said.
func TestPendingUsesAreBounded(t *testing.T) {
	store := &slow{stored: map[int64]time.Time{}, batches: 1 + mostUses/usesAtOnce}
	s := &Service{Store: store}
	at := time.UnixMilli(1_700_000_000_000)
	for seq := range int64(mostUses + 10) {
		s.uses.note(seq, at)
	}
	s.uses.note(5, at.Add(time.Second))
	if n := len(s.uses.pending); n != mostUses {
		t.Errorf("%d are pending", n)
	}
	if err := s.FlushUses(t.Context()); !errors.Is(err, errTooManyUses) {
		t.Errorf("the error is %v", err)
	}
	if len(store.stored) != mostUses || !store.stored[5].Equal(at.Add(time.Second)) {
		t.Errorf("%d are stored, one as %v", len(store.stored), store.stored[5])
	}
	s.uses.note(mostUses+1, at)
	if err := s.FlushUses(t.Context()); err != nil || len(store.stored) != mostUses+1 {
		t.Errorf("%v, %d are stored", err, len(store.stored))
	}
}
