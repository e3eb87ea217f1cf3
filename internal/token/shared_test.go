package token

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

// pending are the reading that is under way and the one after it.
func (s *shared[K, V]) pending(key K) (running, next *reading[V]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running[key], s.next[key]
}

// TestReadingsAreShared: who comes during a reading gets the next one, in which all that was there before is.
func TestReadingsAreShared(t *testing.T) {
	var s shared[string, int64]
	var state, readings atomic.Int64
	begun, let := make(chan struct{}), make(chan struct{})
	var callers sync.WaitGroup
	callers.Go(func() {
		got, err := s.get(t.Context(), "key", func() (int64, error) {
			found := state.Load()
			close(begun)
			<-let
			return found, nil
		})
		if got != 0 || err != nil {
			t.Errorf("the first reading: %d %v", got, err)
		}
	})
	<-begun
	state.Store(1) // which the first reading has not seen
	for range 50 {
		callers.Go(func() {
			got, err := s.get(t.Context(), "key", func() (int64, error) { readings.Add(1); return state.Load(), nil })
			if got != 1 || err != nil {
				t.Errorf("a caller who came after the change: %d %v", got, err)
			}
		})
	}
	for _, next := s.pending("key"); next == nil; _, next = s.pending("key") {
	}
	other, err := s.get(t.Context(), "another key", func() (int64, error) { return 7, nil })
	if other != 7 || err != nil {
		t.Errorf("another key: %d %v", other, err)
	}
	close(let)
	callers.Wait()
	if n := readings.Load(); n < 1 || n > 49 {
		t.Errorf("50 callers were %d readings", n)
	}
	if running, next := s.pending("key"); running != nil || next != nil {
		t.Error("a reading is left")
	}
}

// TestWhoLeavesTakesNobodyAlong: the caller who reads for others may give up, fail or panic.
func TestWhoLeavesTakesNobodyAlong(t *testing.T) {
	failed := errors.New("failed")
	for name, c := range map[string]struct {
		read func(cancel func()) error
		want error // of those who wait
	}{
		"the reader leaves":            {func(cancel func()) error { cancel(); return context.Canceled }, nil},
		"the reader asks for too much": {func(func()) error { return Wrap(Overloaded, failed) }, nil},
		"the reader panics":            {func(func()) error { panic("reading") }, nil},
		"the reading fails":            {func(func()) error { return failed }, failed},
	} {
		var s shared[string, int]
		ctx, cancel := context.WithCancel(t.Context())
		begun, let := make(chan struct{}), make(chan struct{})
		var callers sync.WaitGroup
		callers.Go(func() { // the first, during which the others come
			_, _ = s.get(t.Context(), "key", func() (int, error) { close(begun); <-let; return 0, nil })
		})
		<-begun
		callers.Go(func() {
			defer func() { _ = recover() }()
			_, _ = s.get(ctx, "key", func() (int, error) { return 0, c.read(cancel) })
		})
		for _, next := s.pending("key"); next == nil; _, next = s.pending("key") {
		}
		impatient, leave := context.WithCancel(t.Context())
		leave()
		if _, err := s.get(impatient, "key", nil); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: who does not wait got %v", name, err)
		}
		own, _, others := s.join("key")
		if own != nil {
			t.Fatalf("%s: nobody was to read", name)
		}
		close(let)
		<-others.done
		if want := c.want; want != nil && !errors.Is(others.err, want) || want == nil && !errors.Is(others.err, errLeft) {
			t.Errorf("%s: the others got %v", name, others.err)
		}
		callers.Wait()
		if got, err := s.get(t.Context(), "key", func() (int, error) { return 7, nil }); got != 7 || err != nil {
			t.Errorf("%s: afterwards %d %v", name, got, err)
		}
		cancel()
	}
}
