package verify

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	maxKeySet     = 256 << 10       // bytes
	defaultKeyAge = 5 * time.Minute // if the answer does not say
	minKeyAge     = 10 * time.Second
)

// keySet is the public keys by kid.
type keySet map[string]*ecdsa.PublicKey

// loadKeys fetches the key set (RFC 7517 section 5).
func (r *reader) loadKeys(ctx context.Context) (keySet, time.Duration, error) {
	body, header, err := r.get(ctx, r.keysURL, "application/jwk-set+json, application/json", maxKeySet,
		"application/jwk-set+json", "application/json")
	if err != nil {
		return nil, 0, err
	}
	keys, err := parseKeySet(body)
	if err != nil {
		return nil, 0, unavailable(err)
	}
	return keys, max(maxAge(header), minKeyAge), nil
}

// maxAge reads how long the answer is fresh, less what it aged on its way (RFC 9111 section 4.2).
func maxAge(h http.Header) time.Duration {
	aged, err := strconv.ParseUint(h.Get("Age"), 10, 31)
	if err != nil {
		aged = 0
	}
	for directive := range strings.SplitSeq(h.Get("Cache-Control"), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch strings.ToLower(name) {
		case "no-store", "no-cache":
			return 0
		case "max-age":
			if age, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31); err == nil {
				return time.Duration(int64(age)-int64(aged)) * time.Second //nolint:gosec // both have 31 bits
			}
		}
	}
	return defaultKeyAge
}

// parseKeySet takes the keys for ES256 and ignores others (RFC 7517 section 5).
func parseKeySet(body []byte) (keySet, error) {
	document, err := parseObject(body)
	if err != nil {
		return nil, errors.New("the key set is not JSON")
	}
	var members []json.RawMessage
	if err := document.read("keys", &members); err != nil {
		return nil, errors.New("the key set has no keys")
	}
	keys := keySet{}
	for _, raw := range members {
		kid, key := parseKey(raw)
		if key == nil {
			continue
		}
		if keys[kid] != nil {
			return nil, errors.New("the key set has two keys with one kid")
		}
		keys[kid] = key
	}
	if len(keys) == 0 {
		return nil, errors.New("the key set has no key for ES256")
	}
	return keys, nil
}

// parseKey reads a key on P-256 (RFC 7518 section 6.2.1); nil is another kind of key.
func parseKey(raw []byte) (kid string, key *ecdsa.PublicKey) {
	o, err := parseObject(raw)
	if err != nil {
		return "", nil
	}
	for name, want := range map[string]string{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig"} {
		if got, err := o.text(name); err != nil || got != want {
			return "", nil
		}
	}
	if kid, err = o.text("kid"); err != nil || kid == "" {
		return "", nil
	}
	x, y := o.coordinate("x"), o.coordinate("y")
	if x == nil || y == nil {
		return "", nil
	}
	key, err = ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...))
	if err != nil {
		return "", nil
	}
	return kid, key
}

func (o object) coordinate(name string) []byte {
	text, err := o.text(name)
	if err != nil {
		return nil
	}
	b, err := decodeBase64(text)
	if err != nil || len(b) != scalarSize {
		return nil
	}
	return b
}
