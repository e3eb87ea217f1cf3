// Package verify checks the tokens of Tokenwright in the services that receive them. It is a separate module, which
// depends on go-jose, golang-lru and the standard library, and on nothing of the server: it knows Tokenwright's
// published contracts, and must not know how Tokenwright works. Its callers are other people's services. [Online]
// introspects each token at Tokenwright (RFC 7662) and accepts tokens of every dialect. [Offline] checks JWTs with the
// published keys (RFC 7515, RFC 7517) and their state with the published status lists (draft-ietf-oauth-status-list);
// it accepts only tokens of the dialect `apitoken`. No error and no log line of this package contains a token or a
// credential.
package verify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	defaultTimeout   = 2 * time.Second
	defaultCacheTTL  = time.Second
	defaultCacheSize = 10_000
	maxTokenSize     = 16 << 10 // far larger than Tokenwright's tokens
)

// mode is how a Verifier checks tokens; there is no default, so that it is always an explicit choice.
type mode int

const (
	online mode = iota + 1
	offline
)

// Config configures a [Verifier]. Start from [Online] or [Offline], which set the defaults, and change individual
// fields.
type Config struct {
	// URL is the public URL of Tokenwright. Offline it is also the `iss` that JWTs must have.
	URL string
	// Now is the clock, nil is time.Now.
	Now func() time.Time
	// Credential is the token of this service, for Online. It must have permission to introspect.
	Credential string
	// CacheTTL is how long Online caches that a token is active, and, up to a second, that it is not; 0 disables the
	// cache.
	CacheTTL time.Duration
	// CacheSize is the maximum number of active, and of inactive, tokens that Online caches.
	CacheSize int
	// AllowNoStatus lets Offline accept JWTs without a `status` claim. A revoke of such a token is never noticed.
	AllowNoStatus bool
	// Leeway is how far this service's clock may be behind Tokenwright's when Offline judges `nbf`. It never
	// prolongs a token.
	Leeway time.Duration
	// AllowHTTP permits an http URL on another host than this one. Anyone who can alter that traffic decides which tokens
	// are valid.
	AllowHTTP bool
	// Timeout limits each request to Tokenwright.
	Timeout time.Duration
	// Client sends the requests; nil is a client of its own, which keeps up to 64 connections. Redirects are never
	// followed, since they would send tokens, or offline the trust, to another host.
	Client *http.Client
	// Report, if not nil, is called with the reason for a 503 of the middleware. The error contains no token.
	Report func(context.Context, error)

	mode mode
}

// Online is a Config for introspection of each token, with a credential that may introspect.
func Online(url, credential string) Config {
	return Config{
		URL: url, Credential: credential, CacheTTL: defaultCacheTTL, CacheSize: defaultCacheSize,
		Timeout: defaultTimeout, mode: online,
	}
}

// Offline is a Config for checking JWTs with the keys and the status lists that Tokenwright publishes.
func Offline(url string) Config {
	return Config{URL: url, Timeout: defaultTimeout, mode: offline}
}

// Verifier checks tokens. It is safe for concurrent use.
type Verifier struct {
	judge    judge
	report   func(context.Context, error)
	required []Requirement
}

// judge checks whether a token is valid, regardless of requirements.
type judge interface {
	check(ctx context.Context, secret string) (Token, error)
}

// New makes a Verifier. It sends no request yet.
func New(c Config) (*Verifier, error) {
	base, err := c.base()
	if err != nil {
		return nil, err
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Timeout <= 0 || c.Leeway < 0 || c.CacheTTL < 0 {
		return nil, errors.New("verify: Timeout must be positive, Leeway and CacheTTL not negative")
	}
	v := &Verifier{report: c.Report}
	switch c.mode {
	case online:
		v.judge, err = newIntrospector(c, base)
	case offline:
		v.judge, err = newReader(c, base)
	default:
		err = errors.New("start from verify.Online or verify.Offline")
	}
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	return v, nil
}

// base parses the URL, to which endpoint paths are appended.
func (c Config) base() (*url.URL, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, fmt.Errorf("verify: URL: %w", err)
	}
	onlyPath := u.User == nil && u.RawQuery == "" && !u.ForceQuery && u.Fragment == ""
	if u.Host == "" || !onlyPath || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, errors.New("verify: URL must be an http or https URL of host and path")
	}
	if u.Scheme == "http" && !c.AllowHTTP && !loopback(u.Hostname()) {
		return nil, errors.New("verify: URL must be https: set AllowHTTP if the network can be trusted")
	}
	return u, nil
}

func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// endpoint adds a path to the URL.
func endpoint(base *url.URL, path string) string {
	return strings.TrimSuffix(base.String(), "/") + path
}

// Check verifies a token and describes it. Its errors match [ErrInvalid], [ErrForbidden] or [ErrUnavailable].
func (v *Verifier) Check(ctx context.Context, secret string) (Token, error) {
	if !plausible(secret) {
		return Token{}, invalid(errNoForm)
	}
	t, err := v.judge.check(ctx, secret)
	if err != nil {
		return Token{}, err
	}
	for _, r := range v.required {
		if err := r.met(t); err != nil {
			return Token{}, err
		}
	}
	return t, nil
}

// plausible reports whether the text can be a token, visible ASCII of bounded length, and so is worth a request.
func plausible(secret string) bool {
	if secret == "" || len(secret) > maxTokenSize {
		return false
	}
	for i := range len(secret) {
		if secret[i] <= ' ' || secret[i] > '~' {
			return false
		}
	}
	return true
}
