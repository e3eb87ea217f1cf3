package verify

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/json"
	lru "github.com/hashicorp/golang-lru/v2"
)

// reader checks JWTs with the keys and lists that Tokenwright publishes.
type reader struct {
	fetcher
	issuer        string
	base          *url.URL
	keysURL       string
	keys          *document[keySet]
	lists         *lru.Cache[string, *document[statusList]] // by address
	allowNoStatus bool
	leeway        time.Duration
	now           func() time.Time
}

func newReader(c Config, base *url.URL) (*reader, error) {
	lists, err := lru.New[string, *document[statusList]](maxLists)
	r := &reader{
		fetcher: newFetcher(c), issuer: c.URL, base: base, keysURL: endpoint(base, "/.well-known/jwks.json"),
		lists: lists, allowNoStatus: c.AllowNoStatus, leeway: c.Leeway, now: c.Now,
	}
	r.keys = &document[keySet]{load: r.loadKeys, now: c.Now}
	return r, err
}

// claims are the claims of Tokenwright's JWTs (RFC 7519 section 4.1), which only the dialect apitoken has.
type claims struct {
	Issuer      string          `json:"iss"`
	Subject     string          `json:"sub"`
	ID          string          `json:"jti"`
	Scope       string          `json:"token_scope"`
	Account     string          `json:"account_id"`
	Environment string          `json:"environment_id"`
	IssuedAt    *float64        `json:"iat"`
	NotBefore   *float64        `json:"nbf"`
	ExpiresAt   *float64        `json:"exp"`
	Status      json.RawMessage `json:"status"`
}

// check is RFC 7519 section 7.2, and the status of draft-ietf-oauth-status-list section 8.3.
func (r *reader) check(ctx context.Context, secret string) (Token, error) {
	payload, err := r.open(ctx, secret, "JWT")
	if err != nil {
		return Token{}, err
	}
	var c claims
	if err := decodeJSON(payload, &c); err != nil {
		return Token{}, invalid(err)
	}
	t, err := r.judgeClaims(c)
	if err != nil {
		return Token{}, invalid(err)
	}
	if err := r.judgeStatus(ctx, c.Status); err != nil {
		return Token{}, err
	}
	return t, nil
}

// open returns the payload of a JWS if Tokenwright signed it. Nothing in it is trusted before.
func (r *reader) open(ctx context.Context, text, typ string) ([]byte, error) {
	jws, kid, err := parseJWS(text, typ)
	if err != nil {
		return nil, invalid(err)
	}
	keys, err := r.keys.get(ctx, func(s keySet) bool { return s[kid] != nil })
	if err != nil {
		return nil, err
	}
	key := keys[kid]
	if key == nil {
		return nil, invalid(errKey)
	}
	payload, err := verifyJWS(jws, key)
	if err != nil {
		return nil, invalid(err)
	}
	return payload, nil
}

// judgeClaims checks issuer and validity period of the JWT.
func (r *reader) judgeClaims(c claims) (Token, error) {
	id, _, _ := strings.Cut(c.ID, ".") // which a number follows if the secret of the token was rotated
	issued, noIssue := date(c.IssuedAt)
	end, noEnd := date(c.ExpiresAt)
	if noIssue != nil || noEnd != nil || c.Subject == "" || id == "" || c.Scope == "" || c.Account == "" {
		return Token{}, errors.New("its claims are malformed")
	}
	if c.Issuer != r.issuer {
		return Token{}, errors.New("it has a different issuer")
	}
	now := r.now()
	if !now.Before(end) {
		return Token{}, errors.New("it has expired")
	}
	if c.NotBefore != nil {
		if begin, err := date(c.NotBefore); err != nil || now.Add(r.leeway).Before(begin) {
			return Token{}, errors.New("it is not valid yet")
		}
	}
	return Token{
		ID: id, Subject: c.Subject, Scope: c.Scope, Account: c.Account, Environment: c.Environment, Dialect: "apitoken",
		Issuer: c.Issuer, IssuedAt: issued, ExpiresAt: end,
	}, nil
}
