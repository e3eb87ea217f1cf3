package token

import (
	"context"
	"time"
)

// Authenticate returns the caller whose credential this is. A credential that does not work is [CredentialInvalid],
// whatever the reason; a fault of ours is never told as one of the credential.
func (s *Service) Authenticate(ctx context.Context, credential string) (Caller, error) {
	if credential == "" {
		return Caller{}, Errorf(CredentialMissing, "a credential is needed")
	}
	dialect, ok := SecretDialect(credential)
	switch {
	case !ok:
		return Caller{}, invalidCredential(nil)
	case dialect == APIToken && s.OIDC != nil && !s.Signer.Ours(credential):
		return s.federated(ctx, credential)
	case dialect == APIToken:
		if err := s.Signer.Verify(credential); err != nil {
			return Caller{}, invalidCredential(err)
		}
	}
	id, err := s.Store.FindSecret(ctx, HashSecret(credential))
	if KindOf(err) == NotFound {
		return Caller{}, invalidCredential(err)
	}
	if err != nil {
		return Caller{}, err
	}
	now := s.Now()
	if !id.usable(now) {
		return Caller{}, invalidCredential(nil)
	}
	s.uses.note(id.Token.Seq, now)
	return id.caller(), nil
}

// invalidCredential reads the same whatever is wrong; the cause is for the log.
func invalidCredential(cause error) error {
	return &Error{Kind: CredentialInvalid, Message: "the credential is not valid", Err: cause}
}

// usable is the one verdict on a credential: its state, its expiry, and whether what it depends on is enabled. The
// home account of a user is not among that.
func (id Identity) usable(now time.Time) bool {
	t := id.Token
	if t == nil || t.Deleted() || t.Status(now) != Active {
		return false
	}
	if t.Dialect.OwnedByUser() {
		return id.User != nil && !id.User.Disabled && id.Account != nil
	}
	if id.Account == nil || id.Account.Disabled {
		return false
	}
	return t.EnvironmentID == "" || id.Environment != nil && !id.Environment.Disabled
}

func (id Identity) caller() Caller {
	c := Caller{User: id.User, Account: id.Account, Token: id.Token, ExpiresAt: id.Token.ExpiresAt}
	if id.User != nil {
		c.Role = id.User.Role.atMost(id.Token.RoleLimit)
	}
	return c
}

// federated returns the registered user whom the OIDC issuer vouches for.
func (s *Service) federated(ctx context.Context, jwt string) (Caller, error) {
	vouched, err := s.OIDC.Identify(ctx, jwt)
	if err != nil {
		return Caller{}, err
	}
	if vouched.Issuer == "" || vouched.Subject == "" {
		return Caller{}, invalidCredential(nil)
	}
	id, err := s.Registry.FindSubject(ctx, vouched.Issuer, vouched.Subject)
	if KindOf(err) == NotFound || err == nil && id.User.Disabled {
		return Caller{}, invalidCredential(err)
	}
	if err != nil {
		return Caller{}, err
	}
	role := id.User.Role
	if vouched.Role != "" {
		role = vouched.Role
	}
	return Caller{User: id.User, Account: id.Account, Role: role, ExpiresAt: vouched.ExpiresAt.UTC().Truncate(time.Millisecond)}, nil
}
