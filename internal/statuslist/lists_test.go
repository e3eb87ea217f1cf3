package statuslist

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenwright/tokenwright/internal/fresh"
	"github.com/tokenwright/tokenwright/internal/token"
)

// TestStatusArray compares with the example of draft-ietf-oauth-status-list section 4.1 for two bits.
func TestStatusArray(t *testing.T) {
	a := newArray()
	for i, s := range []status{1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3} {
		a.set(int64(i), s)
	}
	if a[0] != 0xc9 || a[1] != 0x44 || a[2] != 0xf9 {
		t.Errorf("%x %x %x", a[0], a[1], a[2])
	}
	if a.set(1, 2); a[0] != 0xc9 {
		t.Errorf("a status that is set again: %x", a[0])
	}
	if a.set(1, 0); a[0] != 0xc1 {
		t.Errorf("a status that is another: %x", a[0])
	}
	a.set(token.StatusListSize-1, suspended)
	if a[len(a)-1] != 0x80 {
		t.Errorf("the last byte is %x", a[len(a)-1])
	}
}

// listStore has as many lists as one asks for.
type listStore struct {
	mu       sync.Mutex
	reads    int
	standing []token.Standing
	reading  func(ctx context.Context, number int64) // before a list is read; nil: nothing
	failing  func() error                            // of [listStore.Standings]
}

func (s *listStore) FindStatusList(context.Context, int64) error { return nil }

func (s *listStore) StatusList(ctx context.Context, number int64, each func(token.Standing)) error {
	if s.reading != nil {
		s.reading(ctx, number)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	for _, standing := range s.standing {
		if standing.Entry.List == number {
			each(standing)
		}
	}
	return ctx.Err()
}

func (s *listStore) Standings(context.Context, []int64) ([]token.Standing, error) {
	if s.failing != nil {
		if err := s.failing(); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.standing), nil
}

func (s *listStore) set(standing ...token.Standing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.standing = standing
}

// plainSigner signs nothing; what it returns tells the first byte of the list.
type plainSigner struct {
	mu     sync.Mutex
	signed int
}

func (s *plainSigner) SignStatusList(c token.StatusClaims) (string, error) {
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

// newLists are those of a server that is alone.
func newLists(store *listStore) (*Lists, *plainSigner) {
	signer := &plainSigner{}
	return New(Config{Store: store, Signer: signer}, fresh.NewTrust(false, nil)), signer
}

// TestStatusListsAreBounded asks for many lists: memory keeps some, the one that is asked for all the time among them.
func TestStatusListsAreBounded(t *testing.T) {
	store := &listStore{}
	s, _ := newLists(store)
	for number := range int64(3 * keptLists) {
		for _, n := range []int64{1, number + 2} {
			if _, err := s.Get(t.Context(), n); err != nil {
				t.Fatal(err)
			}
		}
		if s.kept.Len() > keptLists {
			t.Fatalf("%d lists are kept", s.kept.Len())
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
	s, _ := newLists(store)
	read := func(want int) {
		t.Helper()
		if _, err := s.Get(t.Context(), 1); err != nil || store.reads != want {
			t.Errorf("%d readings, want %d; %v", store.reads, want, err)
		}
	}
	read(1)
	for seq := range int64(toldChanges + 10) {
		s.Changed(token.Change{Token: seq + 1, List: 1})
	}
	if list, _ := s.kept.Get(1); len(list.changed) > toldChanges {
		t.Errorf("%d changes are remembered", len(list.changed))
	}
	read(2)
	read(2)
	s.Changed(token.Change{})
	read(3)
	s.Changed(token.Change{Token: 1, List: 1})
	s.Changed(token.Change{Token: 1, List: 2})
	s.Changed(token.Change{Token: 1})
	s.Changed(token.Change{User: 1})
	read(3)
	s.Changed(token.Change{Account: "a"})
	read(4)
	s.Changed(token.Change{Environment: "e"})
	read(5)
}

// TestStatusListIsSignedWhenNeeded: again when it changes, when half its life is over, and after a change of anything,
// which may be one of keys.
func TestStatusListIsSignedWhenNeeded(t *testing.T) {
	store := &listStore{}
	s, signer := newLists(store)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s.Clock = func() time.Time { return now }
	signed := func(want int) {
		t.Helper()
		if _, err := s.Get(t.Context(), 1); err != nil || signer.signed != want {
			t.Errorf("signed %d times, want %d; %v", signer.signed, want, err)
		}
	}
	signed(1)
	signed(1)
	now = now.Add(2*DefaultTTL - time.Second)
	signed(1)
	now = now.Add(time.Second)
	signed(2)
	store.set(token.Standing{Entry: token.StatusEntry{List: 1, Index: 7}, State: token.Revoked})
	s.Changed(token.Change{Token: 5, List: 1})
	signed(3)
	s.Changed(token.Change{Token: 5, List: 1})
	signed(3)
	s.Changed(token.Change{})
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
	s, _ := newLists(store)
	impatient, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := s.Get(impatient, 1)
		left <- err
	}()
	if _, err := s.Get(t.Context(), 2); err != nil {
		t.Errorf("another list: %v", err)
	}
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("who has left got %v", err)
	}
	close(release)
	if _, err := s.Get(t.Context(), 1); err != nil || store.reads > 3 {
		t.Errorf("%d readings, %v", store.reads, err)
	}
}

// TestUnfinishedUpdatesAreDoneAgain: whatever ends an update, what it had to bring in is not forgotten.
func TestUnfinishedUpdatesAreDoneAgain(t *testing.T) {
	for name, failing := range map[string]func() error{
		"error": func() error { return token.Errorf(token.Unavailable, "away") },
		"panic": func() error { panic("on purpose") },
	} {
		t.Run(name, func(t *testing.T) {
			store := &listStore{}
			s, _ := newLists(store)
			if got, err := s.Get(t.Context(), 1); got != "0" || err != nil {
				t.Fatalf("%s %v", got, err)
			}
			store.set(token.Standing{Entry: token.StatusEntry{List: 1, Index: 0}, State: token.Revoked})
			s.Changed(token.Change{Token: 5, List: 1})
			store.failing = failing
			if got, err := s.Get(t.Context(), 1); err == nil {
				t.Errorf("got %s", got)
			}
			store.failing = nil
			if got, err := s.Get(t.Context(), 1); got != "1" || err != nil {
				t.Errorf("afterwards: %s %v", got, err)
			}
		})
	}
}

// TestStatusListsAreNeverOlderThanTheCall: whoever asks after a change was told gets a list with it, whatever others do at
// that time.
func TestStatusListsAreNeverOlderThanTheCall(t *testing.T) {
	store := &listStore{}
	s, _ := newLists(store)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					_, _ = s.Get(t.Context(), 1)
				}
			}
		})
	}
	for i := range 60 {
		state, want := token.Revoked, "1"
		if i%2 == 1 {
			state, want = token.Active, "0"
		}
		store.set(token.Standing{Entry: token.StatusEntry{List: 1, Index: 0}, State: state})
		change := token.Change{Token: 5, List: 1}
		if i%7 == 0 {
			change = token.Change{}
		}
		s.Changed(change)
		if got, err := s.Get(t.Context(), 1); got != want || err != nil {
			t.Errorf("change %d: %s, want %s; %v", i, got, want, err)
		}
	}
	close(stop)
	wg.Wait()
}

// TestListsWhileTheFeedComesAndGoes has many read one list while tokens change and the feed is lost and found again: each
// gets every change that was told before it asked. Time stands still, so that a busy machine does not make memory too old.
func TestListsWhileTheFeedComesAndGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &listStore{}
		s, _ := newLists(store)
		s.trust = fresh.NewTrust(true, token.Stopwatch())
		var readers sync.WaitGroup
		ctx, stop := context.WithCancel(t.Context())
		for range 8 {
			readers.Go(func() {
				for ctx.Err() == nil {
					if _, err := s.Get(t.Context(), 1); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for i := range 60 {
			state, want := token.Revoked, "1"
			if i%2 == 1 {
				state, want = token.Active, "0"
			}
			switch i % 3 {
			case 0:
				s.trust.Lost()
				s.Changed(token.Change{})
			case 1:
				s.trust.Sending()()
			}
			store.set(token.Standing{Entry: token.StatusEntry{List: 1, Index: 0}, State: state})
			s.Changed(token.Change{Token: 5, List: 1})
			if got, err := s.Get(t.Context(), 1); got != want || err != nil {
				t.Errorf("change %d: %s, want %s; %v", i, got, want, err)
			}
		}
		stop()
		readers.Wait()
	})
}

// TestListsWithoutAFeed are read anew when they are older than memory is trusted, and not before.
func TestListsWithoutAFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &listStore{}
		s, signer := newLists(store)
		s.trust = fresh.NewTrust(true, token.Stopwatch())
		reads := func(what string, want int) {
			t.Helper()
			if _, err := s.Get(t.Context(), 1); err != nil || store.reads != want {
				t.Errorf("%s: %d readings, want %d; %v", what, store.reads, want, err)
			}
		}
		reads("first", 1)
		time.Sleep(fresh.TrustFor)
		reads("at the end", 1)
		time.Sleep(time.Nanosecond)
		reads("after the end", 2)
		s.trust.Sending()()
		time.Sleep(fresh.TrustFor - 1)
		reads("while a heartbeat counts", 2)
		if signer.signed != 1 {
			t.Errorf("what never changed was signed %d times", signer.signed)
		}
	})
}

// TestListsAfterAnIdleWhile wait for a heartbeat instead of being read anew.
func TestListsAfterAnIdleWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &listStore{}
		s, _ := newLists(store)
		s.trust = fresh.NewTrust(true, token.Stopwatch())
		s.trust.Sending()()
		got := make(chan string, 1)
		get := func() {
			signed, err := s.Get(t.Context(), 1)
			if err != nil {
				t.Error(err)
			}
			got <- signed
		}
		get()
		<-got
		time.Sleep(time.Minute)
		go get()
		synctest.Wait()
		if len(got) > 0 {
			t.Error("no heartbeat is waited for")
		}
		store.set(token.Standing{Entry: token.StatusEntry{List: 1, Index: 0}, State: token.Revoked})
		heard := s.trust.Sending()
		s.Changed(token.Change{Token: 5, List: 1})
		heard()
		if signed := <-got; signed != "1" || store.reads != 1 {
			t.Errorf("%s after %d readings", signed, store.reads)
		}
	})
}

// TestChangesDuringAReading are read by the next one, though the one under way may have missed them.
func TestChangesDuringAReading(t *testing.T) {
	store := &listStore{}
	s, _ := newLists(store)
	revoked := token.Standing{Entry: token.StatusEntry{List: 1, Index: 0}, State: token.Revoked}
	both := []token.Standing{revoked, {Entry: token.StatusEntry{List: 1, Index: 1}, State: token.Revoked}}
	change := func(seq int64) { s.Changed(token.Change{Token: seq, List: 1}) }
	get := func(what, want string) {
		t.Helper()
		if got, err := s.Get(t.Context(), 1); got != want || err != nil {
			t.Errorf("%s: %s, want %s; %v", what, got, want, err)
		}
	}
	store.reading = func(context.Context, int64) { change(5) }
	get("a change while all is read", "0")
	store.reading = nil
	store.set(revoked)
	get("after it", "1")
	change(5)
	store.failing = func() error { change(6); return nil }
	get("a change while one is read", "1")
	store.failing = nil
	store.set(both...)
	get("after that", "5")
	if store.reads != 1 {
		t.Errorf("all of it was read %d times", store.reads)
	}
}

// TestEndsByTheClock: an entry becomes invalid when its secret ends, though nobody reports a change, and stays so; one
// whose end was taken back does not.
func TestEndsByTheClock(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	store, signer := &listStore{}, &plainSigner{}
	entry := token.StatusEntry{List: 1, Index: 0}
	ending := token.Standing{Entry: entry, State: token.Active, EndsAt: now.Add(time.Second)}
	later := token.Standing{Entry: token.StatusEntry{List: 1, Index: 1}, State: token.Suspended, EndsAt: now.Add(2 * time.Second)}
	elsewhere := token.Standing{Entry: token.StatusEntry{List: 2, Index: 0}, State: token.Active, EndsAt: now}
	store.set(ending, later, elsewhere)
	s := New(Config{Store: store, Signer: signer, Clock: func() time.Time { return now }}, fresh.NewTrust(false, nil))
	says := func(what, want string) {
		t.Helper()
		if got, err := s.Get(t.Context(), 1); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", what, got, err, want)
		}
	}
	says("both work", "8") // 2 at index 1, which is suspended
	now = now.Add(time.Second - 1)
	says("just before the end", "8")
	now = now.Add(1)
	store.set(later)
	says("at the end", "9")
	store.set(token.Standing{Entry: later.Entry, State: token.Active}) // its rotation was cancelled
	s.Changed(token.Change{Token: 2, List: 1})
	says("one that is the current one again", "1")
	now = now.Add(time.Hour)
	says("later", "1")
	if store.reads != 1 {
		t.Errorf("%d full readings", store.reads)
	}
}
