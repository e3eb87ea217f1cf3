package token

import (
	"context"
	"strings"
	"testing"
	"time"
)

// TestStatusPlaces: numbers that follow each other have places all over the list, none twice, and another key or another
// list has them elsewhere.
func TestStatusPlaces(t *testing.T) {
	const n = 10_000
	key := []byte(strings.Repeat("k", 32))
	taken := make(map[int64]bool, n)
	var low, sameElsewhere, sameNext int
	for i := range int64(n) {
		p := StatusPlaceOf(key, i)
		if p.List != 1 || p.Index < 0 || p.Index >= StatusListSize || taken[p.Index] {
			t.Fatalf("%d has the place %+v, taken: %t", i, p, taken[p.Index])
		}
		taken[p.Index] = true
		if p.Index < StatusListSize/2 {
			low++
		}
		if i%50 == 0 && StatusPlaceOf([]byte(strings.Repeat("l", 32)), i).Index == p.Index {
			sameElsewhere++
		}
		if next := StatusPlaceOf(key, i+StatusListSize); i%50 == 0 && (next.List != 2 || next.Index == p.Index) {
			sameNext++
		}
	}
	if low < n*45/100 || low > n*55/100 {
		t.Errorf("%d of %d places are in the first half", low, n)
	}
	if sameElsewhere > 2 || sameNext > 2 {
		t.Errorf("%d places do not depend on the key, %d not on the list", sameElsewhere, sameNext)
	}
	if p := StatusPlaceOf(key, StatusListSize-1); p.List != 1 {
		t.Errorf("the last place of the first list is in list %d", p.List)
	}
	if p := StatusPlaceOf(key, 5*StatusListSize); p.List != 6 {
		t.Errorf("the first place of the sixth list is in list %d", p.List)
	}
}

// TestStatusArray compares with the example of draft-ietf-oauth-status-list section 4.1 for two bits.
func TestStatusArray(t *testing.T) {
	a := newStatusArray()
	for i, s := range []status{1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3} {
		a.set(int64(i), s)
	}
	if a[0] != 0xc9 || a[1] != 0x44 || a[2] != 0xf9 {
		t.Errorf("%x %x %x", a[0], a[1], a[2])
	}
	if a.set(1, 2) || !a.set(1, 0) || a[0] != 0xc1 {
		t.Errorf("a status that is set again: %x", a[0])
	}
	a.set(StatusListSize-1, statusSuspended)
	if a[len(a)-1] != 0x80 {
		t.Errorf("the last byte is %x", a[len(a)-1])
	}
}

// listStore has a million lists.
type listStore struct {
	Store
	reads    int
	standing []Standing
}

func (s *listStore) StatusList(_ context.Context, number int64, each func(Standing)) error {
	s.reads++
	for _, standing := range s.standing {
		if standing.Place.List == number {
			each(standing)
		}
	}
	return nil
}

func (s *listStore) Standings(context.Context, []int64) ([]Standing, error) { return s.standing, nil }

type plainSigner struct {
	Signer
	signed int
}

func (s *plainSigner) SignStatusList(c StatusClaims) (string, error) {
	s.signed++
	return c.IssuedAt.Format(time.TimeOnly) + string(c.Packed), nil
}

// TestStatusListsAreBounded asks for many lists: memory keeps some, the one that is asked for all the time among them.
func TestStatusListsAreBounded(t *testing.T) {
	store := &listStore{}
	s := &Service{Store: store, Signer: &plainSigner{}, Cache: NewCache(1, false)}
	for number := range int64(3 * keptLists) {
		for _, n := range []int64{1, number + 2} {
			if _, err := s.StatusList(t.Context(), n); err != nil {
				t.Fatal(err)
			}
		}
		if len(s.lists.lists) > keptLists {
			t.Fatalf("%d lists are kept", len(s.lists.lists))
		}
	}
	if store.reads != 3*keptLists+1 {
		t.Errorf("%d readings for %d lists", store.reads, 3*keptLists+1)
	}
}

// TestManyChangesAreBounded: too many changes to remember have the list read anew, and so do changes of anything.
func TestManyChangesAreBounded(t *testing.T) {
	store := &listStore{}
	s := &Service{Store: store, Signer: &plainSigner{}, Cache: NewCache(1, false)}
	read := func(want int) {
		t.Helper()
		if _, err := s.StatusList(t.Context(), 1); err != nil || store.reads != want {
			t.Errorf("%d readings, want %d; %v", store.reads, want, err)
		}
	}
	read(1)
	for seq := range int64(toldChanges + 10) {
		s.Changed(Change{Token: seq + 1})
	}
	if len(s.lists.changed) > toldChanges {
		t.Errorf("%d changes are remembered", len(s.lists.changed))
	}
	read(2)
	read(2)
	s.Changed(Change{})
	read(3)
	s.Changed(Change{Token: 1})
	read(3)
	s.Follower().Lost()
	read(4)
}

// TestStatusListIsSignedWhenNeeded: again when it changes, when half its life is over, and after a change of anything,
// which may be one of keys.
func TestStatusListIsSignedWhenNeeded(t *testing.T) {
	store, signer := &listStore{}, &plainSigner{}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := &Service{Store: store, Signer: signer, Cache: NewCache(1, false), Clock: func() time.Time { return now }}
	signed := func(want int) {
		t.Helper()
		if _, err := s.StatusList(t.Context(), 1); err != nil || signer.signed != want {
			t.Errorf("signed %d times, want %d; %v", signer.signed, want, err)
		}
	}
	signed(1)
	signed(1)
	now = now.Add(2*DefaultStatusTTL - time.Second)
	signed(1)
	now = now.Add(time.Second)
	signed(2)
	store.standing = []Standing{{Place: StatusPlace{1, 7}, State: Revoked}}
	s.Changed(Change{Token: 5})
	signed(3)
	s.Changed(Change{Token: 5})
	signed(3)
	s.Changed(Change{})
	signed(4)
	now = now.Add(-time.Hour) // a clock that was put back must not leave a list from the future
	signed(5)
}
