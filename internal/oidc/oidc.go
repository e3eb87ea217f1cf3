// Package oidc verifies the JWTs of a configured OpenID Connect issuer. It implements [token.Federation], knows nothing
// of the registry, and is called only by internal/token. go-oidc does discovery, go-jose checks signatures. The claims
// are checked here, since go-oidc's verifier fetches keys before it looks at the claims, accepts a repeated member and
// a token that expires now, and distinguishes an outage of the issuer from a bad signature only by the error text.
package oidc

import (
	"context"
	"crypto"
	"crypto/rsa"
	_ "crypto/sha256" // of PS256
	_ "crypto/sha512" // of PS384 and PS512
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/tokenwright/tokenwright/internal/token"
)

// Config says which issuer is trusted, and for what.
type Config struct {
	IssuerURL string // the `iss` of its JWTs and the base of its discovery document
	Audience  string // what `aud` must contain
	OurIssuer string // this server's own `iss`, which must be different

	// RoleClaim, if set, is the claim that alone decides the role: the highest of Roles among its values (a string or a
	// list of strings), or [token.RoleMember] if there is none. If it is not set, the registry decides the role.
	RoleClaim string
	Roles     map[string]token.Role

	HTTPClient *http.Client     // nil: a client with timeouts
	Now        func() time.Time // the clock of the service
}

// Issuer vouches for the users of one OpenID Connect issuer. It is safe for concurrent use.
type Issuer struct {
	cfg  Config
	keys *keySet
}

var _ token.Federation = (*Issuer)(nil)

// New checks the configuration. It sends no request to the issuer before the first JWT, so that this server can start
// while the issuer is down.
func New(cfg Config) (*Issuer, error) {
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("OIDC issuer: %w", err)
	}
	source := &source{issuer: cfg.IssuerURL, client: client(cfg.HTTPClient)}
	return &Issuer{cfg: cfg, keys: &keySet{fetch: source.fetch, now: cfg.Now}}, nil
}

func (c Config) check() error {
	if err := checkURL(c.IssuerURL); err != nil {
		return err
	}
	if sameURL(c.IssuerURL, c.OurIssuer) {
		return errors.New("it is this server, which accepts its own tokens anyway")
	}
	if c.Audience == "" {
		return errors.New("the audience is not set")
	}
	if c.Now == nil {
		return errors.New("the clock is not set")
	}
	return c.checkRoles()
}

func (c Config) checkRoles() error {
	if c.RoleClaim == "" && len(c.Roles) > 0 {
		return errors.New("roles are mapped, but no role claim is set")
	}
	for value, role := range c.Roles {
		if !slices.Contains(token.Roles, role) {
			return fmt.Errorf("the value %q of the claim %q is mapped to the unknown role %q", value, c.RoleClaim, role)
		}
	}
	return nil
}

// Identify verifies the issuer's JWT and returns its subject. Its errors are of kind [token.CredentialInvalid] if the
// JWT is invalid, [token.Unavailable] if the keys cannot be fetched, and [token.Canceled] if the caller gave up
// meanwhile.
func (i *Issuer) Identify(ctx context.Context, jwt string) (token.Vouched, error) {
	t, err := parse(jwt)
	if err != nil {
		return token.Vouched{}, err
	}
	// Cheap checks come first. Nothing in the JWT is trusted before the signature is verified.
	if err := i.judge(t.claims); err != nil {
		return token.Vouched{}, err
	}
	if err := i.verify(ctx, t); err != nil {
		return token.Vouched{}, err
	}
	return token.Vouched{
		Issuer:    t.claims.Issuer,
		Subject:   t.claims.Subject,
		Role:      i.role(t),
		ExpiresAt: t.claims.ExpiresAt.Time,
	}, nil
}

// verify checks the signature. If it fails with the cached keys, they are fetched once more, since the issuer may have
// changed them (OpenID Connect Core 1.0 section 10.1.1).
func (i *Issuer) verify(ctx context.Context, t parsed) error {
	keys, err := i.keys.get(ctx)
	if err != nil {
		return err
	}
	if known, err := t.verify(keys); err == nil || known {
		return err
	}
	if keys, err = i.keys.newer(ctx); err != nil {
		return err
	}
	_, err = t.verify(keys)
	return err
}

// verify checks the signature with the key that the header names. known reports whether there is such a key, so that
// newer keys could not change the result.
func (t parsed) verify(keys []jose.JSONWebKey) (known bool, err error) {
	var fitting []jose.JSONWebKey
	for _, k := range keys {
		if fits(k, t.header.Algorithm) && (t.header.KeyID == "" || t.header.KeyID == k.KeyID) {
			fitting = append(fitting, k)
		}
	}
	// Without a kid only a single key is unambiguous, and even that may have been replaced.
	if len(fitting) == 0 || t.header.KeyID == "" && len(fitting) > 1 {
		return false, errNoKey
	}
	if _, err := t.jws.Verify(fitting[0].Key); err != nil || !t.salted(fitting[0].Key) {
		return t.header.KeyID != "", errSignature
	}
	return true, nil
}

// hashes are those of the algorithms with a salt.
var hashes = map[string]crypto.Hash{
	string(jose.PS256): crypto.SHA256, string(jose.PS384): crypto.SHA384, string(jose.PS512): crypto.SHA512,
}

// salted reports whether the salt, if the algorithm has one, is as long as the hash (RFC 7518 section 3.5); go-jose
// accepts any length.
func (t parsed) salted(key any) bool {
	hash, ok := hashes[t.header.Algorithm]
	if !ok {
		return true
	}
	digest := hash.New()
	digest.Write([]byte(t.input))
	options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
	public, ok := key.(*rsa.PublicKey)
	return ok && rsa.VerifyPSS(public, hash, digest.Sum(nil), t.jws.Signatures[0].Signature, options) == nil
}

// role is the highest role in the configured claim.
func (i *Issuer) role(t parsed) token.Role {
	if i.cfg.RoleClaim == "" {
		return ""
	}
	held := t.strings(i.cfg.RoleClaim)
	for _, rank := range token.Roles {
		if slices.ContainsFunc(held, func(value string) bool { return i.cfg.Roles[value] == rank }) {
			return rank
		}
	}
	return token.RoleMember
}
