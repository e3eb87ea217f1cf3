package token

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
)

// Authenticate returns the caller whose credential this is. A credential that does not work is [CredentialInvalid],
// whatever the reason; a fault of ours is never told as one of the credential.
func (s *Service) Authenticate(ctx context.Context, credential string) (Caller, error) {
	if credential == "" {
		return Caller{}, Errorf(CredentialMissing, "a credential is needed")
	}
	if s.OIDC != nil && s.foreign(credential) {
		return s.federated(ctx, credential)
	}
	id, now, err := s.identify(ctx, credential)
	if err != nil {
		return Caller{}, err
	}
	s.note(id, now)
	c := id.Caller()
	c.proof = credential
	return c, nil
}

// foreign reports whether another issuer may have to verify the credential.
func (s *Service) foreign(credential string) bool {
	dialect := s.Dialects.OrPublished().OfSecret(credential)
	return dialect != nil && dialect.Secrets.Signed && !s.Signer.Ours(credential)
}

// identify returns the row of a credential of this server that works now, and when that was, [CredentialInvalid] if
// there is none.
func (s *Service) identify(ctx context.Context, credential string) (Identity, time.Time, error) {
	id, err := s.lookUp(ctx, credential)
	now := s.Now()
	switch {
	case err == nil && id.usable(now):
		return id, now, nil
	case err == nil:
		s.noteRefused(ctx, id, now)
		return Identity{}, now, id.refusal(now)
	case KindOf(err) == NotFound:
		return Identity{}, now, invalidCredential(errUnknownSecret)
	}
	return Identity{}, now, err
}

// lookUp returns the row of a credential, from memory if that may answer. What has not the form of a credential is
// refused before the store is asked. A JWT whose row is in memory needs no second look at its signature: it is the same
// to the byte. A thousand requests with one credential that come together are one look-up. What a request asks about is
// looked up along with its credential, see [Beside].
func (s *Service) lookUp(ctx context.Context, credential string) (Identity, error) {
	hash := HashSecret(credential)
	if s.Memory != nil {
		if id, ok := s.Memory.Row(hash); ok {
			return id, nil
		}
	}
	dialect := s.Dialects.OrPublished().OfSecret(credential)
	if dialect == nil {
		return Identity{}, invalidCredential(errSecretForm)
	}
	beside, _ := ctx.Value(BesideKey{}).(*Beside)
	if id, err, ok := beside.answer(hash); ok {
		return id, err
	}
	if beside != nil {
		beside.Found = nil // of an earlier reading
	}
	s.ask(beside)
	read := func() (id Identity, err error) { // the signature, too, since a retired key is a change
		if dialect.Secrets.Signed {
			if err := s.Signer.Verify(credential); err != nil {
				return Identity{}, invalidCredential(err)
			}
		}
		id, err = s.Store.FindSecret(ctx, hash)
		id.Secret = hash
		return id, err
	}
	if s.Memory == nil {
		return read()
	}
	return s.Memory.ReadRow(ctx, hash, read)
}

// Why a credential is not valid, for the log.
var (
	errSecretForm    = errors.New("it is not a well-formed secret")
	errUnknownSecret = errors.New("no token has this secret")
	errGone          = errors.New("the token or its user is gone")
	errEnded         = errors.New("the JWT has expired")
	errNoSubject     = errors.New("the JWT has no subject")
)

// refusal is the error for a token that does not work.
func (id Identity) refusal(now time.Time) error {
	if id.Token == nil {
		return invalidCredential(errGone)
	}
	return invalidCredential(fmt.Errorf("%s: %s", id.Token.Ref().Object(), id.reason(now)))
}

// reason is why a token does not work.
func (id Identity) reason(now time.Time) string {
	state := id.Token.StateAt(now)
	switch {
	case id.Token.Deleted():
		return "deleted"
	case state != Active:
		return string(state)
	case !id.holds(now):
		return "the secret was replaced"
	}
	return string(id.obstacle())
}

// invalidCredential reads the same whatever is wrong; the cause is for the log.
func invalidCredential(cause error) error {
	return &Error{Kind: CredentialInvalid, Message: "the credential is not valid", Err: cause}
}

// usable is the one verdict on a credential: its state, its expiry, whether its secret is still the token's, and
// whether what it depends on is enabled.
func (id Identity) usable(now time.Time) bool {
	return id.Token != nil && !id.Token.Deleted() && id.Token.StateAt(now) == Active && id.holds(now) &&
		id.obstacle() == ""
}

// holds reports whether the secret is the token's current one, or the one before that has not ended.
func (id Identity) holds(now time.Time) bool {
	return id.Secret == (Hash{}) || id.Secret == id.Token.Hash ||
		id.Secret == id.Token.Previous.Hash && id.Token.Previous.worksAt(now)
}

// EndsAt is when the secret ends: with the token, or earlier if another one took its place. Zero: never.
func (id Identity) EndsAt() time.Time {
	if p := id.Token.Previous; id.Secret == p.Hash && id.Secret != (Hash{}) {
		return earlier(id.Token.ExpiresAt, p.EndsAt)
	}
	return id.Token.ExpiresAt
}

// Caller is who comes with the credential.
func (id Identity) Caller() Caller {
	c := Caller{User: id.User, Account: id.Account, Token: id.Token, ExpiresAt: id.EndsAt(), secret: id.Secret}
	if id.User != nil {
		c.Role = id.User.Role.atMost(id.Token.RoleLimit)
	}
	return c
}

// refusal is the error for a caller whose user is disabled.
func (u User) refusal() error { return invalidCredential(fmt.Errorf("the user %d is disabled", u.ID)) }

// federated returns the registered user whom the OIDC issuer vouches for.
func (s *Service) federated(ctx context.Context, jwt string) (Caller, error) {
	vouched, err := s.OIDC.Identify(ctx, jwt)
	if err != nil {
		return Caller{}, err
	}
	if vouched.Issuer == "" || vouched.Subject == "" {
		return Caller{}, invalidCredential(errNoSubject)
	}
	id, err := s.Registry.FindSubject(ctx, vouched.Issuer, vouched.Subject)
	switch {
	case KindOf(err) == NotFound:
		return Caller{}, invalidCredential(
			fmt.Errorf("no user is registered with the issuer %q and the subject %q", vouched.Issuer, vouched.Subject))
	case err != nil:
		return Caller{}, err
	case id.User.Disabled:
		return Caller{}, id.User.refusal()
	}
	return Caller{
		User: id.User, Account: id.Account, Role: cmp.Or(vouched.Role, id.User.Role), federated: true, claimed: vouched.Role,
		proof:     string(joined(vouched.Issuer, vouched.Subject)),
		ExpiresAt: vouched.ExpiresAt.UTC().Truncate(time.Millisecond),
	}, nil
}
