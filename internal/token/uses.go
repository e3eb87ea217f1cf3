package token

import (
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

// uses collects the times at which tokens were used, so that a busy token is one row of a batch and not a write each
// time. Its zero value is ready.
type uses struct {
	mu      sync.Mutex
	pending map[int64]time.Time
	givenUp bool // the times of some, because there are too many
}

func (u *uses) note(seq int64, at time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.pending == nil {
		u.pending = map[int64]time.Time{}
	}
	known, ok := u.pending[seq]
	switch {
	case !ok && len(u.pending) >= mostUses:
		u.givenUp = true
	case at.After(known):
		u.pending[seq] = at
	}
}

func (u *uses) count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.pending)
}

// take returns what is pending, or a part of it.
func (u *uses) take() (taken map[int64]time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.pending) <= usesAtOnce {
		taken, u.pending = u.pending, nil
		return taken
	}
	taken = make(map[int64]time.Time, usesAtOnce)
	for seq, at := range u.pending {
		if len(taken) == usesAtOnce {
			break
		}
		taken[seq] = at
		delete(u.pending, seq)
	}
	return taken
}

// complaint is why some times are not stored, once.
func (u *uses) complaint() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.givenUp {
		return nil
	}
	u.givenUp = false
	return errTooManyUses
}

func (u *uses) last(seq int64) time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.pending[seq]
}

// used adds the time of use that is not yet stored.
func (s *Service) used(t Token) Token {
	if last := s.uses.last(t.Seq); last.After(t.LastUsedAt) {
		t.LastUsedAt = last
	}
	return t
}

// FlushUses writes the times of use that are pending, batch by batch. What could not be written stays pending.
func (s *Service) FlushUses(ctx context.Context) error {
	for rest := s.uses.count(); rest > 0; rest -= usesAtOnce { // and not those that come meanwhile
		taken := s.uses.take()
		if err := s.Store.Touch(ctx, taken); err != nil {
			for seq, at := range taken {
				s.uses.note(seq, at)
			}
			return err
		}
	}
	return s.uses.complaint()
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
