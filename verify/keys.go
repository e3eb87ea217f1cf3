package verify

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
)

const (
	maxKeySet     = 256 << 10       // bytes
	defaultKeyAge = 5 * time.Minute // if the response has no max-age
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

// maxAge reads how long the response is fresh, minus its Age (RFC 9111 section 4.2).
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

// parseKeySet returns the keys for ES256 and ignores others (RFC 7517 section 5).
func parseKeySet(body []byte) (keySet, error) {
	var document struct {
		Keys []json.RawMessage `json:"keys"` // go-jose would reject the whole set for one key of an unknown type
	}
	if decodeJSON(body, &document) != nil {
		return nil, errors.New("the key set is not JSON, or its keys are not a list")
	}
	keys := keySet{}
	for _, raw := range document.Keys {
		var jwk jose.JSONWebKey
		if json.Unmarshal(raw, &jwk) != nil || jwk.Algorithm != string(jose.ES256) || jwk.Use != "sig" || jwk.KeyID == "" {
			continue
		}
		key, ok := jwk.Key.(*ecdsa.PublicKey)
		if !ok || key.Curve != elliptic.P256() {
			continue
		}
		if keys[jwk.KeyID] != nil {
			return nil, errors.New("the key set has two keys with one kid")
		}
		keys[jwk.KeyID] = key
	}
	if len(keys) == 0 {
		return nil, errors.New("the key set has no key for ES256")
	}
	return keys, nil
}
