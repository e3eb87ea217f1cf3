package verify

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const maxVerdict = 64 << 10 // bytes of an answer

// introspector introspects each token (RFC 7662).
type introspector struct {
	fetcher
	url        string
	credential string
	verdicts   *verdicts // nil: no cache
	now        func() time.Time
}

func newIntrospector(c Config, base *url.URL) (*introspector, error) {
	if !plausible(c.Credential) || (c.CacheTTL > 0 && c.CacheSize < 1) {
		return nil, errors.New("a Credential is required, and a CacheSize for the cache")
	}
	i := &introspector{fetcher: newFetcher(c), url: endpoint(base, "/introspect"), credential: c.Credential, now: c.Now}
	if c.CacheTTL == 0 {
		return i, nil
	}
	var err error
	i.verdicts, err = newVerdicts(c.CacheTTL, c.CacheSize)
	return i, err
}

// check sends a request, or returns a cached verdict. Without a cache not even concurrent checks share a request,
// because a check that joined an earlier request could miss a revoke that returned before the check began.
func (i *introspector) check(ctx context.Context, secret string) (Token, error) {
	if !formed(secret) {
		return Token{}, invalid(errNoForm)
	}
	if i.verdicts == nil {
		return i.ask(ctx, secret)
	}
	began := i.now()
	h := hash(sha256.Sum256([]byte(secret)))
	c, mine := i.verdicts.join(h, began)
	if mine {
		go func() {
			t, err := i.ask(context.WithoutCancel(ctx), secret) // for all who wait; ask limits the time
			i.verdicts.finish(h, c, t, err)
		}()
	}
	t, err := c.wait(ctx)
	// A cached verdict is not used past the token's expiry.
	if err == nil && !mine && !t.ExpiresAt.IsZero() && !began.Before(t.ExpiresAt) {
		return Token{}, invalid(errors.New("it has expired"))
	}
	return t, err
}

// ask sends the request of RFC 7662 section 2.1.
func (i *introspector) ask(ctx context.Context, secret string) (Token, error) {
	ctx, cancel := context.WithTimeout(ctx, i.timeout)
	defer cancel()
	form := url.Values{"token": {secret}}.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, i.url, strings.NewReader(form))
	if err != nil {
		return Token{}, misconfigured(err)
	}
	r.Header.Set("Authorization", "Bearer "+i.credential)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	body, _, err := i.do(r, maxVerdict, "application/json")
	if err != nil {
		return Token{}, err
	}
	return readVerdict(body)
}

// verdict is the response of RFC 7662 section 2.2.
type verdict struct {
	Active        *bool  `json:"active"`
	Subject       string `json:"sub"`
	Username      string `json:"username"`
	Scope         string `json:"token_scope"`
	ID            string `json:"jti"`
	Issuer        string `json:"iss"`
	AccountID     string `json:"account_id"`
	EnvironmentID string `json:"environment_id"`
	Dialect       string `json:"dialect"`
	IssuedAt      int64  `json:"iat"`
	ExpiresAt     *int64 `json:"exp"`
}

func readVerdict(body []byte) (Token, error) {
	var v verdict
	if err := json.Unmarshal(body, &v); err != nil || v.Active == nil {
		return Token{}, unavailable(errors.New("the response is not an RFC 7662 introspection response"))
	}
	if !*v.Active {
		return Token{}, invalid(errors.New("it is not active"))
	}
	t := Token{
		ID: v.ID, Subject: v.Subject, Username: v.Username, Scope: v.Scope, Account: v.AccountID,
		Environment: v.EnvironmentID, Dialect: v.Dialect, Issuer: v.Issuer, IssuedAt: time.Unix(v.IssuedAt, 0).UTC(),
	}
	if v.ExpiresAt != nil {
		t.ExpiresAt = time.Unix(*v.ExpiresAt, 0).UTC()
	}
	return t, nil
}
