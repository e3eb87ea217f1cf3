package token

import (
	"context"
	"sync"
	"time"
)

// FlushInterval is how often times of use are written: a stored one is at most this much, and the duration of one
// write, too old.
const FlushInterval = 5 * time.Second

// uses collects the times at which tokens were used, so that a busy token is one row of a batch and not a write each
// time. Its zero value is ready.
type uses struct {
	mu      sync.Mutex
	pending map[int64]time.Time
}

func (u *uses) note(seq int64, at time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.pending == nil {
		u.pending = map[int64]time.Time{}
	}
	if at.After(u.pending[seq]) {
		u.pending[seq] = at
	}
}

func (u *uses) take() map[int64]time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	taken := u.pending
	u.pending = nil
	return taken
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

// FlushUses writes the times of use that are pending. What could not be written stays pending.
func (s *Service) FlushUses(ctx context.Context) error {
	taken := s.uses.take()
	if len(taken) == 0 {
		return nil
	}
	err := s.Store.Touch(ctx, taken)
	if err != nil {
		for seq, at := range taken {
			s.uses.note(seq, at)
		}
	}
	return err
}

// Run flushes times of use until the context ends, and once more at the end. It tells failures to report, and whether
// the times are lost: before the end they stay pending.
func (s *Service) Run(ctx context.Context, report func(err error, lost bool)) {
	tick := time.NewTicker(FlushInterval)
	defer tick.Stop()
	for done := false; !done; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			done = true
		}
		flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), FlushInterval)
		if err := s.FlushUses(flush); err != nil {
			report(err, done)
		}
		cancel()
	}
}
