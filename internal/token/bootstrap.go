package token

import "context"

// Initialize fills an empty store: an account with two environments, an admin, and one credential of that admin
// without expiry. Deliver gets the credential inside the transaction, before the commit. It reports whether this call
// did it: of several that come together one does.
func (s *Service) Initialize(ctx context.Context, deliver func(secret string) error) (bool, error) {
	return s.InitializeWith(ctx, CredentialDialect.Secrets.New(), deliver)
}

// InitializeWith is [Service.Initialize] with a credential that somebody else made, in the form of the
// [CredentialDialect].
func (s *Service) InitializeWith(ctx context.Context, secret string, deliver func(secret string) error) (bool, error) {
	if s.Dialects.OrPublished().OfSecret(secret) != CredentialDialect {
		return false, Errorf(Invalid, "the credential is not a %s secret", CredentialDialect)
	}
	now := s.Now()
	account := Account{ID: NewKey(now), Name: "default", CreatedAt: now, UpdatedAt: now}
	environment := func(name string) Environment {
		return Environment{ID: NewKey(now), AccountID: account.ID, Name: name, CreatedAt: now, UpdatedAt: now}
	}
	seed := Seed{
		Account:      account,
		Environments: []Environment{environment("development"), environment("production")},
		User: User{AdminID: NewKey(now), Subject: "admin", Name: "First admin", Role: RoleAdmin, AccountID: account.ID,
			CreatedAt: now, UpdatedAt: now},
		Token: Token{Dialect: CredentialDialect, ID: CredentialDialect.IDs.new(now), Hash: HashSecret(secret),
			Name: "bootstrap", Scope: ScopeUser, State: Active, CreatedAt: now, UpdatedAt: now},
		Maxima: NewMaxima,
	}
	return s.Registry.Initialize(ctx, seed, func() error { return deliver(secret) })
}

// Rescue issues one more credential to an enabled admin, the first one if userID is 0. It asks for no credential: who
// may call it has the database.
func (s *Service) Rescue(ctx context.Context, userID int64, deliver func(secret string) error) (Token, error) {
	u, err := s.Registry.FirstAdmin(ctx)
	if userID != 0 {
		u, err = s.Registry.FindUser(ctx, userID)
	}
	switch {
	case KindOf(err) == NotFound:
		return Token{}, Errorf(NotFound, "there is no enabled admin with this id")
	case err != nil:
		return Token{}, err
	case u.Role != RoleAdmin || u.Disabled:
		return Token{}, Errorf(Conflict, "user %d is not an enabled admin", u.ID)
	}
	account := Account{ID: u.AccountID}
	caller := Caller{User: &u, Account: &account, Role: u.Role}
	t, _, err := s.Create(ctx, caller, Draft{Dialect: CredentialDialect, Name: "bootstrap", Deliver: deliver})
	return t, err
}
