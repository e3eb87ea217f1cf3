package token

import (
	"context"
	"time"
)

// Introspection is what [Service.Introspect] says of a token that works (RFC 7662 section 2.2). It is nil for any
// other.
type Introspection struct {
	Identity
	Subject string // the user's subject, else the environment's id, else the account's
}

// Introspect judges a secret on behalf of a service that was given it. Whatever does not work, and whatever the caller
// may not see, is nil; an error means that no verdict could be reached.
func (s *Service) Introspect(ctx context.Context, c Caller, secret string) (*Introspection, error) {
	if err := c.MayIntrospect(); err != nil {
		return nil, err
	}
	id, now, err := s.identify(ctx, secret)
	switch {
	case err != nil && KindOf(err) == CredentialInvalid:
		return nil, nil //nolint:nilnil // no verdict but "not active" (RFC 7662 section 2.2)
	case err != nil:
		return nil, err
	case !c.Admin() && id.Account.ID != c.AccountID():
		return nil, nil //nolint:nilnil // out of reach reads like unknown
	}
	return s.checked(id, now), nil
}

// Check judges the credential of a request that a gateway hands on: [CredentialInvalid] unless it is a token of this
// server that works.
func (s *Service) Check(ctx context.Context, credential string) (*Introspection, error) {
	id, now, err := s.identify(ctx, credential)
	if err != nil {
		return nil, err
	}
	return s.checked(id, now), nil
}

// checked notes the check as a use of the token.
func (s *Service) checked(id Identity, now time.Time) *Introspection {
	s.note(id, now)
	return &Introspection{Identity: id, Subject: id.subject()}
}

// MayIntrospect decides whether the caller may check the tokens of others: admins, introspectors, and account tokens
// that an admin let do it.
func (c Caller) MayIntrospect() error {
	if c.Admin() || c.Role == RoleIntrospector || c.User == nil && c.Token != nil && c.Token.Introspector {
		return nil
	}
	return Errorf(Forbidden, "the credential may not introspect tokens: "+
		"it needs the role introspector or, for an apitoken token, an admin's permission")
}

func (id Identity) subject() string {
	switch {
	case id.User != nil:
		return id.User.Subject
	case id.Environment != nil:
		return id.Environment.ID
	}
	return id.Account.ID
}

// AllowIntrospection lets an account's token check the tokens of its account.
func (s *Service) AllowIntrospection(ctx context.Context, c Caller, ref Ref) (Token, error) {
	return s.switchIntrospection(ctx, c, ref, true)
}

// ForbidIntrospection takes that back.
func (s *Service) ForbidIntrospection(ctx context.Context, c Caller, ref Ref) (Token, error) {
	return s.switchIntrospection(ctx, c, ref, false)
}

func (s *Service) switchIntrospection(ctx context.Context, c Caller, ref Ref, allow bool) (Token, error) {
	if err := c.requireAdmin(); err != nil {
		return Token{}, err
	}
	if !ref.valid() {
		return Token{}, notFound()
	}
	var changed []Change
	action := "forbid_introspection"
	if allow {
		action = "allow_introspection"
	}
	t, err := s.Store.Update(ctx, s.adminPermit(ctx, &c, action, !allow), ref, func(t *Token) error {
		switch {
		case t.Deleted():
			return notFound()
		case t.Dialect.OwnedByUser:
			return Errorf(Conflict, "a user's token can introspect only through the role of its user")
		}
		changed = t.Changes()
		if t.Introspector != allow {
			t.Introspector, t.UpdatedAt = allow, s.Now()
		}
		return nil
	})
	s.forget(changed)
	if KindOf(err) == NotFound {
		return Token{}, notFound()
	}
	return s.used(t), err
}
