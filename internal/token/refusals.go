package token

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Refusal is the use of a token that does not work, or several such uses that differ in their times only.
type Refusal struct {
	Token  Ref    // zero: of tokens that were too many to be told apart
	Reason string // revoked, suspended, expired, deleted or an [Obstacle]; "" where Token is zero
	Origin Origin // of the first one; zero where they came from too many addresses to be told apart
	Count  int64
	First  time.Time
	Last   time.Time
}

const (
	// mostRefusals is how many refusals may be pending. What comes beyond is counted, but not told apart.
	mostRefusals = 1000
	// mostAddresses is how many refusals of one token are told apart by the addresses from which they came.
	mostAddresses = 16
)

// refusals collects uses that were refused, so that who keeps trying is one event every few seconds. Its zero value is
// ready.
type refusals struct {
	mu      sync.Mutex
	pending map[refusalKey]Refusal
	ofToken map[int64]int // how many are pending, by Seq
}

// refusalKey is what refusals that are counted together have in common. Zero members are anything.
type refusalKey struct {
	seq             int64
	reason, address string
}

// add counts a refusal together with those that are pending, or as one of many that are not told apart.
func (r *refusals) add(key refusalKey, more Refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pending == nil {
		r.pending, r.ofToken = map[refusalKey]Refusal{}, map[int64]int{}
	}
	if _, known := r.pending[key]; !known && r.ofToken[key.seq] >= mostAddresses {
		key.address, more.Origin = "", Origin{}
	}
	if _, known := r.pending[key]; !known && len(r.pending) >= mostRefusals {
		key, more.Token, more.Reason, more.Origin = refusalKey{}, Ref{}, "", Origin{}
	}
	known, ok := r.pending[key]
	if !ok {
		r.ofToken[key.seq]++
		r.pending[key] = more
		return
	}
	known.Count += more.Count
	if more.First.Before(known.First) {
		known.First, known.Origin = more.First, more.Origin
	}
	if more.Last.After(known.Last) {
		known.Last = more.Last
	}
	r.pending[key] = known
}

// take returns what is pending.
func (r *refusals) take() map[refusalKey]Refusal {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.pending
	r.pending = nil
	return taken
}

// noteRefused has an event tell that a use of the token was refused.
func (s *Service) noteRefused(ctx context.Context, id Identity, now time.Time) {
	if s.Events == nil || id.Token == nil {
		return
	}
	origin, reason := OriginOf(ctx), id.reason(now)
	s.refusals.add(refusalKey{id.Token.Seq, reason, origin.Address}, Refusal{
		Token: id.Token.Ref(), Reason: reason, Origin: origin, Count: 1, First: now, Last: now,
	})
}

// FlushRefusals stores the events of refused uses that are pending. If they could not be stored, they stay pending.
func (s *Service) FlushRefusals(ctx context.Context) error {
	taken := s.refusals.take()
	if len(taken) == 0 {
		return nil
	}
	all := make([]Refusal, 0, len(taken))
	for _, refusal := range taken {
		all = append(all, refusal)
	}
	slices.SortFunc(all, func(a, b Refusal) int { return a.First.Compare(b.First) })
	err := s.Events.RecordRefusals(ctx, all)
	if err != nil {
		for key, refusal := range taken {
			s.refusals.add(key, refusal)
		}
	}
	return err
}

// RunRefusals flushes refusals as [Service.Run] flushes times of use.
func (s *Service) RunRefusals(ctx context.Context, report func(err error, lost bool)) {
	flushing(ctx, s.FlushRefusals, report)
}
