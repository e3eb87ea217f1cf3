package token

import (
	"context"
	"strconv"
	"time"
)

// MaxOverlap is how long two secrets of a token may work side by side.
const MaxOverlap = 7 * day

// MemberOverlap is where a fault of the overlap points to.
const MemberOverlap = "/overlap"

// Rotate gives a token that the caller has another secret, which it returns. The one that was current works until the
// overlap is over. A token has one earlier secret at most: as long as that works, only a rotation without overlap is
// possible, which ends both.
func (s *Service) Rotate(
	ctx context.Context, c Caller, ref Ref, overlap time.Duration, r *Retry,
) (Token, string, error) {
	return s.once(ctx, c, r, func(y *retry) (Token, string, error) { return s.rotated(ctx, c, ref, overlap, y) })
}

func (s *Service) rotated(
	ctx context.Context, c Caller, ref Ref, overlap time.Duration, y *retry,
) (Token, string, error) {
	if overlap < 0 || overlap > MaxOverlap {
		return Token{}, "", Faulty(Fault{Pointer: MemberOverlap, Detail: "must be from 0s to 168h"})
	}
	overlap = overlap.Truncate(time.Millisecond)
	var secret string
	claimed := func(
		ctx context.Context, p Permit, ref Ref, change func(*Token, StatusEntry) error,
	) (Token, error) {
		return s.Store.Rotate(ctx, p, ref, y.sealing(&secret), change)
	}
	t, err := s.change(ctx, c, ref, "rotate", claimed, func(c Caller, t *Token, entry StatusEntry) error {
		now := s.Now()
		if err := t.rotatable(c, now); err != nil {
			return err
		}
		if overlap > 0 && t.Previous.worksAt(now) {
			return Errorf(Conflict, "the secret before the current one works until %s: finish or cancel that rotation first, "+
				"or rotate without overlap, which ends both secrets", t.Previous.EndsAt.Format(time.RFC3339))
		}
		*t = s.used(*t)
		made, err := s.rotate(t, entry, overlap, now)
		secret = made
		return err
	})
	if err != nil { // perhaps since the caller has left, and then somebody else may still be at it
		return t, "", err
	}
	return t, secret, nil
}

// rotate makes the token's next secret.
func (s *Service) rotate(t *Token, entry StatusEntry, overlap time.Duration, now time.Time) (string, error) {
	previous := Previous{
		Hash: t.Hash, KeyID: t.KeyID, Entry: t.Entry, RotatedAt: t.RotatedAt, EndsAt: now.Add(overlap),
		LastUsedAt: t.LastUsedAt,
	}
	t.Rotations++
	t.Entry, t.RotatedAt, t.UpdatedAt, t.Previous = entry, now, now, Previous{}
	secret, err := s.newSecret(t)
	if err != nil {
		return "", err
	}
	t.Hash = HashSecret(secret)
	if overlap > 0 {
		t.Previous = previous
	}
	return secret, nil
}

// secretID is the `jti` of the token's newest secret, while that is made. A rotation that was cancelled leaves a gap.
func (t Token) secretID() string {
	if t.Rotations == 0 {
		return t.ID
	}
	return t.ID + "." + strconv.FormatInt(t.Rotations, 10)
}

// issuedAt is its `iat`.
func (t Token) issuedAt() time.Time {
	if t.RotatedAt.IsZero() {
		return t.CreatedAt
	}
	return t.RotatedAt
}

// FinishRotation ends the secret before the current one, while both work.
func (s *Service) FinishRotation(ctx context.Context, c Caller, ref Ref) (Token, error) {
	return s.endRotation(ctx, c, ref, "finish_rotation", func(t *Token) { t.Previous = Previous{} })
}

// CancelRotation ends the current secret, while the one before it works, which is the current one again.
func (s *Service) CancelRotation(ctx context.Context, c Caller, ref Ref) (Token, error) {
	return s.endRotation(ctx, c, ref, "cancel_rotation", func(t *Token) {
		p := t.Previous
		t.Hash, t.KeyID, t.Entry, t.RotatedAt, t.Previous = p.Hash, p.KeyID, p.Entry, p.RotatedAt, Previous{}
	})
}

func (s *Service) endRotation(
	ctx context.Context, c Caller, ref Ref, action string, end func(*Token),
) (Token, error) {
	return s.change(ctx, c, ref, action, s.takeAway, func(c Caller, t *Token, _ StatusEntry) error {
		now := s.Now()
		if err := t.rotatable(c, now); err != nil {
			return err
		}
		if !t.Previous.worksAt(now) {
			return Errorf(Conflict, "no rotation is under way: only one secret of the token works")
		}
		end(t)
		t.UpdatedAt = now
		return nil
	})
}

// rotatable judges whether the caller, who sees the token, may rotate it, and whether its state lets it. What a user
// may do by any credential, a token does to itself only if it was allowed: whoever finds it could lock its owner out.
func (t *Token) rotatable(c Caller, now time.Time) error {
	switch itself := c.tokenSeq() == t.Seq; {
	case itself && !t.SelfRotation:
		return Errorf(Forbidden, "a token may rotate itself only if its owner allowed that (self_rotation): "+
			"use another credential")
	case !itself && c.User == nil:
		return Errorf(Forbidden, "a credential that belongs to no user may rotate no token but itself")
	}
	if state := t.StateAt(now); state != Active {
		return Errorf(Conflict, "the token is %s, and its secret cannot be rotated then", state)
	}
	return nil
}

// change lets fn change a token that the caller has, see [Owned], and store has that written. Fn is told the caller as
// it is in the transaction.
func (s *Service) change(
	ctx context.Context, c Caller, ref Ref, action string, store storing, fn func(Caller, *Token, StatusEntry) error,
) (Token, error) {
	if err := c.enter(ref.Dialect, Owned); err != nil {
		return Token{}, err
	}
	if !ref.valid() {
		return Token{}, notFound()
	}
	var changed []Change
	permit := s.permit(ctx, &c, func(c Caller) error { return c.enter(ref.Dialect, Owned) })
	permit.Action = action
	t, err := store(ctx, permit, ref, func(t *Token, entry StatusEntry) error {
		changed = t.Changes()
		if t.Deleted() || !c.sees(*t, Owned) {
			return notFound()
		}
		return fn(c, t, entry)
	})
	s.forget(changed)
	if KindOf(err) == NotFound {
		return Token{}, notFound()
	}
	return s.used(t), err
}

// storing is [Store.Rotate], or a change that gets no entry.
type storing func(context.Context, Permit, Ref, func(*Token, StatusEntry) error) (Token, error)

func (s *Service) update(
	ctx context.Context, p Permit, ref Ref, change func(*Token, StatusEntry) error,
) (Token, error) {
	return s.Store.Update(ctx, p, ref, func(t *Token) error { return change(t, StatusEntry{}) })
}

// takeAway is update for what takes rights away, see [Service.futile].
func (s *Service) takeAway(
	ctx context.Context, p Permit, ref Ref, change func(*Token, StatusEntry) error,
) (Token, error) {
	err := s.futile(ctx, ref, func(t *Token) error { return change(t, StatusEntry{}) })
	if err != nil {
		return Token{}, err
	}
	p.Urgent = true
	return s.update(ctx, p, ref, change)
}
