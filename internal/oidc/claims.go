package oidc

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/tokenwright/tokenwright/internal/token"
)

const (
	maxSubject = 255              // characters of `sub` (OpenID Connect Core 1.0 section 2)
	leeway     = 60 * time.Second // by how much the issuer's clock may be ahead
	maxUnix    = 253402300799     // the last second of the year 9999
)

// algorithms are the asymmetric ones. With HMAC, a published key would serve as the secret (RFC 8725 section 2.1).
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

var (
	errForm      = invalid("the JWT is malformed")
	errType      = invalid("the JWT has the wrong type")
	errClaims    = invalid("the JWT's claims are malformed")
	errIssuer    = invalid("the JWT has a different issuer")
	errAudience  = invalid("the JWT is for another audience")
	errSubject   = invalid("the JWT has no usable subject")
	errExpired   = invalid("the JWT has expired")
	errNotYet    = invalid("the JWT is not valid yet")
	errNoKey     = invalid("the issuer has no key for the JWT")
	errSignature = invalid("the JWT's signature is invalid")
)

func invalid(cause string) error { return token.Wrap(token.CredentialInvalid, errors.New(cause)) }

// header holds the members that are used. Those that carry or locate a key (`jwk`, `jku`, `x5c`, `x5u`) are ignored.
type header struct {
	Algorithm string         `json:"alg"`
	KeyID     string         `json:"kid"`
	Type      string         `json:"typ"`
	Critical  jsontext.Value `json:"crit"`
}

// claims holds the registered claims (RFC 7519 section 4.1).
type claims struct {
	Issuer    string       `json:"iss"`
	Subject   string       `json:"sub"`
	Audience  jwt.Audience `json:"aud"`
	ExpiresAt *date        `json:"exp"`
	NotBefore *date        `json:"nbf"`
	IssuedAt  *date        `json:"iat"`
}

// parsed is a JWT whose signature has not been checked.
type parsed struct {
	jws     *jose.JSONWebSignature
	input   string // what is signed
	header  header
	payload []byte
	claims  claims
}

// parse reads the compact serialisation (RFC 7515 section 7.1). The decoder rejects a repeated member at any level, and
// distinguishes case in member names.
func parse(text string) (parsed, error) {
	var t parsed
	first, _, _ := strings.Cut(text, ".")
	raw, err := base64.RawURLEncoding.DecodeString(first)
	if err != nil || len(text) > token.MaxJWT {
		return t, errForm
	}
	if err := json.Unmarshal(raw, &t.header); err != nil {
		return t, errForm
	}
	if t.header.Critical != nil || !t.header.isJWT() {
		return t, errType
	}
	if t.jws, err = jose.ParseSignedCompact(text, algorithms); err != nil {
		return t, errForm
	}
	t.input = text[:strings.LastIndexByte(text, '.')]
	t.payload = t.jws.UnsafePayloadWithoutVerification()
	if err := json.Unmarshal(t.payload, &t.claims); err != nil {
		return t, errClaims
	}
	return t, nil
}

// isJWT accepts an ID token and an access token (RFC 9068 section 4). Other types, such as logout tokens, are not
// credentials (RFC 8725 section 3.11). Types are compared like media types (RFC 7515 section 4.1.9).
func (h header) isJWT() bool {
	switch strings.TrimPrefix(strings.ToLower(h.Type), "application/") {
	case "", "jwt", "at+jwt":
		return true
	default:
		return false
	}
}

// judge checks the claims. The leeway applies to `iat` and `nbf`, not to `exp`.
func (i *Issuer) judge(c claims) error {
	now := i.cfg.Now()
	switch {
	case c.Issuer != i.cfg.IssuerURL:
		return errIssuer
	case !slices.Contains(c.Audience, i.cfg.Audience):
		return errAudience
	case !usable(c.Subject):
		return errSubject
	case c.ExpiresAt == nil:
		return errClaims
	case !now.Before(c.ExpiresAt.Time):
		return errExpired
	case c.NotBefore.after(now.Add(leeway)), c.IssuedAt.after(now.Add(leeway)):
		return errNotYet
	default:
		return nil
	}
}

// usable reports whether a subject can be looked up: not every database accepts control characters.
func usable(subject string) bool {
	return subject != "" && len(subject) <= maxSubject && !strings.ContainsFunc(subject, unicode.IsControl)
}

// strings returns the values of a claim that is a string or a list of strings, and none for any other type.
func (t parsed) strings(name string) []string {
	var all map[string]jsontext.Value
	var values jwt.Audience
	if json.Unmarshal(t.payload, &all) != nil || json.Unmarshal(all[name], &values) != nil {
		return nil
	}
	return values
}

// date is a NumericDate (RFC 7519 section 2), which may have a fraction.
type date struct{ time.Time }

// UnmarshalJSON rejects dates before 1970 or after 9999.
func (d *date) UnmarshalJSON(text []byte) error {
	var seconds float64
	if err := json.Unmarshal(text, &seconds); err != nil {
		return err
	}
	if seconds < 0 || seconds > maxUnix {
		return errClaims
	}
	d.Time = time.UnixMilli(int64(seconds * 1000)).UTC()
	return nil
}

// after is false for a missing date.
func (d *date) after(t time.Time) bool { return d != nil && d.Time.After(t) }
