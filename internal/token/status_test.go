package token

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
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

// listStore has as many lists as one asks for.
type listStore struct {
	Store
	mu       sync.Mutex
	reads    int
	standing []Standing
	reading  func(ctx context.Context, number int64) // before a list is read; nil: nothing
	failing  func() error                            // of [listStore.Standings]
}

func (s *listStore) FindStatusList(context.Context, int64) error { return nil }

func (s *listStore) StatusList(ctx context.Context, number int64, each func(Standing)) error {
	if s.reading != nil {
		s.reading(ctx, number)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	for _, standing := range s.standing {
		if standing.Place.List == number {
			each(standing)
		}
	}
	return ctx.Err()
}

func (s *listStore) Standings(context.Context, []int64) ([]Standing, error) {
	if s.failing != nil {
		if err := s.failing(); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.standing), nil
}

func (s *listStore) set(standing ...Standing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.standing = standing
}

// plainSigner signs nothing; what it returns tells the first byte of the list.
type plainSigner struct {
	Signer
	mu     sync.Mutex
	signed int
}

func (s *plainSigner) SignStatusList(c StatusClaims) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signed++
	r, err := zlib.NewReader(bytes.NewReader(c.Packed))
	if err != nil {
		return "", err
	}
	first := make([]byte, 1)
	_, err = io.ReadFull(r, first)
	return fmt.Sprintf("%d", first[0]), err
}

func listService(store *listStore) (*Service, *plainSigner) {
	signer := &plainSigner{}
	return &Service{Store: store, Signer: signer, Cache: NewCache(1, false)}, signer
}

// TestStatusListsAreBounded asks for many lists: memory keeps some, the one that is asked for all the time among them.
func TestStatusListsAreBounded(t *testing.T) {
	store := &listStore{}
	s, _ := listService(store)
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

// TestManyChangesAreBounded: too many changes to remember have the list read anew, and so do changes of anything, but not
// those of users or of other lists.
func TestManyChangesAreBounded(t *testing.T) {
	store := &listStore{}
	s, _ := listService(store)
	read := func(want int) {
		t.Helper()
		if _, err := s.StatusList(t.Context(), 1); err != nil || store.reads != want {
			t.Errorf("%d readings, want %d; %v", store.reads, want, err)
		}
	}
	read(1)
	for seq := range int64(toldChanges + 10) {
		s.Changed(Change{Token: seq + 1, List: 1})
	}
	if n := len(s.lists.lists[1].changed); n > toldChanges {
		t.Errorf("%d changes are remembered", n)
	}
	read(2)
	read(2)
	s.Changed(Change{})
	read(3)
	s.Changed(Change{Token: 1, List: 1})
	s.Changed(Change{Token: 1, List: 2})
	s.Changed(Change{Token: 1})
	s.Changed(Change{User: 1})
	read(3)
	s.Follower().Lost()
	read(4)
}

// TestStatusListIsSignedWhenNeeded: again when it changes, when half its life is over, and after a change of anything,
// which may be one of keys.
func TestStatusListIsSignedWhenNeeded(t *testing.T) {
	store := &listStore{}
	s, signer := listService(store)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s.Clock = func() time.Time { return now }
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
	store.set(Standing{Place: StatusPlace{1, 7}, State: Revoked})
	s.Changed(Change{Token: 5, List: 1})
	signed(3)
	s.Changed(Change{Token: 5, List: 1})
	signed(3)
	s.Changed(Change{})
	signed(4)
	now = now.Add(-time.Hour) // a clock that was put back must not leave a list from the future
	signed(5)
}

// TestNoListWaitsForAnother, and what a caller began who has left is finished for the next.
func TestNoListWaitsForAnother(t *testing.T) {
	release := make(chan struct{})
	store := &listStore{reading: func(_ context.Context, number int64) {
		if number == 1 {
			<-release
		}
	}}
	s, _ := listService(store)
	impatient, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := s.StatusList(impatient, 1)
		left <- err
	}()
	if _, err := s.StatusList(t.Context(), 2); err != nil {
		t.Errorf("another list: %v", err)
	}
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("who has left got %v", err)
	}
	close(release)
	if _, err := s.StatusList(t.Context(), 1); err != nil || store.reads > 3 {
		t.Errorf("%d readings, %v", store.reads, err)
	}
}

// TestUnfinishedUpdatesAreDoneAgain: whatever ends an update, what it had to bring in is not forgotten.
func TestUnfinishedUpdatesAreDoneAgain(t *testing.T) {
	for name, failing := range map[string]func() error{
		"error": func() error { return Errorf(Unavailable, "away") },
		"panic": func() error { panic("on purpose") },
	} {
		t.Run(name, func(t *testing.T) {
			store := &listStore{}
			s, _ := listService(store)
			if got, err := s.StatusList(t.Context(), 1); got != "0" || err != nil {
				t.Fatalf("%s %v", got, err)
			}
			store.set(Standing{Place: StatusPlace{1, 0}, State: Revoked})
			s.Changed(Change{Token: 5, List: 1})
			store.failing = failing
			if got, err := s.StatusList(t.Context(), 1); err == nil {
				t.Errorf("got %s", got)
			}
			store.failing = nil
			if got, err := s.StatusList(t.Context(), 1); got != "1" || err != nil {
				t.Errorf("afterwards: %s %v", got, err)
			}
		})
	}
}

// TestStatusListsAreNeverOlderThanTheCall: whoever asks after a change was told gets a list with it, whatever others do at
// that time.
func TestStatusListsAreNeverOlderThanTheCall(t *testing.T) {
	store := &listStore{}
	s, _ := listService(store)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					_, _ = s.StatusList(t.Context(), 1)
				}
			}
		})
	}
	for i := range 60 {
		state, want := Revoked, "1"
		if i%2 == 1 {
			state, want = Active, "0"
		}
		store.set(Standing{Place: StatusPlace{1, 0}, State: state})
		change := Change{Token: 5, List: 1}
		if i%7 == 0 {
			change = Change{}
		}
		s.Changed(change)
		if got, err := s.StatusList(t.Context(), 1); got != want || err != nil {
			t.Errorf("change %d: %s, want %s; %v", i, got, want, err)
		}
	}
	close(stop)
	wg.Wait()
}
