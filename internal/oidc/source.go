package oidc

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	fetchTimeout = 10 * time.Second
	maxBody      = 512 << 10
	maxKeys      = 100
	maxRedirects = 3
	minRSA       = 2048 // bits (RFC 7518 section 3.3)

	minLifetime     = 5 * time.Minute
	defaultLifetime = time.Hour
	maxLifetime     = 24 * time.Hour
)

// source is the issuer as seen over HTTP.
type source struct {
	issuer string
	client *http.Client
}

// client returns a copy with timeouts that follows no redirects to other hosts and limits the size of responses.
func client(configured *http.Client) *http.Client {
	c := http.Client{}
	if configured != nil {
		c = *configured
	}
	c.Timeout = cmp.Or(c.Timeout, fetchTimeout)
	c.Transport = bounded{cmp.Or(c.Transport, http.DefaultTransport)}
	c.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		first := via[0].URL
		if len(via) > maxRedirects || req.URL.Host != first.Host || req.URL.Scheme != first.Scheme {
			return errors.New("the issuer redirects to another host or scheme")
		}
		return nil
	}
	return &c
}

// bounded cuts off a response that is too long, and empties an error response, which go-oidc would quote in its error.
type bounded struct{ inner http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (b bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := b.inner.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		res.Body.Close()
		res.Body = http.NoBody
	}
	res.Body = http.MaxBytesReader(nil, res.Body, maxBody)
	return res, nil
}

// fetch gets the discovery document and then the keys that it points to (RFC 7517 section 5). It also returns how long
// the keys may be cached.
func (s *source) fetch(ctx context.Context) ([]jose.JSONWebKey, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	where, err := s.discover(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("discovery: %w", err)
	}
	return s.keys(ctx, where)
}

// discover returns the address of the keys. The document must be the issuer's own (OpenID Connect Discovery 1.0 section
// 4.3), which go-oidc checks, and have no duplicate members, which it does not check.
func (s *source) discover(ctx context.Context) (string, error) {
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, s.client), s.issuer)
	if err != nil {
		return "", err
	}
	var text jsontext.Value
	var doc struct {
		Keys string `json:"jwks_uri"`
	}
	if err := errors.Join(provider.Claims(&text), json.Unmarshal(text, &doc)); err != nil {
		return "", err
	}
	if err := checkURL(doc.Keys); err != nil {
		return "", fmt.Errorf("jwks_uri: %w", err)
	}
	if strings.HasPrefix(s.issuer, "https:") && !strings.HasPrefix(doc.Keys, "https:") {
		return "", errors.New("jwks_uri: it must be https, like the issuer")
	}
	return doc.Keys, nil
}

func (s *source) keys(ctx context.Context, address string) ([]jose.JSONWebKey, time.Duration, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, 0, err
	}
	res, err := s.client.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer res.Body.Close()
	var set struct {
		Keys []jsontext.Value `json:"keys"`
	}
	switch err := json.UnmarshalRead(res.Body, &set); {
	case res.StatusCode != http.StatusOK:
		return nil, 0, fmt.Errorf("jwks_uri responded %d", res.StatusCode)
	case err != nil:
		return nil, 0, fmt.Errorf("keys: %w", err)
	case set.Keys == nil || len(set.Keys) > maxKeys:
		return nil, 0, fmt.Errorf("jwks_uri did not return a set of at most %d keys", maxKeys)
	}
	return usableKeys(set.Keys), lifetime(res.Header), nil
}

// usableKeys leaves out keys that are not for signatures or not understood, as RFC 7517 section 5 requires. go-jose
// ignores `key_ops` (section 4.3).
func usableKeys(raw []jsontext.Value) []jose.JSONWebKey {
	keys := []jose.JSONWebKey{}
	for _, text := range raw {
		var k jose.JSONWebKey
		var may struct {
			Do []string `json:"key_ops"`
		}
		if k.UnmarshalJSON(text) != nil || json.Unmarshal(text, &may) != nil {
			continue
		}
		if k.Valid() && (k.Use == "" || k.Use == "sig") && (may.Do == nil || slices.Contains(may.Do, "verify")) {
			keys = append(keys, k)
		}
	}
	return keys
}

// curves are those of the ECDSA algorithms (RFC 7518 section 3.4).
var curves = map[string]elliptic.Curve{
	string(jose.ES256): elliptic.P256(), string(jose.ES384): elliptic.P384(), string(jose.ES512): elliptic.P521(),
}

// fits reports whether the key is of the algorithm's type (RFC 8725 section 3.1).
func fits(k jose.JSONWebKey, algorithm string) bool {
	if k.Algorithm != "" && k.Algorithm != algorithm {
		return false
	}
	switch key := k.Key.(type) {
	case *rsa.PublicKey:
		return (strings.HasPrefix(algorithm, "RS") || strings.HasPrefix(algorithm, "PS")) && key.N.BitLen() >= minRSA
	case *ecdsa.PublicKey:
		return curves[algorithm] == key.Curve
	case ed25519.PublicKey:
		return algorithm == string(jose.EdDSA)
	default: // includes private and symmetric keys, which nobody should publish
		return false
	}
}

// lifetime is the `max-age` of Cache-Control (RFC 9111 section 5.2.2.1), within our bounds.
func lifetime(header http.Header) time.Duration {
	age := defaultLifetime
	for directive := range strings.SplitSeq(strings.Join(header.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
		switch name {
		case "no-store", "no-cache":
			return minLifetime
		case "max-age":
			if seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31); err == nil {
				age = time.Duration(seconds) * time.Second
			}
		}
	}
	return min(max(age, minLifetime), maxLifetime)
}

// checkURL requires https, except on this machine.
func checkURL(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil, u.Hostname() == "", u.User != nil, u.Fragment != "":
		return fmt.Errorf("%q is not an absolute URL without user or fragment", address)
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return fmt.Errorf("%q is not https", address)
	default:
		return nil
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// sameURL compares two issuers loosely: it ignores the case of scheme and host, the default port, and a slash at the
// end.
func sameURL(a, b string) bool { return normal(a) == normal(b) }

func normal(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	port := u.Port()
	if u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		port = ""
	}
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + ":" + port + strings.TrimSuffix(u.Path, "/")
}
