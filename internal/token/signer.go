package token

import (
	"context"
	"time"
)

// Claims is what the JWT of a token says (RFC 7519).
type Claims struct {
	ID            string // jti
	Subject       string // sub: the environment's id, else the account's
	Scope         Scope  // token_scope
	AccountID     string // account_id
	EnvironmentID string // environment_id, null if ""
	IssuedAt      time.Time
	ExpiresAt     time.Time   // whole seconds
	Entry         StatusEntry // status
}

// Signer makes and checks the secrets that are JWTs. An error in signing is [Unavailable] where trying again may help.
type Signer interface {
	// Sign returns the JWT for the claims, signed with the active key, and that key's id.
	Sign(c Claims) (secret, keyID string, err error)
	// KeyIDs are those of all keys that verify.
	KeyIDs() []string
	// Verify returns nil if this server signed the JWT and it has not been altered. It does not judge times: the store's
	// row does. An error means that the secret is no token of ours.
	Verify(secret string) error
	// Ours reports whether the JWT names this server as its issuer, before any verification: it only chooses who is to
	// verify.
	Ours(secret string) bool
}

// Federation vouches for the users of a configured OIDC issuer.
type Federation interface {
	// Identify verifies the issuer's JWT, times and audience included. Its errors are [CredentialInvalid], or
	// [Unavailable] where the issuer's keys cannot be had.
	Identify(ctx context.Context, jwt string) (Vouched, error)
}

// Vouched is a user as an OIDC issuer names it.
type Vouched struct {
	Issuer    string
	Subject   string
	Role      Role // "" leaves the role to the registry
	ExpiresAt time.Time
}
