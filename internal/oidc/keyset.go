package oidc

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"

	"github.com/tokenwright/tokenwright/internal/token"
)

const (
	// refreshGap is the least time between the end of one fetch and the start of the next, so that nobody who sends us
	// JWTs can make us hammer the issuer.
	refreshGap = 10 * time.Second
	// staleFor is how long keys that should have been refreshed still count while the issuer is away.
	staleFor = 6 * time.Hour
)

// keySet keeps the issuer's keys: one fetch at a time, never two within [refreshGap]. It takes the place of go-oidc's
// RemoteKeySet, which fetches for every signature that it cannot verify, keeps keys until then, and takes any that is in the set.
type keySet struct {
	fetch func(context.Context) ([]jose.JSONWebKey, time.Duration, error)
	now   func() time.Time

	flight singleflight.Group

	mu        sync.Mutex
	keys      []jose.JSONWebKey
	fetchedAt time.Time     // of keys; zero: never
	lifetime  time.Duration // of keys
	triedAt   time.Time     // the end of the last fetch; zero: never
	failure   error         // of the last fetch
}

// get returns the keys, and fetches them first if they are missing or have outlived their time. While the issuer is
// away, only the first call waits for a fetch that fails; the others get the stale keys at once.
func (s *keySet) get(ctx context.Context) ([]jose.JSONWebKey, error) {
	s.mu.Lock()
	fresh, known, stale := s.age() < s.lifetime, s.keys, s.failure != nil && s.usable()
	s.mu.Unlock()
	if fresh {
		return known, nil
	}
	fetched := s.refresh(ctx)
	if stale {
		return known, nil
	}
	if err := wait(ctx, fetched); err != nil {
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
	if err := wait(ctx, s.refresh(ctx)); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure != nil {
		return nil, s.unavailable()
	}
	return s.keys, nil
}

// refresh fetches the keys unless the last fetch has only just ended. A fetch is for all who wait, so that it outlives the
// caller that started it. It has a time-out of its own.
func (s *keySet) refresh(ctx context.Context) <-chan singleflight.Result {
	return s.flight.DoChan("", func() (any, error) {
		s.mu.Lock()
		tooSoon := s.tooSoon()
		s.mu.Unlock()
		if tooSoon {
			return nil, nil
		}
		keys, lifetime, err := s.fetch(context.WithoutCancel(ctx))
		s.mu.Lock()
		defer s.mu.Unlock()
		s.triedAt, s.failure = s.now(), err
		if err == nil {
			s.keys, s.fetchedAt, s.lifetime = keys, s.triedAt, lifetime
		}
		return nil, nil
	})
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
func wait(ctx context.Context, fetched <-chan singleflight.Result) error {
	select {
	case <-fetched:
		return nil
	case <-ctx.Done():
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return token.Wrap(token.Canceled, ctx.Err())
	}
	return token.Wrap(token.Unavailable, ctx.Err())
}
