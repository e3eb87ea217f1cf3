package verify

import (
	"context"
	"errors"
	"net/url"
	"time"
)

// reader checks JWTs by what Tokenwright publishes.
type reader struct {
	fetcher
	issuer        string
	base          *url.URL
	keysURL       string
	keys          *document[keySet]
	lists         lists
	allowNoStatus bool
	leeway        time.Duration
	now           func() time.Time
}

func newReader(c Config, base *url.URL) *reader {
	r := &reader{
		fetcher: newFetcher(c), issuer: c.URL, base: base, keysURL: endpoint(base, "/.well-known/jwks.json"),
		allowNoStatus: c.AllowNoStatus, leeway: c.Leeway, now: c.Now,
	}
	r.keys = &document[keySet]{load: r.loadKeys, now: c.Now}
	return r
}

// check is RFC 7519 section 7.2, and the status of draft-ietf-oauth-status-list section 8.3.
func (r *reader) check(ctx context.Context, secret string) (Token, error) {
	payload, err := r.open(ctx, secret, "JWT")
	if err != nil {
		return Token{}, err
	}
	claims, err := parseObject(payload)
	if err != nil {
		return Token{}, invalid(err)
	}
	t, err := r.judgeClaims(claims)
	if err != nil {
		return Token{}, invalid(err)
	}
	if err := r.judgeStatus(ctx, claims); err != nil {
		return Token{}, err
	}
	return t, nil
}

// open returns the payload of a JWS that Tokenwright signed. Until then nothing of it is believed.
func (r *reader) open(ctx context.Context, text, typ string) ([]byte, error) {
	parsed, err := parseJWS(text, typ)
	if err != nil {
		return nil, invalid(err)
	}
	keys, err := r.keys.get(ctx, func(s keySet) bool { return s[parsed.kid] != nil })
	if err != nil {
		return nil, err
	}
	key := keys[parsed.kid]
	if key == nil {
		return nil, invalid(errKey)
	}
	if err := parsed.verify(key); err != nil {
		return nil, invalid(err)
	}
	return parsed.payload, nil
}

// judgeClaims checks whose the JWT is and when it is valid (RFC 7519 section 4.1).
func (r *reader) judgeClaims(c object) (Token, error) {
	t, err := readClaims(c)
	if err != nil {
		return Token{}, errors.New("its claims are malformed")
	}
	if t.Issuer != r.issuer {
		return Token{}, errors.New("its issuer is another")
	}
	now := r.now()
	if !now.Before(t.ExpiresAt) {
		return Token{}, errors.New("it has expired")
	}
	if !c.has("nbf") {
		return t, nil
	}
	if begin, err := c.date("nbf"); err != nil || now.Add(r.leeway).Before(begin) {
		return Token{}, errors.New("it is not valid yet")
	}
	return t, nil
}

// readClaims reads what Tokenwright writes; the dialect is the only one that has JWTs.
func readClaims(c object) (Token, error) {
	t := Token{Dialect: "apitoken"}
	var errs [8]error
	t.Issuer, errs[0] = c.text("iss")
	t.Subject, errs[1] = c.text("sub")
	t.ID, errs[2] = c.text("jti")
	t.Scope, errs[3] = c.text("token_scope")
	t.Account, errs[4] = c.text("account_id")
	t.Environment, errs[5] = c.optionalText("environment_id")
	t.IssuedAt, errs[6] = c.date("iat")
	t.ExpiresAt, errs[7] = c.date("exp")
	return t, errors.Join(errs[:]...)
}
