package token

import (
	"context"
	"time"
)

// Terms are what an owner changes of a token; nil stays as it is.
type Terms struct {
	Name         *string    // of a user's token
	ExpiresAt    *time.Time // no later than the token expires now
	SelfRotation *bool
}

// Edit changes the terms of a token that the caller has, see [Owned]. It gives a token nothing that its owner could not
// give it when it was made, and takes nothing away from those that it made.
func (s *Service) Edit(ctx context.Context, c Caller, ref Ref, terms Terms) (Token, error) {
	t, err := s.change(ctx, c, ref, "edit", s.update, func(c Caller, t *Token, _ StatusEntry) error {
		now := s.Now()
		if err := terms.allowed(c, t, now); err != nil {
			return err
		}
		faults := terms.judge(t, now)
		if len(faults) > 0 {
			return Faulty(faults...)
		}
		before := *t
		t.Name, t.SelfRotation = orKept(terms.Name, t.Name), orKept(terms.SelfRotation, t.SelfRotation)
		if terms.ExpiresAt != nil {
			t.ExpiresAt = terms.ExpiresAt.UTC().Truncate(t.Dialect.Precision)
		}
		if *t != before {
			t.UpdatedAt = now
		}
		return nil
	})
	if KindOf(err) == NameTaken {
		return Token{}, &Error{Kind: NameTaken, Message: nameTaken(ref.Dialect), Err: err}
	}
	return t, err
}

func nameTaken(d *Dialect) string { return "another of your tokens has this " + d.Names.Word }

// allowed judges whether the caller, who sees the token, may edit it, and whether its state lets it.
func (terms Terms) allowed(c Caller, t *Token, now time.Time) error {
	switch state := t.StateAt(now); {
	case c.User == nil:
		return Errorf(Forbidden, "a credential that belongs to no user may not edit a token")
	case terms.SelfRotation != nil && c.tokenSeq() == t.Seq:
		return Errorf(Forbidden, "a token cannot decide whether it may rotate itself: use another credential of its owner")
	case state == Revoked || state == Expired:
		return Errorf(Conflict, "the token is %s, and cannot be edited then", state)
	}
	return nil
}

// judge lists all faults at once.
func (terms Terms) judge(t *Token, now time.Time) (faults []Fault) {
	switch {
	case terms.Name == nil:
	case !t.Dialect.OwnedByUser:
		faults = append(faults, Fault{Pointer: MemberName, Detail: "must be left out: only a user's token has a name"})
	default:
		faults = t.Dialect.judgeName(*terms.Name)
	}
	if detail := terms.judgeExpiry(t, now); detail != "" {
		faults = append(faults, Fault{Pointer: MemberExpiry, Detail: detail})
	}
	return faults
}

// judgeExpiry says what the expiry must be, "" if it is that.
func (terms Terms) judgeExpiry(t *Token, now time.Time) string {
	switch asked := terms.ExpiresAt; {
	case asked == nil:
		return ""
	case t.Dialect.Secrets.Signed:
		return "must be left out: the secret itself says when it expires"
	default:
		return judgeAsked(*asked, asked.UTC().Truncate(t.Dialect.Precision), t.ExpiresAt, now,
			"when the token expires now")
	}
}
