// Package jwt makes and checks the JWTs (RFC 7519) that this server issues. It implements [token.Signer] with ES256
// keys that live in a directory of files, which it also looks after. It knows nothing of databases and callers: whether
// a token is still valid is for internal/token to say. The server calls it through [token.Signer], `tokenwright keys`
// as [Directory].
package jwt

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"

	"github.com/tokenwright/tokenwright/internal/token"
)

// Keys signs with the active key of a directory and verifies with all of them. It is safe for concurrent use.
type Keys struct {
	issuer  string
	dir     string // "": the keys are in memory only
	current atomic.Pointer[ring]
	reading sync.Mutex  // held while the directory is read again
	spare   atomic.Bool // an unknown key may have the directory read again, see [Keys.Watch]
}

var _ token.Signer = (*Keys)(nil)

// Open loads the keys of a directory; issuer is the `iss` of the JWTs that they sign. An error that matches
// [fs.ErrNotExist] means that the directory is missing or holds no key yet. All others need a person, and say what is
// to be done.
func Open(dir, issuer string) (*Keys, error) {
	if issuer == "" {
		return nil, errors.New("the issuer of JWTs is not set")
	}
	r, err := load(dir)
	if err != nil {
		return nil, err
	}
	k := &Keys{issuer: issuer, dir: dir}
	k.current.Store(r)
	return k, nil
}

// Ephemeral makes a key that is nowhere but in the memory of this process.
func Ephemeral(issuer string) (*Keys, error) {
	_, made, err := generate()
	if err != nil {
		return nil, err
	}
	k := &Keys{issuer: issuer}
	k.current.Store(&ring{keys: []*key{made}})
	return k, nil
}

func (k *Keys) ring() *ring { return k.current.Load() }

// Active is the kid of the key that signs.
func (k *Keys) Active() string { return k.ring().active().id }

// Public returns the public keys, the active one first, as they are published (RFC 7517).
func (k *Keys) Public() jose.JSONWebKeySet { return k.ring().public() }

// Document is [Keys.Public] in JSON. Who serves it allows it to be kept for [MaxAge].
func (k *Keys) Document() ([]byte, error) { return json.Marshal(k.Public()) }

// claims is the payload, in whole seconds (RFC 7519 section 4.1 and the `apitoken` dialect's own three).
type claims struct {
	Issuer        string  `json:"iss"`
	Subject       string  `json:"sub"`
	ID            string  `json:"jti"`
	IssuedAt      int64   `json:"iat"`
	NotBefore     int64   `json:"nbf"`
	ExpiresAt     int64   `json:"exp"`
	Scope         string  `json:"token_scope"`
	AccountID     string  `json:"account_id"`
	EnvironmentID *string `json:"environment_id"`
	Status        *status `json:"status,omitempty"`
}

// KeyIDs implements [token.Signer].
func (k *Keys) KeyIDs() []string {
	var ids []string
	for _, key := range k.ring().keys {
		ids = append(ids, key.id)
	}
	return ids
}

// Sign implements [token.Signer].
func (k *Keys) Sign(c token.Claims) (secret, keyID string, err error) {
	if c.ExpiresAt.IsZero() {
		return "", "", errors.New("a JWT needs an expiry")
	}
	return k.sign(headerType, k.claims(c))
}

func (k *Keys) sign(typ string, claims any) (signed, keyID string, err error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", "", fmt.Errorf("encode claims: %w", err)
	}
	key, err := k.present()
	if err != nil {
		err = fmt.Errorf("nothing can be signed while the key directory lacks the key: %w", err)
		return "", "", token.Wrap(token.Unavailable, err)
	}
	signed, err = key.sign(typ, payload)
	return signed, key.id, err
}

// present returns the active key if its file is still there, else the key that is active now. What is signed while the
// directory is gone might never verify again; it may be back soon, as on a mount that is away.
func (k *Keys) present() (*key, error) {
	key := k.ring().active()
	if key.path == "" {
		return key, nil
	}
	if _, err := os.Stat(key.path); err == nil {
		return key, nil
	}
	if err := k.reload(); err != nil {
		return nil, err
	}
	return k.ring().active(), nil
}

func (k *Keys) claims(c token.Claims) claims {
	issued := seconds(c.IssuedAt)
	out := claims{
		Issuer:    k.issuer,
		Subject:   c.Subject,
		ID:        c.ID,
		IssuedAt:  issued,
		NotBefore: issued,
		ExpiresAt: seconds(c.ExpiresAt),
		Scope:     string(c.Scope),
		AccountID: c.AccountID,
	}
	if c.EnvironmentID != "" {
		out.EnvironmentID = &c.EnvironmentID
	}
	if c.Entry.List != 0 {
		out.Status = &status{reference{c.Entry.Index, k.statusList(c.Entry.List)}}
	}
	return out
}

// seconds is a NumericDate (RFC 7519 section 2) without a fraction, cut towards the past.
func seconds(t time.Time) int64 { return t.Unix() }
