package oidc

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/tokenwright/tokenwright/internal/token"
)

const (
	// refreshGap is the least time between the end of one fetch and the start of the next, so that nobody who sends us
	// JWTs can make us hammer the issuer.
	refreshGap = 10 * time.Second
	// staleFor is how long keys that should have been refreshed still count while the issuer is away.
	staleFor = 6 * time.Hour
)

// keySet keeps the issuer's keys: one fetch at a time, never two within [refreshGap].
type keySet struct {
	fetch func(context.Context) ([]jose.JSONWebKey, time.Duration, error)
	now   func() time.Time

	mu        sync.Mutex
	keys      []jose.JSONWebKey
	fetchedAt time.Time     // of keys; zero: never
	lifetime  time.Duration // of keys
	triedAt   time.Time     // the end of the last fetch; zero: never
	failure   error         // of the last fetch
	flight    chan struct{} // closed when the fetch under way ends; nil: none is
}

// get returns the keys, and fetches them first if they are missing or have outlived their time. While the issuer is
// away, only the first call waits for a fetch that fails; the others get the stale keys at once.
func (s *keySet) get(ctx context.Context) ([]jose.JSONWebKey, error) {
	s.mu.Lock()
	if s.age() < s.lifetime {
		defer s.mu.Unlock()
		return s.keys, nil
	}
	flight := s.refresh(ctx)
	if s.failure != nil && s.usable() {
		flight = nil
	}
	s.mu.Unlock()
	if err := wait(ctx, flight); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.usable() {
		return nil, s.unavailable()
	}
	return s.keys, nil
}

// newer fetches the keys again, if it is not too soon for that, and returns the newest. Without an answer of the issuer
// nobody can tell whether it has the key that is missing, so stale keys will not do here.
func (s *keySet) newer(ctx context.Context) ([]jose.JSONWebKey, error) {
	s.mu.Lock()
	flight := s.refresh(ctx)
	s.mu.Unlock()
	if err := wait(ctx, flight); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure != nil {
		return nil, s.unavailable()
	}
	return s.keys, nil
}

// refresh starts a fetch unless one is under way or the last has only just ended, and returns the one under way, nil
// if there is none. The mutex is held.
func (s *keySet) refresh(ctx context.Context) <-chan struct{} {
	if s.flight == nil && !s.tooSoon() {
		s.flight = make(chan struct{})
		// The fetch is for all who wait, so that it outlives the caller that started it. It has a time-out of its own.
		go s.run(context.WithoutCancel(ctx))
	}
	return s.flight
}

func (s *keySet) run(ctx context.Context) {
	keys, lifetime, err := s.fetch(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.triedAt, s.failure = s.now(), err
	if err == nil {
		s.keys, s.fetchedAt, s.lifetime = keys, s.triedAt, lifetime
	}
	close(s.flight)
	s.flight = nil
}

// tooSoon is false after the clock was set back, which must not keep us from fetching.
func (s *keySet) tooSoon() bool {
	since := s.now().Sub(s.triedAt)
	return !s.triedAt.IsZero() && since >= 0 && since < refreshGap
}

// age is that of the keys. Keys from the future, after the clock was set back, are as old as can be without being lost.
func (s *keySet) age() time.Duration {
	if age := s.now().Sub(s.fetchedAt); age >= 0 {
		return age
	}
	return s.lifetime
}

func (s *keySet) usable() bool {
	return !s.fetchedAt.IsZero() && s.age() < s.lifetime+staleFor
}

func (s *keySet) unavailable() error {
	return token.Wrap(token.Unavailable, fmt.Errorf("the OIDC issuer's keys cannot be had: %w", s.failure))
}

// wait waits for a fetch, or for the caller to go away.
func wait(ctx context.Context, flight <-chan struct{}) error {
	if flight == nil {
		return nil
	}
	select {
	case <-flight:
		return nil
	case <-ctx.Done():
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return token.Wrap(token.Canceled, ctx.Err())
	}
	return token.Wrap(token.Unavailable, ctx.Err())
}
