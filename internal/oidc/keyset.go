package oidc

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"

	"github.com/tokenwright/tokenwright/internal/token"
)

const (
	// refreshGap is the minimum time between the end of one fetch and the start of the next, so that nobody can make us
	// flood the issuer by sending us JWTs.
	refreshGap = 10 * time.Second
	// staleFor is how long expired keys are still used while the issuer is unreachable.
	staleFor = 6 * time.Hour
)

// keySet keeps the issuer's keys: one fetch at a time, never two within [refreshGap]. It replaces go-oidc's
// RemoteKeySet, which fetches for every signature that it cannot verify, caches keys until then, and accepts any key in
// the set.
type keySet struct {
	fetch  func(context.Context) ([]jose.JSONWebKey, time.Duration, error)
	now    func() time.Time
	flight singleflight.Group
	last   atomic.Pointer[known] // changed only by a fetch; nil: nothing is known
}

// known is what is known of the keys. It is immutable.
type known struct {
	keys      []jose.JSONWebKey
	fetchedAt time.Time     // of keys; zero: never
	lifetime  time.Duration // of keys
	triedAt   time.Time     // the end of the last fetch
	failure   error         // of the last fetch
}

// get returns the keys, and fetches them first if they are missing or expired. While the issuer is unreachable, only
// the first call waits for a failing fetch; the others get the stale keys at once.
func (s *keySet) get(ctx context.Context) ([]jose.JSONWebKey, error) {
	k := s.last.Load()
	if s.within(k, 0) {
		return k.keys, nil
	}
	fetched := s.refresh(ctx)
	if away := k != nil && k.failure != nil; away && s.within(k, staleFor) {
		return k.keys, nil
	}
	k, err := s.wait(ctx, fetched)
	if err != nil {
		return nil, err
	}
	if !s.within(k, staleFor) {
		return nil, k.unavailable()
	}
	return k.keys, nil
}

// newer fetches the keys again, if it is not too soon, and returns the newest. If the issuer does not respond, nobody
// knows whether it has the missing key, so stale keys are not enough here.
func (s *keySet) newer(ctx context.Context) ([]jose.JSONWebKey, error) {
	k, err := s.wait(ctx, s.refresh(ctx))
	if err != nil {
		return nil, err
	}
	if k.failure != nil {
		return nil, k.unavailable()
	}
	return k.keys, nil
}

// refresh fetches the keys unless the last fetch has only just ended. A fetch serves all waiting callers, so it
// outlives the caller that started it, and has its own timeout.
func (s *keySet) refresh(ctx context.Context) <-chan singleflight.Result {
	return s.flight.DoChan("", func() (any, error) {
		k := new(known)
		if last := s.last.Load(); last != nil {
			// A clock that was set back must not keep us from fetching.
			if since := s.now().Sub(last.triedAt); since >= 0 && since < refreshGap {
				return nil, nil
			}
			*k = *last
		}
		keys, lifetime, err := s.fetch(context.WithoutCancel(ctx))
		k.triedAt, k.failure = s.now(), err
		if err == nil {
			k.keys, k.fetchedAt, k.lifetime = keys, k.triedAt, lifetime
		}
		s.last.Store(k)
		return nil, nil
	})
}

// within reports whether the age of the keys is within their lifetime plus more. Keys from the future, after the clock
// was set back, count as expired but still usable as stale.
func (s *keySet) within(k *known, more time.Duration) bool {
	if k == nil || k.fetchedAt.IsZero() {
		return false
	}
	age := s.now().Sub(k.fetchedAt)
	if age < 0 {
		age = k.lifetime
	}
	return age < k.lifetime+more
}

func (k *known) unavailable() error {
	return token.Wrap(token.Unavailable, fmt.Errorf("cannot fetch the OIDC issuer's keys: %w", k.failure))
}

// wait waits for a fetch, or for the caller to go away.
func (s *keySet) wait(ctx context.Context, fetched <-chan singleflight.Result) (*known, error) {
	select {
	case <-fetched:
		return s.last.Load(), nil
	case <-ctx.Done():
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil, token.Wrap(token.Canceled, ctx.Err())
	}
	return nil, token.Wrap(token.Unavailable, ctx.Err())
}
