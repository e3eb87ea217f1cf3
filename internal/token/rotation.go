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
func (s *Service) Rotate(ctx context.Context, c Caller, ref Ref, overlap time.Duration) (t Token, secret string, err error) {
	if overlap < 0 || overlap > MaxOverlap {
		return Token{}, "", Faulty(Fault{Pointer: MemberOverlap, Detail: "must be from 0s to 168h"})
	}
	t, err = s.change(ctx, c, ref, false, func(c Caller, t *Token, entry StatusEntry) error {
		now := s.Now()
		if err := t.rotatable(c, now); err != nil {
			return err
		}
		if overlap > 0 && t.Previous.worksAt(now) {
			return Errorf(Conflict, "the secret before the current one works until %s: finish or cancel that rotation first, "+
				"or rotate without overlap, which ends both secrets", t.Previous.EndsAt.Format(time.RFC3339))
		}
		*t = s.used(*t)
		secret, err = s.rotate(t, entry, overlap, now)
		return err
	})
	if err != nil {
		secret = ""
	}
	return t, secret, err
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

// secretID is the `jti` of the token's current secret.
func (t Token) secretID() string {
	if t.Rotations == 0 {
		return t.ID
	}
	return t.ID + "." + strconv.FormatInt(t.Rotations, 10)
}

// issuedAt is the `iat` of the token's current secret.
func (t Token) issuedAt() time.Time {
	if t.RotatedAt.IsZero() {
		return t.CreatedAt
	}
	return t.RotatedAt
}

// FinishRotation ends the secret before the current one, while both work.
func (s *Service) FinishRotation(ctx context.Context, c Caller, ref Ref) (Token, error) {
	return s.endRotation(ctx, c, ref, func(t *Token) { t.Previous = Previous{} })
}

// CancelRotation ends the current secret, while the one before it works, which is the current one again.
func (s *Service) CancelRotation(ctx context.Context, c Caller, ref Ref) (Token, error) {
	return s.endRotation(ctx, c, ref, func(t *Token) {
		p := t.Previous
		t.Hash, t.KeyID, t.Entry, t.RotatedAt, t.Previous = p.Hash, p.KeyID, p.Entry, p.RotatedAt, Previous{}
	})
}

func (s *Service) endRotation(ctx context.Context, c Caller, ref Ref, end func(*Token)) (Token, error) {
	return s.change(ctx, c, ref, true, func(c Caller, t *Token, _ StatusEntry) error {
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

// rotatable judges whether the caller, who sees the token, may rotate it, and whether its state lets it. An account's
// token may rotate none but itself.
func (t *Token) rotatable(c Caller, now time.Time) error {
	if c.User == nil && (c.tokenSeq() != t.Seq || !t.SelfRotation) {
		return Errorf(Forbidden, "a credential that belongs to no user may rotate no token but itself, "+
			"and that only if its owner allowed it (self_rotation)")
	}
	if state := t.StateAt(now); state != Active {
		return Errorf(Conflict, "the token is %s, and its secret cannot be rotated then", state)
	}
	return nil
}

// change lets fn change a token that the caller has, see [Owned]. It is told the caller as it is in the transaction.
// Urgent changes take rights away and need no entry.
func (s *Service) change(
	ctx context.Context, c Caller, ref Ref, urgent bool, fn func(Caller, *Token, StatusEntry) error,
) (Token, error) {
	if err := c.enter(ref.Dialect, Owned); err != nil {
		return Token{}, err
	}
	if !ref.valid() {
		return Token{}, notFound()
	}
	var changed []Change
	permit := s.permit(&c, func(c Caller) error { return c.enter(ref.Dialect, Owned) })
	permit.Urgent = urgent
	change := func(t *Token, entry StatusEntry) error {
		changed = t.Changes()
		if t.Deleted() || !c.sees(*t, Owned) {
			return notFound()
		}
		return fn(c, t, entry)
	}
	t, err := s.store(ctx, permit, ref, change)
	s.forget(changed)
	if KindOf(err) == NotFound {
		return Token{}, notFound()
	}
	return s.used(t), err
}

// store makes the change, after a try on a copy where it would go before all others, see [Service.futile].
func (s *Service) store(
	ctx context.Context, permit Permit, ref Ref, change func(*Token, StatusEntry) error,
) (Token, error) {
	if !permit.Urgent {
		return s.Store.Rotate(ctx, permit, ref, change)
	}
	withoutEntry := func(t *Token) error { return change(t, StatusEntry{}) }
	if err := s.futile(ctx, ref, withoutEntry); err != nil {
		return Token{}, err
	}
	return s.Store.Update(ctx, permit, ref, withoutEntry)
}
