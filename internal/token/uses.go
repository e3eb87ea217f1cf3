package token

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"
)

// FlushInterval is how often times of use are written: a stored one is at most this much, and the duration of one
// write, too old.
const FlushInterval = 5 * time.Second

const (
	// usesAtOnce is how many times of use are written by one call of the store. What is left stays pending.
	usesAtOnce = 5000
	// mostUses is how many may be pending, in some twenty megabytes. If millions of tokens are in use, the database may
	// store fewer than come.
	mostUses = 250_000
)

// errTooManyUses is what is reported then.
var errTooManyUses = errors.New("the times of some tokens were given up: more are in use than the database can store")

// uses collects the times at which tokens, or secrets, were used, so that a busy one is one row of a batch and not a
// write each time. Its zero value is ready.
type uses[K comparable] struct {
	mu      sync.Mutex
	pending map[K]time.Time
	givenUp bool // the times of some, because there are too many
}

func (u *uses[K]) note(key K, at time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.pending == nil {
		u.pending = map[K]time.Time{}
	}
	known, ok := u.pending[key]
	switch {
	case !ok && len(u.pending) >= mostUses:
		u.givenUp = true
	case at.After(known):
		u.pending[key] = at
	}
}

func (u *uses[K]) count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.pending)
}

// take returns what is pending, or a part of it.
func (u *uses[K]) take() (taken map[K]time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.pending) <= usesAtOnce {
		taken, u.pending = u.pending, nil
		return taken
	}
	taken = make(map[K]time.Time, usesAtOnce)
	for key, at := range u.pending {
		if len(taken) == usesAtOnce {
			break
		}
		taken[key] = at
		delete(u.pending, key)
	}
	return taken
}

// complaint is why some times are not stored, once.
func (u *uses[K]) complaint() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.givenUp {
		return nil
	}
	u.givenUp = false
	return errTooManyUses
}

func (u *uses[K]) last(key K) time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.pending[key]
}

// note notes a use of a credential now, and where a previous secret was used that, too.
func (s *Service) note(id Identity, now time.Time) {
	s.uses.note(id.Token.Seq, now)
	if id.Secret != id.Token.Hash && id.Secret == id.Token.Previous.Hash {
		s.previousUses.note(id.Secret, now)
	}
}

// used adds the times of use that are not yet stored.
func (s *Service) used(t Token) Token {
	if last := s.uses.last(t.Seq); last.After(t.LastUsedAt) {
		t.LastUsedAt = last
	}
	if t.Previous.Hash == (Hash{}) {
		return t
	}
	if last := s.previousUses.last(t.Previous.Hash); last.After(t.Previous.LastUsedAt) {
		t.Previous.LastUsedAt = last
	}
	return t
}

// FlushUses writes the times of use that are pending, batch by batch. What could not be written stays pending.
func (s *Service) FlushUses(ctx context.Context) error {
	return cmp.Or(s.uses.flush(ctx, s.Store.Touch), s.previousUses.flush(ctx, s.Store.TouchPrevious))
}

func (u *uses[K]) flush(ctx context.Context, store func(context.Context, map[K]time.Time) error) error {
	for rest := u.count(); rest > 0; rest -= usesAtOnce { // and not those that come meanwhile
		taken := u.take()
		if err := store(ctx, taken); err != nil {
			for key, at := range taken {
				u.note(key, at)
			}
			return err
		}
	}
	return u.complaint()
}

// Run flushes times of use until the context ends, and once more at the end. It tells failures to report, and whether
// the times are lost: before the end they stay pending.
func (s *Service) Run(ctx context.Context, report func(err error, lost bool)) {
	flushing(ctx, s.FlushUses, report)
}

// flushing calls flush every few seconds until the context ends, and once more at the end.
func flushing(ctx context.Context, flush func(context.Context) error, report func(err error, lost bool)) {
	tick := time.NewTicker(FlushInterval)
	defer tick.Stop()
	for done := false; !done; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			done = true
		}
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), FlushInterval)
		if err := flush(limited); err != nil {
			report(err, done)
		}
		cancel()
	}
}
